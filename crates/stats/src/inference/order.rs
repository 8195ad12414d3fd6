//! Values by size. Zero has no sign here.

use crate::quantile::quantile;
use crate::radix;

/// The same values, ascending.
pub(super) fn ascending(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().map(|x| x + 0.0).collect();
    radix::sort_by_key(&mut sorted, radix::bits);
    sorted
}

/// The middle one, or half way between the middle two.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(&ascending(values), 0.5)
}

/// Σ t(t − 1)(2t + 5) over groups of t equal values: what they take from the variance of Kendall's S, times 18.
pub(super) fn ties(values: &[f64]) -> f64 {
    let sorted = ascending(values);
    let groups = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq());
    groups.map(|equals| untied(equals.len() as f64)).sum()
}

/// n(n − 1)(2n + 5): the variance of Kendall's S of unlike values, times 18.
pub(super) fn untied(n: f64) -> f64 {
    n * (n - 1.0) * (2.0 * n + 5.0)
}

/// Ranks from 1; equal values share the mean of theirs.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equals in radix::with_places(values.iter().map(|x| x + 0.0)).chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let shared = before as f64 + f64::midpoint(equals.len() as f64, 1.0);
        for (_, place) in equals {
            ranks[*place as usize] = shared;
        }
        before += equals.len();
    }
    ranks
}
