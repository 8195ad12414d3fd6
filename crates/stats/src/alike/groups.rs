//! TTFT in two groups, as a prefix cache makes of it.
//!
//! Logarithms of TTFT are cut in two where the squares within are least (2-means, exact in one dimension). There are
//! two groups when
//!
//! - Ashman's D = √2 |μ₁ − μ₂| ÷ √(σ₁² + σ₂²) (K. M. Ashman, C. M. Bird & S. E. Zepf, *Astronomical Journal* 108, 1994,
//!   2348–2361) is at least 3: their bound of 2 holds for fitted mixtures, and a cut makes 2.65 of a single normal one;
//! - in the middle third between the groups' medians lie fewer values than chance would leave there, one time in five
//!   hundred, of a hump that has 15 % of its values there, which is less than that of a flat one (so from 39 on);
//! - the smaller has a tenth of the values and five at least, and the slower median is 1.5 times the faster: less is
//!   no cache.

use schema::alike::{Aspect, Severity, Unlike};
use schema::metric::Metric;
use schema::record::Record;
use schema::units::Nanos;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::came::cached_share;
use super::{Compared, listed, percent, told};
use crate::inference::{Share, fisher};
use crate::metric_values;
use crate::moments::{mean, sd};
use crate::quantile::quantile;

/// Below so many values no groups are looked for.
const FEWEST: usize = 39;

/// What tells two groups from one.
const LEAST_D: f64 = 3.0;
const FLAT_VALLEY: f64 = 0.15;
const VALLEY_P: f64 = 0.002;
const SMALLEST_GROUP: f64 = 0.1;
const LEAST_RATIO: f64 = 1.5;

/// A relation to the groups is told from this difference of shares on, at this p.
const RELATED: f64 = 0.3;
const RELATED_P: f64 = 0.01;

/// Two groups of TTFT.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Groups {
    /// The fast ones' share of all.
    pub(super) fast: f64,
    /// Median of the fast ones, nanoseconds.
    pub(super) fast_median: f64,
    /// Median of the slow ones.
    pub(super) slow_median: f64,
    /// Where they are cut.
    pub(super) cut: f64,
    /// Ashman's D; infinite when neither group is spread.
    pub(super) d: f64,
}

/// The groups of `values`, which are above zero; `None` when they are one.
pub(super) fn groups(values: &[f64]) -> Option<Groups> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|&x| x > 0.0).map(f64::ln).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    if n < FEWEST {
        return None;
    }
    let (low, high) = sorted.split_at(cut(&sorted));
    let smaller = low.len().min(high.len());
    let medians = [quantile(low, 0.5), quantile(high, 0.5)];
    let spread = (sd(low)?.powi(2) + sd(high)?.powi(2)).sqrt();
    let d = std::f64::consts::SQRT_2 * (mean(high) - mean(low)) / spread;
    let third = (medians[1] - medians[0]) / 3.0;
    let valley = sorted.iter().filter(|&&x| x > medians[0] + third && x < medians[1] - third).count();
    let two = d >= LEAST_D
        && at_most(valley, n) <= VALLEY_P
        && smaller >= 5
        && smaller as f64 >= SMALLEST_GROUP * n as f64
        && medians[1] - medians[0] >= LEAST_RATIO.ln();
    two.then(|| Groups {
        fast: low.len() as f64 / n as f64,
        fast_median: medians[0].exp(),
        slow_median: medians[1].exp(),
        cut: f64::midpoint(low[low.len() - 1], high[0]).exp(),
        d,
    })
}

/// Probability that at most `hits` of `n` values lie in the valley of a flat hump.
fn at_most(hits: usize, n: usize) -> f64 {
    let flat = Binomial::new(FLAT_VALLEY, n as u64).expect("a share between 0 and 1");
    flat.cdf(hits as u64)
}

