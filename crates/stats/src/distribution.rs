//! How one metric is distributed over the requests of one target.

use schema::metric::Metric;
use schema::record::Record;
use schema::summary::{Distribution, Estimate, Percentile};
use schema::units::Quantile;

use crate::cluster::Clusters;
use crate::quantile::quantile;
use crate::{interval, metric_values};

/// All values of one metric, by request and in order of size.
#[derive(Debug)]
pub(crate) struct Sample {
    clusters: Clusters,
    sorted: Vec<f64>,
}

impl Sample {
    /// The values of `metric`; absent when there are none.
    pub(crate) fn of(metric: Metric, records: &[&Record]) -> Option<Self> {
        let mut clusters = Clusters::default();
        for record in records {
            clusters.push(metric_values(record, metric));
        }
        let mut sorted = clusters.values().to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        (!sorted.is_empty()).then_some(Self { clusters, sorted })
    }

    /// How many requests have a value.
    pub(crate) fn requests(&self) -> u64 {
        self.clusters.count()
    }

    /// Smallest and largest.
    pub(crate) fn extremes(&self) -> (f64, f64) {
        (self.sorted[0], self.sorted[self.sorted.len() - 1])
    }

    /// The quantile as it is in the sample, whether or not the sample supports it: for verdicts on
    /// the client, never for what is printed as the target's.
    pub(crate) fn seen(&self, q: Quantile) -> f64 {
        quantile(&self.sorted, q.get())
    }

    /// What the quantile is at least, with 97.5 % confidence: the largest of a few values says little of a p99. As
    /// [`Sample::seen`], for verdicts on the client.
    pub(crate) fn at_least(&self, q: Quantile) -> f64 {
        let low = interval::ranks(self.sorted.len() as u64, q.get()).0;
        low.and_then(|rank| self.sorted.get(usize::try_from(rank).ok()?.checked_sub(1)?).copied())
            .unwrap_or(self.sorted[0])
    }

    /// The quantile with its interval, or what it needs.
    pub(crate) fn percentile(&self, q: Quantile) -> Percentile {
        if self.clusters.are_single() {
            return interval::percentile(&self.sorted, q.get());
        }
        self.clusters.percentile(&self.sorted, q.get())
    }

    /// Everything a table shows of it. No metric is ever negative, and neither is an interval.
    pub(crate) fn distribution(&self) -> Distribution {
        let single = self.clusters.are_single();
        let (min, max) = self.extremes();
        let mean = if single { interval::mean(self.clusters.values()) } else { self.clusters.mean() };
        let sd = if single { interval::sd(&self.sorted) } else { self.clusters.sd() };
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

/// The same with the interval's lower end at zero at least.
pub(crate) fn not_negative(estimate: Estimate) -> Estimate {
    Estimate { low: estimate.low.map(|low| low.max(0.0)), ..estimate }
}
