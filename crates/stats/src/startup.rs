//! Where the start-up of a measurement ends: MSER-5, believed only where it matters.

use std::f64::consts::SQRT_2;

use statrs::function::erf::erfc_inv;

use crate::quantile::quantile;
use crate::{inference, interval, moments};

/// Values of one batch: the 5 of MSER-5.
const BATCH: usize = 5;

/// Batches below which nothing is looked for.
const FEWEST_BATCHES: usize = 10;

/// The steady part's halves must be this many times nearer to each other than the beginning is to it.
const STEADIER: f64 = 3.0;

/// Normal deviate, autocorrelation taken off, from which the first values are unlike the rest. The cut is chosen
/// by the same values, so this asks for more than a test of a cut known beforehand would.
const CERTAIN: f64 = 3.7;

/// How many of the first `values` (in order of time, of completed requests) are not yet like the rest; `None`
/// where there is no such beginning, or where it would not matter.
///
/// MSER-5 (K. P. White, *Simulation* 69, 1997, 323–334) over the values' logarithms, as times have long tails, says
/// where the steady part begins at the latest: at the cut between batches of five that makes the marginal standard
/// error of the rest's mean least. Beyond the middle there is none. What is cut is the beginning, up to there, that
/// is most unlike that steady part, so that no more is lost than need be; and it is believed when
///
/// - its median lies outside the interval of the steady median,
/// - and three times as far from it as the medians of the steady part's halves are from each other, which are far
///   apart where values drift to the end,
/// - and the Mann–Whitney deviate, divided by √((1 + φ) ÷ (1 − φ)) for a first autocorrelation φ of the steady ranks,
///   is beyond 3.7: values that are alike throughout then lose some of them in fewer than one of twenty runs.
pub fn startup(values: &[f64]) -> Option<usize> {
    let logarithms: Vec<f64> = values.iter().map(|x| x.max(f64::MIN_POSITIVE).ln()).collect();
    let batches: Vec<f64> = logarithms.chunks_exact(BATCH).map(moments::mean).collect();
    let latest = truncation(&batches)?;
    let steady = Steady::new(values.get(latest * BATCH..)?);
    let cuts = std::iter::successors(Some(1), |cut| Some((cut + 1).max(cut * 5 / 4)));
    let cuts = cuts.take_while(|&cut| cut < latest).chain([latest]).map(|cut| cut * BATCH);
    let unlike = cuts.filter_map(|cut| Some((steady.unlike(values.get(..cut)?)?, cut)));
    unlike.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, cut)| cut)
}

/// The part that is taken for steady.
struct Steady {
    sorted: Vec<f64>,
    median: f64,
    /// Interval of the median.
    low: f64,
    high: f64,
    /// From the median of its first half to that of its second.
    drift: f64,
    /// What a deviate is multiplied by.
    worth: f64,
}

impl Steady {
    fn new(values: &[f64]) -> Self {
        let ascending = sorted(values);
        let (one, other) = values.split_at(values.len() / 2);
        let (low, high) = interval::order_statistics(&ascending, 0.5, interval::TAIL);
        let phi = rank_autocorrelation(values, &ascending);
        Self {
            median: quantile(&ascending, 0.5),
            low: low.unwrap_or(f64::NEG_INFINITY),
            high: high.unwrap_or(f64::INFINITY),
            drift: quantile(&sorted(one), 0.5) - quantile(&sorted(other), 0.5),
            worth: ((1.0 - phi) / (1.0 + phi)).sqrt(),
            sorted: ascending,
        }
    }

    /// The deviate between this and a beginning, where that matters.
    fn unlike(&self, first: &[f64]) -> Option<f64> {
        let first = sorted(first);
        let median = quantile(&first, 0.5);
        let within = (self.low..=self.high).contains(&median);
        let far = (median - self.median).abs() > STEADIER * self.drift.abs();
        let deviate = SQRT_2 * erfc_inv(inference::mann_whitney(&first, &self.sorted).p) * self.worth;
        (!within && far && deviate > CERTAIN).then_some(deviate)
    }
}

/// The number of leading batches without which Σ(y − ȳ)² ÷ k² over the k others is least; absent when that is
/// none of them, or more than half.
fn truncation(batches: &[f64]) -> Option<usize> {
    if batches.len() < FEWEST_BATCHES {
        return None;
    }
    let errors = marginal_errors(batches);
    let (cut, _) = errors.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
    Some(cut).filter(|&cut| cut > 0 && cut <= batches.len() / 2)
}

/// Σ(y − ȳ)² ÷ k² without the first 0, 1, 2… batches, down to a rest of five: fewer resemble each other by chance.
/// From the last batch backwards, by Welford's update of a mean and a sum of squares.
fn marginal_errors(batches: &[f64]) -> Vec<f64> {
    let (mut mean, mut squares, mut k) = (0.0, 0.0, 0.0);
    let mut errors: Vec<f64> = Vec::with_capacity(batches.len());
    for batch in batches.iter().rev() {
        k += 1.0;
        let step = batch - mean;
        mean += step / k;
        squares += step * (batch - mean);
        errors.push(squares / (k * k));
    }
    errors.drain(..BATCH - 1);
    errors.reverse();
    errors
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// First autocorrelation of the values' ranks, at least zero.
fn rank_autocorrelation(values: &[f64], sorted: &[f64]) -> f64 {
    let rank = |x: &f64| sorted.partition_point(|y| y.total_cmp(x).is_lt()) as f64;
    let ranks: Vec<f64> = values.iter().map(rank).collect();
    moments::autocorrelation(&ranks).max(0.0)
}

#[cfg(test)]
mod tests;
