//! 95 % intervals of values that are independent of each other: one a request, or one a block.
//! Requests of one run share its minutes, so these speak for the conditions of the run and not for
//! another day.

use schema::summary::{Estimate, Percentile};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::moments;
use crate::quantile::quantile;

/// Probability left out on each side of a two-sided 95 % interval.
pub(crate) const TAIL: f64 = 0.025;

/// Upper 2.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Degrees of freedom from which Student's t is taken from its expansion around the normal
/// distribution, whose error is then below 1e-12.
const MANY_FREEDOMS: f64 = 1_000.0;

/// Upper 2.5 % point of Student's t with `freedom` degrees of freedom (at least one).
///
/// Beyond a thousand by the Cornish–Fisher expansion (Abramowitz & Stegun 26.7.5), where the
/// continued fraction behind the exact one no longer settles.
pub(crate) fn t_point(freedom: f64) -> f64 {
    if freedom <= MANY_FREEDOMS {
        let t = StudentsT::new(0.0, 1.0, freedom.max(1.0)).expect("one degree of freedom at least");
        return t.inverse_cdf(1.0 - TAIL);
    }
    let z2 = Z * Z;
    let g1 = (z2 + 1.0) * Z / 4.0;
    let g2 = ((5.0 * z2 + 16.0) * z2 + 3.0) * Z / 96.0;
    let g3 = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) * Z / 384.0;
    Z + g1 / freedom + g2 / freedom.powi(2) + g3 / freedom.powi(3)
}

/// `value` ± `t` standard errors; without an interval when `error` is not a number.
pub(crate) fn around(value: f64, margin: f64) -> Estimate {
    let end = |x: f64| x.is_finite().then_some(x);
    Estimate { value, low: end(value - margin), high: end(value + margin) }
}

/// The mean with its Student-t interval, mean ± t(n − 1) · s/√n. Below two values: no interval.
/// Exact for normal values; by the central limit theorem near enough for others from some 30 values
/// on, and too narrow on the long side for fewer of a skewed kind: read the median there.
pub fn mean(values: &[f64]) -> Estimate {
    let n = values.len() as f64;
    let error = moments::sd(values).map_or(f64::NAN, |sd| sd / n.sqrt());
    around(moments::mean(values), if values.len() < 2 { f64::NAN } else { t_point(n - 1.0) * error })
}

/// The ratio of two sums over `pairs` of (numerator, denominator), such as requests over seconds of
/// each block: ratio ± t(k − 1) · its linearised standard error, √(k/(k − 1) · Σ(y − r·x)²) / Σx
/// (Cochran, *Sampling Techniques*, 1977, 6.4). Below three pairs: no interval.
pub fn ratio(pairs: &[(f64, f64)]) -> Estimate {
    let (above, below) = pairs.iter().fold((0.0, 0.0), |(y, x), pair| (y + pair.0, x + pair.1));
    let value = above / below;
    if pairs.len() < 3 {
        return around(value, f64::NAN);
    }
    let k = pairs.len() as f64;
    let squares: f64 = pairs.iter().map(|(y, x)| (y - value * x).powi(2)).sum();
    around(value, t_point(k - 1.0) * (k / (k - 1.0) * squares).sqrt() / below)
}

/// The standard deviation with Bonett's interval for values that need not be normal: on the
/// logarithmic scale, with a kurtosis taken about a trimmed mean (D. G. Bonett, *Computational
/// Statistics & Data Analysis* 50, 2006, 775–782). `sorted` ascending. No interval below six values
/// or when all are alike; absent below two.
pub fn sd(sorted: &[f64]) -> Option<Estimate> {
    let sd = moments::sd(sorted)?;
    let n = sorted.len() as f64;
    if sorted.len() < 6 || sd == 0.0 {
        return Some(Estimate { value: sd, low: None, high: None });
    }
    let centre = moments::trimmed_mean(sorted, 1.0 / (2.0 * (n - 4.0).sqrt()));
    let fourth: f64 = sorted.iter().map(|x| (x - centre).powi(4)).sum();
    let kurtosis = n * fourth / (sd.powi(2) * (n - 1.0)).powi(2);
    let correction = n / (n - Z);
    let error = correction * ((kurtosis - (n - 3.0) / n).max(0.0) / (n - 1.0)).sqrt();
    let end = |sign: f64| Some(sd * (0.5 * (correction.ln() + sign * Z * error)).exp());
    Some(Estimate { value: sd, low: end(-1.0), high: end(1.0) })
}

/// How many independent values a percentile at `q` needs before a two-sided 95 % interval without
/// assumptions exists: the least n with qⁿ ≤ 2.5 % and (1 − q)ⁿ ≤ 2.5 %. 6 at p50, 36 at p90, 72 at
/// p95, 368 at p99.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
pub fn values_needed(q: f64) -> u64 {
    values_needed_beyond(q, TAIL) as u64
}