/// How many of the sorted values are in the lower of two groups, so that the squares within are least: where
/// n₁ n₂ (μ₁ − μ₂)² is largest.
fn cut(sorted: &[f64]) -> usize {
    let (n, sum) = (sorted.len() as f64, sorted.iter().sum::<f64>());
    let (mut best, mut at, mut below) = (f64::NEG_INFINITY, 1, 0.0);
    for (i, value) in sorted.iter().enumerate().take(sorted.len() - 1) {
        below += value;
        let k = (i + 1) as f64;
        let between = k * (n - k) * (below / k - (sum - below) / (n - k)).powi(2);
        if between > best {
            (best, at) = (between, i + 1);
        }
    }
    at
}

/// One sentence for each that has two groups.
pub(super) fn unlike(compared: &[Compared<'_>]) -> Vec<Unlike> {
    let found: Vec<(&Compared<'_>, Option<Groups>)> =
        compared.iter().map(|one| (one, groups(&one.values(ttft)))).collect();
    let others: Vec<&str> =
        found.iter().filter(|(_, groups)| groups.is_none()).map(|(one, _)| one.label.as_str()).collect();
    let severity = if others.is_empty() { Severity::Note } else { Severity::Caution };
    let unlike = found.iter().filter_map(|(one, groups)| {
        let groups = groups.as_ref()?;
        let mut detail = format!(
            "the TTFT of {} falls into two groups, {} around {} and {} around {}; {}",
            one.label,
            percent(groups.fast),
            time(groups.fast_median),
            percent(1.0 - groups.fast),
            time(groups.slow_median),
            relation(one, groups)
        );
        if !others.is_empty() {
            detail = format!("{detail}; that of {} does not: compare percentiles with care", listed(&others));
        }
        Some(told(severity, Aspect::Bimodality, detail))
    });
    unlike.collect()
}

fn ttft(record: &Record) -> Option<f64> {
    metric_values(record, Metric::Ttft).next()
}

fn time(nanos: f64) -> Nanos {
    Nanos::from_secs_f64(nanos / 1e9)
}

/// What the groups have to do with caches.
fn relation(one: &Compared<'_>, groups: &Groups) -> String {
    by_cached_tokens(one, groups)
        .or_else(|| by_repeats(one, groups))
        .unwrap_or_else(|| "nothing that was recorded tells why".to_owned())
}

/// Requests of the fast and of the slow group that are a hit, of those of whom that is known.
fn shares(one: &Compared<'_>, groups: &Groups, mut hit: impl FnMut(&Record) -> Option<bool>) -> [Share; 2] {
    let mut shares = [Share { hits: 0, of: 0 }; 2];
    let mut requests: Vec<&Record> = one.completed().collect();
    requests.sort_by_key(|record| record.start_ns);
    for record in requests {
        let (Some(ttft), Some(hit)) = (ttft(record), hit(record)) else { continue };
        let share = &mut shares[usize::from(ttft > groups.cut)];
        share.of += 1;
        share.hits += u64::from(hit);
    }
    shares
}

/// The shares of a hit among the fast and the slow, where the fast have it for certain.
fn related(shares: [Share; 2]) -> Option<[f64; 2]> {
    let [fast, slow] = shares.map(|share| share.hits as f64 / share.of.max(1) as f64);
    (fast - slow >= RELATED && fisher(shares[0], shares[1]) <= RELATED_P).then_some([fast, slow])
}

fn by_cached_tokens(one: &Compared<'_>, groups: &Groups) -> Option<String> {
    let mostly_cached = |record: &Record| cached_share(record).map(|share| share >= 0.5);
    let [fast, slow] = related(shares(one, groups, mostly_cached))?;
    Some(format!(
        "{} of the fast ones had half of their prompt or more in a cache, {} of the slow",
        percent(fast),
        percent(slow)
    ))
}

/// A prompt that was asked before is what a prefix cache knows, whether the server tells of it or not.
fn by_repeats(one: &Compared<'_>, groups: &Groups) -> Option<String> {
    let mut asked = std::collections::BTreeSet::new();
    let [fast, slow] = related(shares(one, groups, |record| Some(!asked.insert(record.prompt))))?;
    Some(format!(
        "{} of the fast ones repeat a prompt, {} of the slow: a prefix cache, though the server tells of none",
        percent(fast),
        percent(slow)
    ))
}
