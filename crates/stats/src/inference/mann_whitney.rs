//! Whether one sample tends to be larger than another.

use super::tails::both_tails;

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
    let smaller = |a: f64, b: f64| if a <= b { a } else { b };
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
    sorted.iter().take_while(|x| **x <= value).count()
}
