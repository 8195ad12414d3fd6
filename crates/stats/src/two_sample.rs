//! Tests of two samples against each other, and the correction for making many of them. The values of
//! each sample are taken as independent.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::erf::erfc;
use statrs::function::factorial::ln_binomial;

/// Degrees of freedom beyond which Student's t is taken through its normal deviate.
const MANY_FREEDOMS: f64 = 1_000.0;

/// Two-sided p-value of a normal deviate.
fn both_tails(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2).min(1.0)
}

/// What the Mann–Whitney test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Share of pairs (one of each sample) in which the first sample's value is the larger, ties counting
    /// half: U ÷ (n₁ n₂), 0 to 1. `NaN` without values.
    pub first_larger: f64,
    /// Two-sided p-value, 0 to 1.
    pub p: f64,
}

/// Mann–Whitney U of two samples, each sorted ascending: by the normal approximation, with tie and
/// continuity correction (H. B. Mann & D. R. Whitney, *Annals of Mathematical Statistics* 18, 1947,
/// 50–60; ties as in Hollander, Wolfe & Chicken, *Nonparametric Statistical Methods*, 2014, 4.1), which is
/// SciPy's `mannwhitneyu(method="asymptotic")`. It tells whether one tends to be larger, of which a
/// difference of medians is a consequence only when both are spread alike. p is one when a sample is
/// empty or all values are equal.
pub fn mann_whitney(first: &[f64], second: &[f64]) -> MannWhitney {
    let (wins, ties) = count_wins(first, second);
    let (n1, n2) = (first.len() as f64, second.len() as f64);
    let all = n1 + n2;
    let variance = n1 * n2 / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)));
    let excess = ((wins - n1 * n2 / 2.0).abs() - 0.5).max(0.0);
    let p = if variance > 0.0 { both_tails(excess / variance.sqrt()) } else { 1.0 };
    MannWhitney { first_larger: wins / (n1 * n2), p }
}

/// U of the first sample, and the sum of t³ − t over groups of t equal values.
fn count_wins(first: &[f64], second: &[f64]) -> (f64, f64) {
    let (mut wins, mut ties) = (0.0, 0.0);
    let (mut i, mut j) = (0, 0);
    let smaller = |a: f64, b: f64| if a.total_cmp(&b).is_le() { a } else { b };
    while let Some(value) = first.get(i).into_iter().chain(second.get(j)).copied().reduce(smaller) {
        let here = run_of(&first[i..], value);
        let there = run_of(&second[j..], value);
        // Those of the first beat all of the second that came before, and share the ties.
        wins += here as f64 * (j as f64 + there as f64 / 2.0);
        let equals = (here + there) as f64;
        ties += equals.powi(3) - equals;
        i += here;
        j += there;
    }
    (wins, ties)
}

/// How many of the next sorted values are `value`; one at least where the next one is.
fn run_of(sorted: &[f64], value: f64) -> usize {
    sorted.iter().take_while(|x| x.total_cmp(&value).is_eq()).count()
}

/// A mean, or a ratio of sums, with what is known of its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom behind the standard error.
    pub freedom: f64,
}

/// Two-sided p-value of Welch's t of two means (B. L. Welch, *Biometrika* 34, 1947, 28–35), its degrees of
/// freedom after Satterthwaite. Without any error, means either are equal (1) or differ (0).
pub fn welch(first: Mean, second: Mean) -> f64 {
    let (v1, v2) = (first.error.powi(2), second.error.powi(2));
    let difference = (first.value - second.value).abs();
    if v1 + v2 == 0.0 {
        return if difference == 0.0 { 1.0 } else { 0.0 };
    }
    let freedom = (v1 + v2).powi(2) / (v1.powi(2) / first.freedom + v2.powi(2) / second.freedom);
    student_both_tails(difference / (v1 + v2).sqrt(), freedom)
}

/// Two-sided p-value of Student's t; beyond a thousand degrees of freedom through the normal deviate of
/// Wallace (Abramowitz & Stegun 26.7.8), where the exact continued fraction no longer settles.
fn student_both_tails(t: f64, freedom: f64) -> f64 {
    if freedom > MANY_FREEDOMS {
        let z = t * (1.0 - 1.0 / (4.0 * freedom)) / (1.0 + t * t / (2.0 * freedom)).sqrt();
        return both_tails(z);
    }
    let student = StudentsT::new(0.0, 1.0, freedom.max(1.0)).expect("one degree of freedom at least");
    (2.0 * student.sf(t)).min(1.0)
}

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

/// Holm's step-down correction (S. Holm, *Scandinavian Journal of Statistics* 6, 1979, 65–70): p-values
/// that may be read as if each were the only one, in the order given.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0f64;
    for (rank, &place) in order.iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max((p_values[place] * left).min(1.0));
        adjusted[place] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests;
