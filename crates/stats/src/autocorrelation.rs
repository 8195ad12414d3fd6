//! How many independent values a series in order of time is worth.

use crate::moments;

/// Values beyond which neighbours are averaged before lags are looked at, so that a series that never turns costs no
/// more than this squared.
const MOST: usize = 4_096;

/// How many independent values would give a mean as precise as that of `values`, which are at equal distances in order
/// of time: n · γ₀ ÷ (−γ₀ + 2 · Σ Γₘ), with Γₘ = γ₂ₘ + γ₂ₘ₊₁ the sums of neighbouring autocovariances, summed while
/// positive and none taken larger than the one before (the initial monotone sequence of C. J. Geyer, *Statistical
/// Science* 7, 1992, 473–483, 3.3).
///
/// At least 1 and at most n: values that alternate are not credited with more. Values that are all alike tell nothing
/// of how they depend on each other, and count fully. 0 for none.
pub fn effective_size(values: &[f64]) -> f64 {
    effective_size_of(&[values])
}

/// As [`effective_size`], of several series that are far apart: none of them leans on another, but what they differ by
/// as a whole counts against them, as they depart from the mean of all.
pub(crate) fn effective_size_of(series: &[&[f64]]) -> f64 {
    let n = series.iter().map(|values| values.len()).sum::<usize>();
    let mut all = series.iter().copied().flatten();
    let first = all.next();
    if first.is_none_or(|first| all.all(|x| x.total_cmp(first).is_eq())) {
        return n as f64;
    }
    let mean = series.iter().copied().flatten().sum::<f64>() / n as f64;
    let variance = series.iter().copied().flatten().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
    // The means of neighbours have the same mean, and its variance is all that is sought.
    let coarse = n.div_ceil(MOST);
    let departures = |values: &&[f64]| values.chunks_exact(coarse).map(|some| moments::mean(some) - mean).collect();
    let departures: Vec<Vec<f64>> = series.iter().map(departures).collect();
    let means = departures.iter().map(Vec::len).sum::<usize>() as f64;
    (variance * means / long_run_variance(&departures, means)).clamp(1.0, n as f64)
}

/// The variance of the mean of `departures`, of which there are `n`, times their number: −γ₀ + 2 · Σ Γₘ. At least
/// γ₀ ÷ n.
fn long_run_variance(departures: &[Vec<f64>], n: f64) -> f64 {
    let longest = departures.iter().map(Vec::len).max().unwrap_or(0);
    // Divided by n at each lag, which keeps the sequence positive definite.
    let covariance = |lag| departures.iter().map(|one| products(one, lag)).sum::<f64>() / n;
    let pairs = (0..longest).step_by(2).map(|lag| covariance(lag) + covariance(lag + 1));
    let monotone = pairs.take_while(|pair| *pair > 0.0).scan(f64::INFINITY, |least, pair| {
        *least = least.min(pair);
        Some(*least)
    });
    let own = covariance(0);
    (2.0 * monotone.sum::<f64>() - own).max(own / n)
}

fn products(departures: &[f64], lag: usize) -> f64 {
    let later = departures.get(lag..).unwrap_or_default();
    departures.iter().zip(later).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests;
