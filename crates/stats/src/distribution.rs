//! How one metric is distributed over the requests of one target.

use std::collections::BTreeMap;
use std::fmt;

use schema::metric::Metric;
use schema::record::Record;
use schema::summary::{Distribution, Estimate, Percentile};
use schema::units::Quantile;

use crate::cluster::Clusters;
use crate::quantile::quantile;
use crate::{interval, metric_values, radix, values};

/// All values of one metric, by request and in order of size.
#[derive(Debug)]
pub(crate) struct Sample(Box<dyn Figures>);

impl Sample {
    /// The values of `metric`; absent when there are none.
    pub(crate) fn of(metric: Metric, records: &[&Record]) -> Option<Self> {
        if is_single(metric) {
            return Self::of_singles(records.iter().filter_map(|record| values::single(record, metric)).collect());
        }
        match gather(metric, records, whole) {
            Some(clusters) => Self::of_clusters(clusters, u64::from),
            None => Self::of_clusters(gather(metric, records, Some)?, radix::bits),
        }
    }

    /// Of the values of each request; `bits` are larger where a value is.
    fn of_clusters<V: Copy + Into<f64> + fmt::Debug + 'static>(
        clusters: Clusters<V>,
        bits: fn(V) -> u64,
    ) -> Option<Self> {
        if clusters.are_single() {
            return Self::of_singles(clusters.values().iter().map(|&value| value.into()).collect());
        }
        let mut sorted = clusters.values().to_vec();
        radix::sort_by_key(&mut sorted, bits);
        Some(Self(Box::new(Pooled { clusters, sorted })))
    }

    /// Of one value a request.
    fn of_singles(values: Vec<f64>) -> Option<Self> {
        let sorted = radix::ascending(&values);
        (!values.is_empty()).then(|| Self(Box::new(Singles { values, sorted })))
    }

    /// How many requests have a value.
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests()
    }

    /// Smallest and largest.
    pub(crate) fn extremes(&self) -> (f64, f64) {
        self.0.extremes()
    }

    /// The quantile as it is in the sample, whether or not the sample supports it: for verdicts on
    /// the client, never for what is printed as the target's.
    pub(crate) fn seen(&self, q: Quantile) -> f64 {
        self.0.seen(q)
    }

    /// What the quantile is at least, with 97.5 % confidence: the largest of a few values says little of a p99. As
    /// [`Sample::seen`], for verdicts on the client.
    pub(crate) fn at_least(&self, q: Quantile) -> f64 {
        self.0.at_least(q)
    }

    /// The quantile with its interval, or what it needs.
    pub(crate) fn percentile(&self, q: Quantile) -> Percentile {
        self.0.percentile(q)
    }

    /// Everything a table shows of it. No metric is ever negative, and neither is an interval.
    pub(crate) fn distribution(&self) -> Distribution {
        self.0.distribution()
    }
}

/// The samples of all metrics, one after the other.
pub(crate) struct Samples<'a> {
    records: &'a [&'a Record],
    /// The values of each metric that has one a request.
    singles: BTreeMap<Metric, Vec<f64>>,
}

/// Records that are gone through once for all metrics: as many as stay at hand.
const AT_HAND: usize = 64;

impl<'a> Samples<'a> {
    /// Of these records.
    pub(crate) fn of(records: &'a [&'a Record]) -> Self {
        let metrics = Metric::ALL.iter().filter(|metric| is_single(**metric));
        let mut singles: BTreeMap<Metric, Vec<f64>> = metrics.map(|&metric| (metric, Vec::new())).collect();
        for some in records.chunks(AT_HAND) {
            for (&metric, values) in &mut singles {
                values.extend(some.iter().filter_map(|record| values::single(record, metric)));
                if !values.is_empty() {
                    values.reserve_exact(records.len() - values.len());
                }
            }
        }
        Self { records, singles }
    }

    /// That of `metric`, once; absent when there are no values.
    pub(crate) fn take(&mut self, metric: Metric) -> Option<Sample> {
        match self.singles.remove(&metric) {
            Some(values) => Sample::of_singles(values),
            None => Sample::of(metric, self.records),
        }
    }
}

/// Whether a metric has one value a request at most.
const fn is_single(metric: Metric) -> bool {
    !matches!(metric, Metric::Itl | Metric::ClientLag)
}

/// The values of `metric` as `V`s; `None` where one is none.
fn gather<V: Copy + Into<f64>>(
    metric: Metric,
    records: &[&Record],
    fit: impl Fn(f64) -> Option<V>,
) -> Option<Clusters<V>> {
    let room = records.iter().map(|record| record.events.len()).sum();
    Clusters::of(room, records.iter().map(|record| metric_values(record, metric).map(&fit)))
}

