//! Whether values rise or fall as time goes on.

use super::memory::{covariance, long_run};
use super::order::{ranks, ties, untied};
use super::tails::{both_tails, normal_point, student_both_tails};
use super::theil_sen::{merged, theil_sen};

/// Values beyond which the medians of neighbours stand for them where serial correlation is looked at.
const MOST: usize = 1_000;

/// A trend of values in order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Kendall's S ÷ its largest possible value (τ-a), −1 (always falling) to 1 (always rising).
    pub tau: f64,
    /// Two-sided p-value of there being no trend, values taken as independent.
    pub p: f64,
    /// The same with the variance corrected for serial correlation after Hamed & Rao.
    pub p_hamed_rao: f64,
    /// The same by the long-run variance of what the trend leaves, which holds where values lean heavily on each other.
    pub p_serial: f64,
    /// By how much that multiplies the variance, 1 or more.
    pub inflation: f64,
}

/// The Mann–Kendall test of `values` in order of time (H. B. Mann, *Econometrica* 13, 1945, 245–259; M. G. Kendall,
/// *Rank Correlation Methods*, 1975): S counts pairs that rise less those that fall, its variance is corrected for ties,
/// and one is taken from |S| for continuity. `None` below four values or where all are alike.
///
/// For serial correlation the variance grows by n/n* = 1 + 2/(n(n−1)(n−2)) Σ (n−k)(n−k−1)(n−k−2) r(k), r the
/// autocorrelations of the ranks of what the Theil–Sen line leaves, those beyond their 95 % bounds under independence
/// (K. H. Hamed & A. R. Rao, *Journal of Hydrology* 204, 1998, 182–196), taken as 1 at least. That still calls one series in
/// four a trend where each value leans on the one before by 0.8; so `p_serial` takes the long-run variance of the same ranks
/// over their plain one instead, with Student's t, as intervals do. Of more than a thousand values the medians of
/// neighbours stand for them in both.
pub fn mann_kendall(values: &[f64]) -> Option<Drift> {
    let (n, deviate) = (values.len() as f64, deviate(values)?);
    let merged = merged(values, MOST);
    let in_time = self::deviate(&merged).unwrap_or(0.0);
    let left = left(&merged);
    let (plain, long_run) = (covariance(&left, 0), long_run(&left));
    let inflation = if plain > 0.0 { (long_run.variance / plain).max(1.0) } else { 1.0 };
    Some(Drift {
        tau: 2.0 * rising_less_falling(values) / (n * (n - 1.0)),
        p: both_tails(deviate),
        p_hamed_rao: both_tails(in_time / hamed_rao(&left).sqrt()),
        p_serial: student_both_tails(in_time / inflation.sqrt(), long_run.freedom),
        inflation,
    })
}

/// |S| in its standard deviations under independence, which are √([n(n−1)(2n+5) − Σ t(t−1)(2t+5)] / 18) over groups of t
/// equal values.
fn deviate(values: &[f64]) -> Option<f64> {
    let variance = (untied(values.len() as f64) - ties(values)) / 18.0;
    let s = rising_less_falling(values);
    (values.len() >= 4 && variance > 0.0).then(|| (s.abs() - 1.0).max(0.0) / variance.sqrt())
}

/// S: by merging, n log n.
fn rising_less_falling(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    let mut room = sorted.clone();
    count(&mut sorted, &mut room)
}

/// Sorts `values` and returns their S.
fn count(values: &mut [f64], room: &mut [f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let (earlier, later) = values.split_at_mut(values.len() / 2);
    let (left, right) = room.split_at_mut(earlier.len());
    let own = count(earlier, left) + count(later, right);
    let between = across(earlier, later);
    merge(earlier, later, room);
    values.copy_from_slice(room);
    own + between
}

/// Pairs of one of each in which the later is larger, less those in which it is smaller. Both sorted.
fn across(earlier: &[f64], later: &[f64]) -> f64 {
    let (mut below, mut not_above, mut sum) = (0, 0, 0.0);
    for value in later {
        while earlier.get(below).is_some_and(|x| x < value) {
            below += 1;
        }
        not_above = not_above.max(below);
        while earlier.get(not_above).is_some_and(|x| x <= value) {
            not_above += 1;
        }
        sum += below as f64 - (earlier.len() - not_above) as f64;
    }
    sum
}

fn merge(one: &[f64], other: &[f64], into: &mut [f64]) {
    let (mut i, mut j) = (0, 0);
    for place in into {
        let first = j >= other.len() || (i < one.len() && one[i] <= other[j]);
        *place = if first { one[i] } else { other[j] };
        i += usize::from(first);
        j += usize::from(!first);
    }
}

/// The ranks, about zero, of what the Theil–Sen line leaves.
fn left(values: &[f64]) -> Vec<f64> {
    let times: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
    let slope = theil_sen(&times, values).map_or(0.0, |line| line.slope.value);
    let left: Vec<f64> = values.iter().zip(&times).map(|(y, t)| y - slope * t).collect();
    let middle = f64::midpoint(left.len() as f64, 1.0);
    ranks(&left).into_iter().map(|rank| rank - middle).collect()
}

/// n/n*, at least 1.
fn hamed_rao(left: &[f64]) -> f64 {
    let (n, own) = (left.len() as f64, covariance(left, 0));
    let bound = normal_point(0.975) / n.sqrt();
    let term = |lag: usize| {
        let (r, k) = (covariance(left, lag) / own, lag as f64);
        if r.abs() > bound { (n - k) * (n - k - 1.0) * (n - k - 2.0) * r } else { 0.0 }
    };
    let sum: f64 = (1..left.len()).map(term).sum();
    (1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * sum).max(1.0)
}