/// As [`values_needed`], with `tail` left out on each side.
pub(crate) fn values_needed_beyond(q: f64, tail: f64) -> f64 {
    (tail.ln() / q.max(1.0 - q).ln()).ceil()
}

/// Ranks, from 1, of the order statistics that bound the quantile `q` of `n` independent values
/// with at least 95 % confidence, at most 2.5 % on each side: the largest l with P(B < l) ≤ 2.5 % and
/// the smallest u with P(B ≥ u) ≤ 2.5 %, for B binomial (n, q). A side that the sample cannot give is
/// absent. Hahn & Meeker, *Statistical Intervals* (1991), 5.2: no assumption on the distribution.
pub fn ranks(n: u64, q: f64) -> (Option<u64>, Option<u64>) {
    ranks_beyond(n, q, TAIL)
}

/// As [`ranks`], with at most `tail` on each side.
pub(crate) fn ranks_beyond(n: u64, q: f64, tail: f64) -> (Option<u64>, Option<u64>) {
    let Binomial { first, weights } = Binomial::around_mean(n, q);
    let (mut low, mut high, mut below) = (None, None, 0.0);
    for (rank, weight) in (first..).zip(&weights) {
        // `below` is P(B < rank).
        if below <= tail && rank >= 1 {
            low = Some(rank);
        }
        if 1.0 - below <= tail {
            high = high.or(Some(rank));
        }
        below += weight;
    }
    (low, high)
}

/// Binomial probabilities of `first`, `first` + 1, …: all within ten standard deviations of the mean,
/// the rest being nil. By the ratio of neighbours from the most likely count outwards, normalised
/// to one: no gamma function, exact to rounding however large `n` is.
struct Binomial {
    first: u64,
    weights: Vec<f64>,
}

impl Binomial {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to n")]
    fn around_mean(n: u64, q: f64) -> Self {
        let (mean, reach) = (n as f64 * q, 10.0 * (n as f64 * q * (1.0 - q)).sqrt() + 10.0);
        let first = (mean - reach).max(0.0) as u64;
        let last = ((mean + reach) as u64).min(n);
        let peak = (mean as u64).clamp(first, last);
        let odds = q / (1.0 - q);
        let mut weights = vec![1.0; (last - first + 1) as usize];
        let at = |k: u64| (k - first) as usize;
        for k in peak..last {
            weights[at(k + 1)] = weights[at(k)] * odds * (n - k) as f64 / (k + 1) as f64;
        }
        for k in (first..peak).rev() {
            weights[at(k)] = weights[at(k + 1)] / odds * (k + 1) as f64 / (n - k) as f64;
        }
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        Self { first, weights }
    }
}

/// The quantile `q` of independent values with its distribution-free interval, or how many more
/// values it takes. `sorted` ascending.
pub fn percentile(sorted: &[f64], q: f64) -> Percentile {
    let n = sorted.len() as u64;
    match ranks(n, q) {
        (Some(low), Some(high)) => Percentile::Known(Estimate {
            value: quantile(sorted, q),
            low: Some(sorted[index(low)]),
            high: Some(sorted[index(high)]),
        }),
        _ => Percentile::Withheld { needs_more: values_needed(q).saturating_sub(n).max(1) },
    }
}

/// The order statistics that bound the quantile `q`, with at most `tail` on each side, as [`ranks`]; an
/// end that the sample cannot give is absent. `sorted` ascending.
pub(crate) fn order_statistics(sorted: &[f64], q: f64, tail: f64) -> (Option<f64>, Option<f64>) {
    let (low, high) = ranks_beyond(sorted.len() as u64, q, tail);
    let at = |rank: u64| sorted.get(index(rank)).copied();
    (low.and_then(at), high.and_then(at))
}

/// Rank, from 1, to index.
#[expect(clippy::cast_possible_truncation, reason = "a rank within a slice")]
fn index(rank: u64) -> usize {
    (rank - 1) as usize
}

/// Wilson's 95 % interval of the proportion `hits` of `n` (E. B. Wilson, *JASA* 22, 1927, 209–212);
/// 0 to 1 when `n` is zero.
pub fn wilson(hits: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    wilson_at(hits as f64 / n as f64, n as f64, Z)
}

/// As [`wilson`], of a share of `n` independent trials, which need not be whole, at the normal point `z`.
pub(crate) fn wilson_at(share: f64, n: f64, z: f64) -> (f64, f64) {
    let z2 = z * z;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends both parts are equal but for rounding.
    let low = if share > 0.0 { (centre - half).max(0.0) } else { 0.0 };
    let high = if share < 1.0 { (centre + half).min(1.0) } else { 1.0 };
    (low, high)
}

/// How many trials in all would tell a true proportion `p` from `bound`, by the normal
/// approximation; absent when they are too close for a million.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below a million")]
pub(crate) fn trials_to_tell(p: f64, bound: f64) -> Option<u64> {
    let needed = (Z / (p - bound)).powi(2) * bound * (1.0 - bound);
    (needed < 1e6).then_some(needed.ceil() as u64)
}

#[cfg(test)]
mod tests;
