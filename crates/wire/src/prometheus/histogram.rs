//! Histograms put together from their series.

use std::collections::BTreeMap;

use schema::server::Histogram;

use super::PageError;
use super::text::Series;

/// Bounds of one histogram at most.
const BOUNDS: usize = 256;

/// Nanoseconds in a second.
const NANOS: f64 = 1e9;

/// The series of one histogram of seconds, over all replicas.
#[derive(Debug, Default)]
pub(super) struct Seconds {
    /// By the bits of the bound, which order as the bounds do, none being negative: the values at or below it, and how
    /// many replicas say so.
    buckets: BTreeMap<u64, (f64, u32)>,
    sum: Option<f64>,
    count: Option<f64>,
}

impl Seconds {
    pub(super) fn fold(&mut self, series: &Series<'_>) -> Result<(), PageError> {
        let value = series.value;
        if series.name.ends_with("_sum") {
            self.sum = Some(self.sum.unwrap_or(0.0) + value);
        } else if series.name.ends_with("_count") {
            self.count = Some(self.count.unwrap_or(0.0) + value);
        } else if let Some(bound) = series.labels.get("le").and_then(|le| le.parse::<f64>().ok())
            && bound >= 0.0
        {
            let bucket = self.buckets.entry(bound.to_bits()).or_insert((0.0, 0));
            *bucket = (bucket.0 + value, bucket.1.saturating_add(1));
            if self.buckets.len() > BOUNDS {
                return Err(PageError::TooLarge { what: "buckets in a histogram", limit: BOUNDS });
            }
        }
        Ok(())
    }

    /// The histogram in nanoseconds; `None` where its parts do not make one.
    pub(super) fn nanos(self) -> Option<Histogram> {
        let infinite = self.buckets.get(&f64::INFINITY.to_bits()).copied();
        let count = whole(self.count.or(infinite.map(|bucket| bucket.0))?)?;
        let sum = self.sum.filter(|sum| sum.is_finite() && *sum >= 0.0)? * NANOS;
        // Where replicas have different buckets, only the bounds that all of them have mean anything.
        let replicas = self.buckets.values().map(|bucket| bucket.1).max().unwrap_or(0);
        let buckets = self.buckets.iter().map(|(bits, bucket)| (f64::from_bits(*bits) * NANOS, bucket));
        let mut histogram = Histogram { bounds: Vec::new(), counts: Vec::new(), count, sum };
        for (bound, &(below, said_by)) in buckets.filter(|(bound, _)| bound.is_finite()) {
            if said_by == replicas {
                histogram.bounds.push(bound);
                histogram.counts.push(whole(below)?);
            }
        }
        let cumulative = histogram.counts.is_sorted() && histogram.counts.last().is_none_or(|last| *last <= count);
        cumulative.then_some(histogram)
    }
}

/// A count, as a whole number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 2^53")]
fn whole(count: f64) -> Option<u64> {
    (0.0..=9e15).contains(&count).then(|| count.round() as u64)
}