/// `value` where it is a whole number below 2³²: gaps and lags are, if they are less than four seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared with what it came from")]
fn whole(value: f64) -> Option<u32> {
    let whole = value as u32;
    (f64::from(whole).to_bits() == value.to_bits()).then_some(whole)
}

/// As [`Sample`], whatever its values are kept as; there is one at least.
trait Figures: fmt::Debug {
    fn requests(&self) -> u64;
    /// How many values.
    fn count(&self) -> usize;
    /// The value at this place in order of size.
    fn at(&self, place: usize) -> f64;
    fn seen(&self, q: Quantile) -> f64;
    fn percentile(&self, q: Quantile) -> Percentile;
    fn mean(&self) -> Estimate;
    fn sd(&self) -> Option<Estimate>;

    fn extremes(&self) -> (f64, f64) {
        (self.at(0), self.at(self.count() - 1))
    }

    fn at_least(&self, q: Quantile) -> f64 {
        let low = interval::ranks(self.count() as u64, q.get()).0;
        let place = low.and_then(|rank| usize::try_from(rank).ok()?.checked_sub(1));
        self.at(place.filter(|place| *place < self.count()).unwrap_or(0))
    }

    fn distribution(&self) -> Distribution {
        let (min, max) = self.extremes();
        Distribution {
            n: self.count() as u64,
            mean: not_negative(self.mean()),
            sd: self.sd(),
            min,
            p50: self.percentile(Quantile::P50),
            p90: self.percentile(Quantile::P90),
            p95: self.percentile(Quantile::P95),
            p99: self.percentile(Quantile::P99),
            max,
        }
    }
}

/// One value a request, in their order and in order of size.
#[derive(Debug)]
struct Singles {
    values: Vec<f64>,
    sorted: Vec<f64>,
}

impl Figures for Singles {
    fn requests(&self) -> u64 {
        self.values.len() as u64
    }

    fn count(&self) -> usize {
        self.sorted.len()
    }

    fn at(&self, place: usize) -> f64 {
        self.sorted[place]
    }

    fn seen(&self, q: Quantile) -> f64 {
        quantile(&self.sorted, q.get())
    }

    fn percentile(&self, q: Quantile) -> Percentile {
        interval::percentile(&self.sorted, q.get())
    }

    fn mean(&self) -> Estimate {
        interval::mean(&self.values)
    }

    fn sd(&self) -> Option<Estimate> {
        interval::sd(&self.sorted)
    }
}

/// Several values a request, by request and in order of size.
#[derive(Debug)]
struct Pooled<V> {
    clusters: Clusters<V>,
    sorted: Vec<V>,
}

impl<V: Copy + Into<f64> + fmt::Debug> Figures for Pooled<V> {
    fn requests(&self) -> u64 {
        self.clusters.count()
    }

    fn count(&self) -> usize {
        self.sorted.len()
    }

    fn at(&self, place: usize) -> f64 {
        self.sorted[place].into()
    }

    fn seen(&self, q: Quantile) -> f64 {
        quantile(&self.sorted, q.get())
    }

    fn percentile(&self, q: Quantile) -> Percentile {
        self.clusters.percentile(&self.sorted, q.get())
    }

    fn mean(&self) -> Estimate {
        self.clusters.mean()
    }

    fn sd(&self) -> Option<Estimate> {
        self.clusters.sd()
    }
}

/// The same with the interval's lower end at zero at least.
pub(crate) fn not_negative(estimate: Estimate) -> Estimate {
    Estimate { low: estimate.low.map(|low| low.max(0.0)), ..estimate }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::record;

    /// Gaps of 30 ms and a last one of so many, four a request.
    fn sample(last: u64) -> Sample {
        let records: Vec<Record> =
            (0..40).map(|i| record(i * 10_000, &[10, 40, 70, 100 + i, 100 + i + last])).collect();
        Sample::of(Metric::Itl, &records.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_gap_too_long_for_a_small_number_changes_only_what_it_is_part_of() {
        let (usual, stalled) = (sample(4_000), sample(5_000));
        assert_eq!(usual.extremes(), (30e6, 4_000e6));
        assert_eq!(stalled.extremes(), (30e6, 5_000e6));
        assert_eq!(usual.distribution().p50, stalled.distribution().p50);
        let means = [&stalled, &usual].map(|sample| sample.distribution().mean.value);
        assert!((means[0] - means[1] - 1_000e6 / 4.0).abs() < 1.0, "{means:?}");
        assert_eq!((stalled.requests(), stalled.distribution().n), (40, 160));
    }

    #[test]
    fn whole_numbers_are_told_from_others() {
        assert_eq!([0.0, 7.0, 4_294_967_295.0].map(whole), [Some(0), Some(7), Some(u32::MAX)]);
        assert_eq!([0.5, -0.0, -1.0, 4_294_967_296.0, f64::NAN].map(whole), [None; 5]);
    }
}
