//! How much counters and histograms grew from one reading to another.

use std::collections::BTreeMap;
use std::fmt;

use schema::metric::Metric;
use schema::server::{Counter, Histogram, ServerSample, ServerTime};
use schema::units::Nanos;

use super::bracket::Bracket;

/// What grew.
#[derive(Debug)]
pub(super) struct Growth {
    pub(super) counters: BTreeMap<Counter, f64>,
    pub(super) histograms: BTreeMap<Metric, Histogram>,
}

/// The bucket that a median lies in, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = |ns: f64| Nanos::from_secs_f64(ns / 1e9);
        if self.low > 0.0 {
            write!(f, "{} to {}", span(self.low), span(self.high))
        } else {
            write!(f, "below {}", span(self.high))
        }
    }
}

impl Growth {
    /// From the first reading of the bracket to its last. What a page did not name at first is zero there.
    ///
    /// # Errors
    /// When something fell between two readings: the server began anew.
    pub(super) fn over(bracket: &Bracket<'_>) -> Result<Self, String> {
        if bracket.readings.windows(2).any(|pair| fell(pair[0], pair[1])) {
            return Err(
                "its counters fell while it was measured, so it was restarted: what they say is left out".to_owned()
            );
        }
        let (before, after) = (bracket.before(), bracket.after());
        let counters = after.counters.iter().map(|(&counter, &now)| {
            let then = before.counters.get(&counter).copied().unwrap_or(0.0);
            (counter, now - then)
        });
        let histograms = after.histograms.iter().filter_map(|(&metric, now)| {
            let grown = match before.histograms.get(&metric) {
                Some(then) => difference(then, now),
                None => Some(now.clone()),
            };
            Some((metric, grown.filter(is_sound)?))
        });
        Ok(Self { counters: counters.collect(), histograms: histograms.collect() })
    }

    /// One counter's growth ÷ another's.
    pub(super) fn share(&self, part: Counter, whole: Counter) -> Option<f64> {
        let (part, whole) = (self.counters.get(&part)?, self.counters.get(&whole)?);
        (*whole > 0.0).then(|| part / whole)
    }

    /// What each histogram that has new values says.
    pub(super) fn times(&self) -> BTreeMap<Metric, ServerTime> {
        self.histograms.iter().filter_map(|(&metric, grown)| Some((metric, time(grown)?))).collect()
    }
}

/// The mean and the median of a histogram; `None` without values.
fn time(histogram: &Histogram) -> Option<ServerTime> {
    let n = histogram.count;
    (n > 0).then(|| ServerTime { n, mean: histogram.sum / n as f64, p50: median(histogram) })
}

/// The median, by linear interpolation in its bucket, as Prometheus' `histogram_quantile` does. Absent where it lies
/// in the first bucket (Prometheus gives a share of its bound) or beyond the last bound (Prometheus gives that): the
/// one says only that it is below a bound, the other that it is above.
fn median(histogram: &Histogram) -> Option<f64> {
    let (at, bucket) = median_bucket(histogram)?;
    let below = histogram.counts[at.checked_sub(1)?];
    let inside = histogram.counts[at] - below;
    let rank = histogram.count as f64 / 2.0 - below as f64;
    Some(bucket.low + (bucket.high - bucket.low) * rank / inside as f64)
}

/// The bucket of the median and its number.
pub(super) fn median_bucket(histogram: &Histogram) -> Option<(usize, Bucket)> {
    let rank = histogram.count as f64 / 2.0;
    let at = histogram.counts.iter().position(|&count| count > 0 && count as f64 >= rank)?;
    let low = at.checked_sub(1).map_or(0.0, |before| histogram.bounds[before]);
    Some((at, Bucket { low, high: histogram.bounds[at] }))
}

/// Whether anything that only grows is less in the later reading.
fn fell(one: &ServerSample, next: &ServerSample) -> bool {
    let counters = one.counters.iter().any(|(counter, then)| next.counters.get(counter).is_some_and(|now| now < then));
    let less =
        |(metric, then): (&Metric, &Histogram)| next.histograms.get(metric).is_some_and(|now| now.count < then.count);
    counters || one.histograms.iter().any(less)
}

/// What was added from one reading of a histogram to the next; `None` where the two do not fit together.
fn difference(then: &Histogram, now: &Histogram) -> Option<Histogram> {
    if then.bounds != now.bounds {
        return None;
    }
    let counts: Option<Vec<u64>> =
        now.counts.iter().zip(&then.counts).map(|(now, then)| now.checked_sub(*then)).collect();
    let (counts, count) = (counts?, now.count.checked_sub(then.count)?);
    Some(Histogram { bounds: now.bounds.clone(), counts, count, sum: (now.sum - then.sum).max(0.0) })
}

/// Whether it is a histogram at all: a run may come from anywhere.
fn is_sound(histogram: &Histogram) -> bool {
    let Histogram { bounds, counts, count, .. } = histogram;
    bounds.len() == counts.len() && counts.is_sorted() && counts.last().is_none_or(|last| last <= count)
}
