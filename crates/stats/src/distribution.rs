//! How one metric is distributed over the requests of one target.

use std::fmt;

use schema::metric::Metric;
use schema::record::Record;
use schema::summary::{Distribution, Estimate, Percentile};
use schema::units::Quantile;

use crate::cluster::Clusters;
use crate::quantile::quantile;
use crate::{interval, metric_values};

/// All values of one metric, by request and in order of size.
#[derive(Debug)]
pub(crate) struct Sample(Box<dyn Figures>);

impl Sample {
    /// The values of `metric`; absent when there are none.
    pub(crate) fn of(metric: Metric, records: &[&Record]) -> Option<Self> {
        let figures: Box<dyn Figures> = match gather(metric, records, whole) {
            Some(clusters) => Box::new(Ordered::of(clusters, <[u32]>::sort_unstable)),
            None => Box::new(Ordered::of(gather(metric, records, Some)?, |all| all.sort_unstable_by(f64::total_cmp))),
        };
        (figures.requests() > 0).then_some(Self(figures))
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

/// The values of `metric` as `V`s; `None` where one is none.
fn gather<V: Copy + Into<f64>>(
    metric: Metric,
    records: &[&Record],
    fit: impl Fn(f64) -> Option<V>,
) -> Option<Clusters<V>> {
    Clusters::of(records.iter().map(|record| metric_values(record, metric).map(&fit)))
}

/// `value` where it is a whole number below 2³²: gaps and lags are, if they are less than four seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared with what it came from")]
fn whole(value: f64) -> Option<u32> {
    let whole = value as u32;
    (f64::from(whole).to_bits() == value.to_bits()).then_some(whole)
}

/// As [`Sample`], whatever its values are kept as.
trait Figures: fmt::Debug {
    fn requests(&self) -> u64;
    fn extremes(&self) -> (f64, f64);
    fn seen(&self, q: Quantile) -> f64;
    fn at_least(&self, q: Quantile) -> f64;
    fn percentile(&self, q: Quantile) -> Percentile;
    fn distribution(&self) -> Distribution;
}

/// Values by request and in order of size.
#[derive(Debug)]
struct Ordered<V> {
    clusters: Clusters<V>,
    sorted: Vec<V>,
}

impl<V: Copy + Into<f64> + fmt::Debug> Ordered<V> {
    fn of(clusters: Clusters<V>, sort: impl FnOnce(&mut [V])) -> Self {
        let mut sorted = clusters.values().to_vec();
        sort(&mut sorted);
        Self { clusters, sorted }
    }

    /// The sorted values where each is of another request.
    fn singles(&self) -> Option<Vec<f64>> {
        self.clusters.are_single().then(|| floats(&self.sorted))
    }
}

impl<V: Copy + Into<f64> + fmt::Debug> Figures for Ordered<V> {
    fn requests(&self) -> u64 {
        self.clusters.count()
    }

    fn extremes(&self) -> (f64, f64) {
        (self.sorted[0].into(), self.sorted[self.sorted.len() - 1].into())
    }

    fn seen(&self, q: Quantile) -> f64 {
        quantile(&self.sorted, q.get())
    }

    fn at_least(&self, q: Quantile) -> f64 {
        let low = interval::ranks(self.sorted.len() as u64, q.get()).0;
        low.and_then(|rank| self.sorted.get(usize::try_from(rank).ok()?.checked_sub(1)?).copied())
            .unwrap_or(self.sorted[0])
            .into()
    }

    fn percentile(&self, q: Quantile) -> Percentile {
        match self.singles() {
            Some(sorted) => interval::percentile(&sorted, q.get()),
            None => self.clusters.percentile(&self.sorted, q.get()),
        }
    }

    fn distribution(&self) -> Distribution {
        let (mean, sd) = match self.singles() {
            Some(sorted) => (interval::mean(&floats(self.clusters.values())), interval::sd(&sorted)),
            None => (self.clusters.mean(), self.clusters.sd()),
        };
        let (min, max) = self.extremes();
        Distribution {
            n: self.sorted.len() as u64,
            mean: not_negative(mean),
            sd,
            min,
            p50: self.percentile(Quantile::P50),
            p90: self.percentile(Quantile::P90),
            p95: self.percentile(Quantile::P95),
            p99: self.percentile(Quantile::P99),
            max,
        }
    }
}

fn floats<V: Copy + Into<f64>>(values: &[V]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
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
