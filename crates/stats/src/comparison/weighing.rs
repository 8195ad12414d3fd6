//! Who comes first under which weights.
//!
//! A target's score is a weighted sum of its badness by dimension, so each target wins a convex part of all weightings.

use std::collections::BTreeMap;

/// About so many weightings are looked at.
const WEIGHTINGS: usize = 20_000;

/// The share of all ways to weigh `dimensions` under which each row of `badness` (a target's, by dimension) is least.
/// Exact but for the grid: all weights in steps of one size, none of them nil, spread evenly over the simplex.
pub(crate) fn support(badness: &[Vec<f64>], dimensions: usize) -> Vec<f64> {
    let steps = steps(dimensions);
    let mut wins = vec![0_u64; badness.len()];
    let mut all = 0_u64;
    each_weighting(dimensions, steps, &mut |counts| {
        // Each cell's middle.
        let share = 1.0 / dimensions as f64;
        let weights: Vec<f64> = counts.iter().map(|&k| (k as f64 + share) / (steps as f64 + 1.0)).collect();
        if let Some(first) = first(badness, &weights) {
            wins[first] += 1;
            all += 1;
        }
    });
    wins.into_iter().map(|won| won as f64 / all.max(1) as f64).collect()
}

/// Which row has the least weighted sum; the first of equals.
pub(crate) fn first(badness: &[Vec<f64>], weights: &[f64]) -> Option<usize> {
    let sum = |row: &[f64]| row.iter().zip(weights).map(|(bad, weight)| bad * weight).sum::<f64>();
    (0..badness.len()).min_by(|&a, &b| sum(&badness[a]).total_cmp(&sum(&badness[b])))
}

/// Steps into which each weight is divided, so that there are about as many weightings as wanted.
fn steps(dimensions: usize) -> usize {
    let weightings = |steps: usize| (1..dimensions).fold(1.0, |ways, d| ways * (steps + d) as f64 / d as f64);
    (1..WEIGHTINGS).take_while(|&steps| weightings(steps) <= WEIGHTINGS as f64).last().unwrap_or(1)
}

/// All ways to divide `steps` among `dimensions`.
fn each_weighting(dimensions: usize, steps: usize, see: &mut impl FnMut(&[usize])) {
    fn go(counts: &mut Vec<usize>, missing: usize, left: usize, see: &mut impl FnMut(&[usize])) {
        if missing <= 1 {
            counts.push(left);
            see(counts);
            counts.pop();
            return;
        }
        for own in 0..=left {
            counts.push(own);
            go(counts, missing - 1, left - own, see);
            counts.pop();
        }
    }
    if dimensions > 0 {
        go(&mut Vec::with_capacity(dimensions), dimensions, steps, see);
    }
}

/// The weights nearest to `weights` under which another row is as good as the `winner`, and which: for each rival the
/// point of the simplex nearest to them where both sums are alike. `None` where the winner is the same under all.
pub(crate) fn turning(badness: &[Vec<f64>], weights: &[f64], winner: usize) -> Option<(usize, Vec<f64>)> {
    let rivals = (0..badness.len()).filter(|&rival| rival != winner);
    let nearest = rivals.filter_map(|rival| {
        let lead: Vec<f64> = badness[rival].iter().zip(&badness[winner]).map(|(theirs, ours)| theirs - ours).collect();
        let point = nearest_level(&lead, weights)?;
        Some((distance(&point, weights), rival, point))
    });
    nearest.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, rival, point)| (rival, point))
}

fn distance(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The nearest weights that add up to one, none below zero, with `lead` · w = 0: the nearest of those over each choice
/// of dimensions that weigh anything (five dimensions have 31), each by Lagrange's multipliers.
fn nearest_level(lead: &[f64], weights: &[f64]) -> Option<Vec<f64>> {
    let choices = 1_u32..1 << lead.len();
    let points = choices.filter_map(|choice| on_choice(lead, weights, choice));
    points.min_by(|a, b| distance(a, weights).total_cmp(&distance(b, weights)))
}

/// w = weights + λ + μ · lead on the chosen dimensions, nil on the others.
fn on_choice(lead: &[f64], weights: &[f64], choice: u32) -> Option<Vec<f64>> {
    let chosen: Vec<usize> = (0..lead.len()).filter(|d| choice >> d & 1 == 1).collect();
    let sum = |of: &dyn Fn(usize) -> f64| chosen.iter().map(|&d| of(d)).sum::<f64>();
    let (n, one, two) = (chosen.len() as f64, sum(&|d| lead[d]), sum(&|d| lead[d] * lead[d]));
    let (short, off) = (1.0 - sum(&|d| weights[d]), -sum(&|d| lead[d] * weights[d]));
    let determinant = n * two - one * one;
    let (lambda, mu) = if determinant > 1e-12 * (n * two).max(f64::MIN_POSITIVE) {
        ((short * two - off * one) / determinant, (n * off - one * short) / determinant)
    } else if two <= f64::MIN_POSITIVE {
        (short / n, 0.0)
    } else {
        return None;
    };
    let mut point = vec![0.0; lead.len()];
    for &d in &chosen {
        point[d] = weights[d] + lambda + mu * lead[d];
    }
    point.iter().all(|weight| *weight >= -1e-12).then(|| point.into_iter().map(|weight| weight.max(0.0)).collect())
}

/// Weights that add up to one; all alike where none was given.
pub(crate) fn normalised<K: Ord + Copy>(of: &[K], given: &BTreeMap<K, f64>) -> Vec<f64> {
    let own = |key: &K| if given.is_empty() { 1.0 } else { given.get(key).copied().unwrap_or(0.0) };
    let sum: f64 = of.iter().map(own).sum();
    of.iter().map(|key| if sum > 0.0 { own(key) / sum } else { 1.0 / of.len() as f64 }).collect()
}
