//! Whether two samples are of one shape.

use super::order::ascending;

/// Pairs of places up to which every order of the values is counted.
const EXACT: usize = 1_000_000;

/// Two-sample Kolmogorov–Smirnov: the largest distance D between the two empirical distributions, and its two-sided
/// p-value. Values are taken as independent. (0, 1) when a sample is empty.
///
/// Up to a million pairs by counting all orders in which the values could have come, with T. Viehmann's recursion
/// (arXiv:2102.08037, 2021), which is SciPy's `ks_2samp(method="exact")`; beyond by Kolmogorov's limit distribution
/// (`kstwobign`). With ties p is an upper bound.
pub fn kolmogorov_smirnov(first: &[f64], second: &[f64]) -> (f64, f64) {
    if first.is_empty() || second.is_empty() {
        return (0.0, 1.0);
    }
    let (n, m) = (first.len(), second.len());
    let furthest = furthest(&ascending(first), &ascending(second));
    let d = furthest as f64 / (n as f64 * m as f64);
    let p = if n.saturating_mul(m) <= EXACT { exact(n, m, furthest) } else { limit(n, m, d) };
    (d, p)
}

/// D · n · m, a whole number.
fn furthest(first: &[f64], second: &[f64]) -> u128 {
    let (mut i, mut j, mut furthest) = (0, 0, 0);
    while let (Some(a), Some(b)) = (first.get(i), second.get(j)) {
        let value = a.min(*b);
        i += first[i..].iter().take_while(|x| **x <= value).count();
        j += second[j..].iter().take_while(|x| **x <= value).count();
        furthest = furthest.max(apart(i, j, first.len(), second.len()));
    }
    furthest
}

/// |i/n − j/m| · n · m.
const fn apart(i: usize, j: usize, n: usize, m: usize) -> u128 {
    (i as u128 * m as u128).abs_diff(j as u128 * n as u128)
}

/// Probability that a random path from (0, 0) to (n, m) is somewhere as far apart.
fn exact(n: usize, m: usize, furthest: u128) -> f64 {
    let mut left = vec![0.0_f64; m + 1];
    for i in 0..=n {
        for j in 0..=m {
            left[j] = if apart(i, j, n, m) >= furthest {
                1.0
            } else {
                let (from_i, from_j) = (if i > 0 { left[j] } else { 0.0 }, if j > 0 { left[j - 1] } else { 0.0 });
                if i + j == 0 { 0.0 } else { (i as f64 * from_i + j as f64 * from_j) / (i + j) as f64 }
            };
        }
    }
    left[m]
}

/// 2 Σ (−1)^(k−1) exp(−2 k² λ²) with λ = D √(nm/(n + m)), or its theta-function twin for small λ.
fn limit(n: usize, m: usize, d: f64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let lambda = d * (n * m / (n + m)).sqrt();
    if lambda < 0.4 {
        return 1.0 - small(lambda);
    }
    let term = |k: i32| f64::from(1 - 2 * ((k - 1) % 2)) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (2.0 * (1..=20).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// √(2π)/λ · Σ exp(−(2k − 1)² π²/(8 λ²)).
fn small(lambda: f64) -> f64 {
    use std::f64::consts::PI;
    if lambda <= 0.0 {
        return 0.0;
    }
    let term = |k: i32| (-(f64::from(2 * k - 1) * PI).powi(2) / (8.0 * lambda * lambda)).exp();
    (2.0 * PI).sqrt() / lambda * (1..=4).map(term).sum::<f64>()
}
