//! Two shares.

use statrs::function::factorial::ln_binomial;

/// Hits of so many trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Hits, at most `of`.
    pub hits: u64,
    /// Trials.
    pub of: u64,
}

/// Two-sided p-value of Fisher's exact test of two shares (R. A. Fisher, *Statistical Methods for Research
/// Workers*, 1934, 21.02): all tables with the same sums that are no likelier than this one.
pub fn fisher(first: Share, second: Share) -> f64 {
    let missed_of = |share: Share| share.of.saturating_sub(share.hits);
    let missed_first = missed_of(first);
    let missed = missed_first + missed_of(second);
    let all = ln_binomial(first.of + second.of, missed);
    let weight = |k: u64| (ln_binomial(first.of, k) + ln_binomial(second.of, missed - k) - all).exp();
    let seen = weight(missed_first);
    let possible = missed.saturating_sub(second.of)..=missed.min(first.of);
    possible.map(weight).filter(|&w| w <= seen * (1.0 + 1e-7)).sum::<f64>().min(1.0)
}
