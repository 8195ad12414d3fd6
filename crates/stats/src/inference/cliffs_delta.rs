//! How much one sample lies above another.

use schema::summary::Estimate;

use super::tails::{normal_point, t_point};
use crate::{moments, radix};

/// Cliff's δ of `first` against `second`, −1 to 1: the share of pairs (one of each) in which the first is the larger,
/// less the share in which it is the smaller. 0.11, 0.28 and 0.43 are commonly read as small, medium and large.
///
/// With its 95 % interval after D. Feng & N. Cliff (*Journal of Modern Applied Statistical Methods* 3, 2004, 322–332):
/// the consistent variance of N. Cliff (*Psychological Bulletin* 114, 1993, 494–509) in their asymmetric form, which
/// stays within −1 to 1. Values are taken as independent. `NaN` without values; no interval below two of each. Where
/// no pair contradicts another (δ = ±1) the other end is Feng & Cliff's (n − z²)/(n + z²), n the smaller sample.
pub fn cliffs_delta(first: &[f64], second: &[f64]) -> Estimate {
    let (first, second) = (radix::ascending(first), radix::ascending(second));
    let (rows, columns) = (standing(&first, &second), standing(&second, &first));
    let delta = moments::mean(&rows.dominance);
    let (n, m) = (first.len() as f64, second.len() as f64);
    if first.len() < 2 || second.len() < 2 {
        return Estimate { value: delta, low: None, high: None };
    }
    if delta.abs() >= 1.0 {
        return without_overlap(delta, n.min(m));
    }
    let spread = |dominance: &[f64], centre: f64| dominance.iter().map(|d| (d - centre).powi(2)).sum::<f64>();
    let (of_rows, of_columns) = (spread(&rows.dominance, delta), spread(&columns.dominance, -delta));
    let of_pairs = n * m - rows.ties - n * m * delta.powi(2);
    let unbiased = (m * m * of_rows + n * n * of_columns - of_pairs) / (n * m * (n - 1.0) * (m - 1.0));
    let least = (1.0 - delta.powi(2)) / (n * m - 1.0);
    let variance = unbiased.max(least);
    let t = t_point(0.975, n + m - 2.0);
    let reach = t * variance.sqrt() * ((1.0 - delta.powi(2)).powi(2) + t * t * variance).sqrt();
    let below = 1.0 - delta.powi(2) + t * t * variance;
    let end = |sign: f64| Some(((delta - delta.powi(3) + sign * reach) / below).clamp(-1.0, 1.0));
    Estimate { value: delta, low: end(-1.0), high: end(1.0) }
}

fn without_overlap(delta: f64, n: f64) -> Estimate {
    let z2 = normal_point(0.975).powi(2);
    let other = (n - z2) / (n + z2);
    let (low, high) = if delta > 0.0 { (other, 1.0) } else { (-1.0, -other) };
    Estimate { value: delta, low: Some(low), high: Some(high) }
}

struct Standing {
    /// Of each value: the share of the others that it is above less the share that it is below.
    dominance: Vec<f64>,
    /// Pairs of equal values.
    ties: f64,
}

/// Of two sorted samples, in one walk through both.
fn standing(values: &[f64], others: &[f64]) -> Standing {
    let (mut below, mut not_above, mut ties) = (0, 0, 0.0);
    let above = |value: &f64| {
        below += others[below..].iter().take_while(|other| *other < value).count();
        not_above += others[not_above..].iter().take_while(|other| *other <= value).count();
        ties += (not_above - below) as f64;
        (below as f64 - (others.len() - not_above) as f64) / others.len() as f64
    };
    let dominance = values.iter().map(above).collect();
    Standing { dominance, ties }
}
