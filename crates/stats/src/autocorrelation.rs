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
    let n = values.len() as f64;
    if values.windows(2).all(|pair| pair[0].total_cmp(&pair[1]).is_eq()) {
        return n;
    }
    let mean = moments::mean(values);
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    // The means of neighbours have the same mean, and its variance is all that is sought.
    let coarse = values.len().div_ceil(MOST);
    let departures: Vec<f64> = values.chunks_exact(coarse).map(|some| moments::mean(some) - mean).collect();
    (variance * departures.len() as f64 / long_run_variance(&departures)).clamp(1.0, n)
}

/// The variance of the mean of `departures` times their number: −γ₀ + 2 · Σ Γₘ. At least γ₀ ÷ n.
fn long_run_variance(departures: &[f64]) -> f64 {
    let pairs =
        (0..departures.len()).step_by(2).map(|lag| covariance(departures, lag) + covariance(departures, lag + 1));
    let positive = pairs.take_while(|pair| *pair > 0.0);
    let monotone = positive.scan(f64::INFINITY, |least, pair| {
        *least = least.min(pair);
        Some(*least)
    });
    let own = covariance(departures, 0);
    (2.0 * monotone.sum::<f64>() - own).max(own / departures.len() as f64)
}

/// The autocovariance at a lag, divided by n at each, which keeps the sequence positive definite.
fn covariance(departures: &[f64], lag: usize) -> f64 {
    let later = departures.get(lag..).unwrap_or_default();
    departures.iter().zip(later).map(|(one, other)| one * other).sum::<f64>() / departures.len() as f64
}

#[cfg(test)]
mod tests;
