//! 95 % intervals of values that come in clusters: the gaps of one request resemble each other, so
//! a thousand gaps of ten requests say less than a thousand requests would.
//!
//! All are closed forms over the clusters, as for cluster samples in surveys: no resampling, no
//! seed, one pass over the values for each percentile.

use schema::summary::{Estimate, Percentile};

use crate::interval::{around, ranks, ratio, t_point, values_needed};
use crate::moments;
use crate::quantile::quantile;

/// Values of all requests, one cluster after the other. Those that are all whole numbers take half the memory
/// as such.
#[derive(Debug, Clone)]
pub(crate) struct Clusters<V> {
    values: Vec<V>,
    /// Where each cluster ends; none is empty.
    ends: Vec<usize>,
}

impl<V: Copy + Into<f64>> Clusters<V> {
    /// Of the values of each request, about `room` in all; none at all is no cluster. `None` where a value is no `V`.
    pub(crate) fn of<I: Iterator<Item = Option<V>>>(room: usize, requests: impl Iterator<Item = I>) -> Option<Self> {
        let (mut values, mut ends) = (Vec::with_capacity(room), Vec::with_capacity(requests.size_hint().0));
        for request in requests {
            let before = values.len();
            for value in request {
                values.push(value?);
            }
            if values.len() > before {
                ends.push(values.len());
            }
        }
        Some(Self { values, ends })
    }

    /// All values, cluster by cluster.
    pub(crate) fn values(&self) -> &[V] {
        &self.values
    }

    /// How many clusters.
    pub(crate) fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Whether each cluster has one value: then they are simply independent values.
    pub(crate) fn are_single(&self) -> bool {
        self.ends.len() == self.values.len()
    }

    fn each(&self) -> impl Iterator<Item = &[V]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.values[start..end])
    }

    /// The mean over all values, its interval from the scatter of the clusters' sums around it.
    pub(crate) fn mean(&self) -> Estimate {
        let sum = |c: &[V]| c.iter().map(|&x| x.into()).sum();
        let pairs: Vec<_> = self.each().map(|c| (sum(c), c.len() as f64)).collect();
        ratio(&pairs)
    }

    /// The standard deviation over all values, with the interval of the mean square deviation
    /// (a ratio over clusters), by its root. Absent below two values.
    pub(crate) fn sd(&self) -> Option<Estimate> {
        let value = moments::sd(&self.values)?;
        let mean = moments::mean(&self.values);
        let squares = |c: &[V]| c.iter().map(|&x| (x.into() - mean).powi(2)).sum::<f64>();
        let pairs: Vec<_> = self.each().map(|c| (squares(c), c.len() as f64)).collect();
        let variance = ratio(&pairs);
        let root = |end: Option<f64>| end.map(|v| v.max(0.0).sqrt());
        Some(match variance.high {
            Some(_) => Estimate { value, low: root(variance.low), high: root(variance.high) },
            None => around(value, f64::NAN),
        })
    }

    /// The quantile `q` over all values (`sorted`: the same, ascending), bounded by the order
    /// statistics of as many independent values as the clusters are worth (E. L. Korn & B. I.
    /// Graubard, *Survey Methodology* 24, 1998, 193–201): n ÷ design effect of the share below the
    /// quantile, adjusted for the few degrees of freedom.
    ///
    /// Withheld until that effective number suffices as in [`values_needed`], and until there are as
    /// many requests as a percentile at `q`, at most p90, needs (6 at p50, 36 from p90 on): a habit of
    /// one request in ten must have had its chance to be seen.
    pub(crate) fn percentile(&self, sorted: &[V], q: f64) -> Percentile {
        let (n, clusters) = (sorted.len() as u64, self.count());
        let value = quantile(sorted, q);
        let worth = self.effective_number(value);
        let missing = values_needed(q.min(0.9)).saturating_sub(clusters);
        match ranks(worth, q) {
            (Some(low), Some(high)) if missing == 0 => Percentile::Known(Estimate {
                value,
                low: Some(sorted[scaled_down(low - 1, n, worth)].into()),
                high: Some(sorted[scaled_up(high, n, worth) - 1].into()),
            }),
            _ => Percentile::Withheld { needs_more: self.values_missing(worth, q, missing) },
        }
    }

    /// Values still needed, at this sample's values per cluster and its worth per value.
    fn values_missing(&self, worth: u64, q: f64, missing_clusters: u64) -> u64 {
        let (n, clusters) = (self.values.len() as u64, self.count());
        let for_clusters = (missing_clusters * n).div_ceil(clusters.max(1));
        let for_worth = (values_needed(q).saturating_sub(worth) * n).div_ceil(worth.max(1));
        for_clusters.max(for_worth).max(1)
    }

    /// How many independent values this sample is worth for the share of values up to `edge`.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
    fn effective_number(&self, edge: f64) -> u64 {
        let (n, clusters) = (self.values.len() as f64, self.ends.len() as f64);
        if clusters < 2.0 {
            return self.count();
        }
        let below = |c: &[V]| c.iter().filter(|&&x| x.into() <= edge).count() as f64;
        let parts: Vec<(f64, f64)> = self.each().map(|c| (below(c), c.len() as f64)).collect();
        let share = parts.iter().map(|(below, _)| below).sum::<f64>() / n;
        let squares: f64 = parts.iter().map(|(below, all)| (below - share * all).powi(2)).sum();
        let variance = clusters / (clusters - 1.0) * squares / n.powi(2);
        let independent = share * (1.0 - share) / n;
        let design_effect = if independent > 0.0 { variance / independent } else { 1.0 };
        let freedom = (t_point(n - 1.0) / t_point(clusters - 1.0)).powi(2);
        (n * freedom / design_effect.max(1.0 / n)).min(n) as u64
    }
}

/// `rank` of `worth` values, as an index into `n` of them, rounded towards the outside.
fn scaled_down(rank: u64, n: u64, worth: u64) -> usize {
    (u128::from(rank) * u128::from(n) / u128::from(worth)) as usize
}

/// As [`scaled_down`], rounded up.
fn scaled_up(rank: u64, n: u64, worth: u64) -> usize {
    (u128::from(rank) * u128::from(n)).div_ceil(u128::from(worth)) as usize
}

#[cfg(test)]
mod tests;
