//! Whether values rise or fall as time goes on.

use super::spearman::ranks;
use super::tails::{both_tails, normal_point};
use super::theil_sen::{merged, theil_sen};
use crate::moments;

/// Values beyond which the medians of neighbours stand for them where serial correlation is looked at.
const MOST: usize = 1_000;

/// A trend of values in order of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Kendall's S ÷ its largest possible value (τ-a), −1 (always falling) to 1 (always rising).
    pub tau: f64,
    /// Two-sided p-value of there being no trend, values taken as independent.
    pub p: f64,
    /// The same with the variance corrected for serial correlation; never less than `p`.
    pub p_serial: f64,
    /// By how much that correction multiplied the variance, 1 or more.
    pub inflation: f64,
}

/// The Mann–Kendall test of `values` in order of time (H. B. Mann, *Econometrica* 13, 1945, 245–259; M. G. Kendall,
/// *Rank Correlation Methods*, 1975): S counts pairs that rise less those that fall, its variance is corrected for ties,
/// and one is taken from |S| for continuity. `None` below four values or where all are alike.
///
/// For serial correlation the variance grows by n/n* = 1 + 2/(n(n−1)(n−2)) Σ (n−k)(n−k−1)(n−k−2) r(k), r the
/// autocorrelations of the ranks of what the Theil–Sen line leaves, those beyond their 95 % bounds under independence
/// (K. H. Hamed & A. R. Rao, *Journal of Hydrology* 204, 1998, 182–196), taken as 1 at least. Of more than a thousand
/// values the medians of neighbours are looked at there, as [`theil_sen`] does.
pub fn mann_kendall(values: &[f64]) -> Option<Drift> {
    let n = values.len() as f64;
    let variance = variance(values);
    if values.len() < 4 || variance <= 0.0 {
        return None;
    }
    let s = rising_less_falling(values);
    let excess = (s.abs() - 1.0).max(0.0);
    let p = both_tails(excess / variance.sqrt());
    let inflation = inflation(values);
    let p_serial = both_tails(excess / (variance * inflation).sqrt());
    Some(Drift { tau: 2.0 * s / (n * (n - 1.0)), p, p_serial, inflation })
}

/// [n(n−1)(2n+5) − Σ t(t−1)(2t+5)] / 18 over groups of t equal values.
fn variance(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let term = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let ties: f64 = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|equals| term(equals.len() as f64)).sum();
    (term(values.len() as f64) - ties) / 18.0
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

/// n/n*, at least 1.
fn inflation(values: &[f64]) -> f64 {
    let merged = merged(values, MOST);
    let times: Vec<f64> = (0..merged.len()).map(|i| i as f64).collect();
    let Some(line) = theil_sen(&times, &merged) else { return 1.0 };
    let left: Vec<f64> = merged.iter().zip(&times).map(|(y, t)| y - line.slope.value * t).collect();
    let ranks = ranks(&left);
    let mean = moments::mean(&ranks);
    let departures: Vec<f64> = ranks.iter().map(|rank| rank - mean).collect();
    let squares: f64 = departures.iter().map(|x| x * x).sum();
    if squares <= 0.0 {
        return 1.0;
    }
    let m = merged.len() as f64;
    let bound = normal_point(0.975) / m.sqrt();
    let term = |lag: usize| {
        let products: f64 = departures.iter().zip(&departures[lag..]).map(|(a, b)| a * b).sum();
        let r = products / squares;
        let k = lag as f64;
        if r.abs() > bound { (m - k) * (m - k - 1.0) * (m - k - 2.0) * r } else { 0.0 }
    };
    let sum: f64 = (1..merged.len()).map(term).sum();
    (1.0 + 2.0 / (m * (m - 1.0) * (m - 2.0)) * sum).max(1.0)
}
