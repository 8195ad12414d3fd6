//! A line that outliers do not move.

use schema::summary::Estimate;

use super::order::{median, ties, untied};
use super::tails::normal_point;
use crate::quantile::quantile;

/// Points beyond which the medians of neighbours stand for them: two million slopes.
const MOST: usize = 2_000;

/// A line through points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// How much y changes by a unit of x, with its 95 % interval.
    pub slope: Estimate,
    /// y at x = 0: median of y − slope · median of x.
    pub intercept: f64,
}

/// The Theil–Sen line of `y` over `x`, of one length: the median of the slopes of all pairs of points of unlike x, with
/// the interval between the order statistics that Kendall's S gives (P. K. Sen, *JASA* 63, 1968, 1379–1389), as SciPy's
/// `theilslopes`. Of more than 2,000 points, which must then be in order of x, the medians of neighbours stand for them.
/// `None` below three points or where x does not vary.
pub fn theil_sen(x: &[f64], y: &[f64]) -> Option<Slope> {
    if x.len() != y.len() || x.len() < 3 {
        return None;
    }
    let (x, y) = (merged(x, MOST), merged(y, MOST));
    let slopes = slopes(&x, &y);
    if slopes.is_empty() {
        return None;
    }
    let value = quantile(&slopes, 0.5);
    let (low, high) = ends(&slopes, &x, &y);
    let intercept = median(&y) - value * median(&x);
    Some(Slope { slope: Estimate { value, low, high }, intercept })
}

/// Of all pairs with unlike x, ascending.
fn slopes(x: &[f64], y: &[f64]) -> Vec<f64> {
    let from = |i: usize| {
        let (x0, y0) = (x[i], y[i]);
        x[i + 1..]
            .iter()
            .zip(&y[i + 1..])
            .filter(move |(x1, _)| (**x1 - x0).abs() > 0.0)
            .map(move |(x1, y1)| (y1 - y0) / (x1 - x0))
    };
    let mut slopes: Vec<f64> = (0..x.len()).flat_map(from).collect();
    slopes.sort_unstable_by(f64::total_cmp);
    slopes
}

/// Order statistics at (N ∓ z σ)/2, ranks rounded half to even; absent beyond the sample.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked against the slice")]
fn ends(slopes: &[f64], x: &[f64], y: &[f64]) -> (Option<f64>, Option<f64>) {
    let (n, pairs) = (y.len() as f64, slopes.len() as f64);
    let variance = (untied(n) - ties(x) - ties(y)) / 18.0;
    if variance <= 0.0 {
        return (None, None);
    }
    let reach = normal_point(0.975) * variance.sqrt();
    let high = f64::midpoint(pairs, reach).round_ties_even();
    let low = ((pairs - reach) / 2.0).round_ties_even() - 1.0;
    let at = |rank: f64| if rank < 0.0 { None } else { slopes.get(rank as usize).copied() };
    (at(low), at(high))
}

/// The same values, or where there are more than `most` the medians of equally many neighbours each.
pub(super) fn merged(values: &[f64], most: usize) -> Vec<f64> {
    let together = values.len().div_ceil(most).max(1);
    if together == 1 { values.to_vec() } else { values.chunks(together).map(median).collect() }
}
