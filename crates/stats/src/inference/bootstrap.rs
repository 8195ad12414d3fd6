//! Intervals of means and quantiles, their differences and ratios: BCa block bootstrap (B. Efron, *JASA* 82, 1987,
//! 171–185; blocks after H. R. Künsch, *Annals of Statistics* 17, 1989, 1217–1241, in a circle after D. N. Politis &
//! J. P. Romano, *Exploring the Limits of Bootstrap*, 1992, 263–270).
//!
//! ```text
//! values ─▶ cells (values, or interleaving blocks) ─▶ influence of each ─▶ spread: length of runs, variance, skewness
//!                                                  ─▶ resampled in runs ─▶ 2,000 values ─▶ the two BCa ends
//! ```
//!
//! Plain BCa ends are too close to each other for small or serially correlated samples. The normal points in its formula
//! are therefore replaced by Student's t, widened by the ratio of the error that the sample shows to the error that
//! resampling gives it: the expanded percentiles of T. C. Hesterberg (*The American Statistician* 69, 2015, 371–386),
//! with serial correlation in the place of his √(n/(n − 1)).

mod bca;
mod cells;
mod runs;
mod spread;

use rand::SeedableRng as _;
use rand_chacha::ChaCha12Rng;
use schema::summary::Estimate;

use self::cells::Cells;
use self::spread::Spread;
use crate::interval::values_needed_beyond;

/// Resamples: with another seed the ends then move by some 2 % of the interval's width.
const RESAMPLES: usize = 2_000;

/// Cells beyond which neighbours are put together: of so many, runs are resampled anyway.
const MOST_CELLS: usize = 250;

/// Interleaving blocks from which they are resampled whole.
const ENOUGH_BLOCKS: usize = 12;

/// Independent values below which nothing is said of a mean.
const LEAST: f64 = 15.0;

/// What is estimated of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// The arithmetic mean.
    Mean,
    /// The quantile at 0 to 1, as [`crate::quantile::quantile`] takes it.
    Quantile(f64),
}

/// The values of one side, in order of their start, each with the interleaving block it was measured in. Equal
/// block numbers on both sides of a comparison were neighbours in time. Both slices are of one length.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// The values.
    pub values: &'a [f64],
    /// The block of each.
    pub blocks: &'a [u32],
}

/// How two sides were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// By turns, in interleaving blocks: what troubled one side's block troubled the other's too. Where both have twelve
    /// blocks or more these are resampled jointly, and by themselves as in [`Design::Independent`] otherwise.
    Paired,
    /// Each by itself: runs of neighbouring values are resampled, as long as their serial correlation asks for.
    Independent,
}

/// `statistic` of `side` with its interval at `confidence` (0.95 for 95 %). `None` where the sample does not carry one:
/// when it is worth less than fifteen independent values, or fewer than an interval of the quantile takes without any
/// assumption (72 at p95, 368 at p99 and 95 %).
pub fn interval(side: Side<'_>, statistic: Statistic, confidence: f64, seed: u64) -> Option<Estimate> {
    if !carries(&side, statistic, confidence) {
        return None;
    }
    let cells = Cells::of_values(side.values, statistic)?;
    let spread = Spread::of(&cells.influence);
    let (mut random, mut weights) = (ChaCha12Rng::seed_from_u64(seed), Vec::new());
    estimate(cells.estimate, &spread, confidence, || {
        runs::draw(&mut random, cells.count(), spread.run, &mut weights);
        cells.value(&weights)
    })
}

/// `statistic` of `first` − that of `second`, as [`interval`]; `None` where either sample does not carry one.
pub fn difference(
    first: Side<'_>,
    second: Side<'_>,
    statistic: Statistic,
    design: Design,
    confidence: f64,
    seed: u64,
) -> Option<Estimate> {
    let pair = Pair { first, second, statistic, confidence, seed };
    pair.estimate(design, |_| 1.0, |a, b| a - b)
}

/// `statistic` of `first` ÷ that of `second`, as [`difference`]; `None` too where one is not positive.
pub fn ratio(
    first: Side<'_>,
    second: Side<'_>,
    statistic: Statistic,
    design: Design,
    confidence: f64,
    seed: u64,
) -> Option<Estimate> {
    let pair = Pair { first, second, statistic, confidence, seed };
    pair.estimate(design, |value| 1.0 / value, |a, b| a / b)
}

/// Two samples that are compared.
struct Pair<'a> {
    first: Side<'a>,
    second: Side<'a>,
    statistic: Statistic,
    confidence: f64,
    seed: u64,
}

impl Pair<'_> {
    /// `combine` of both statistics, whose influence on it is `scale` of its own value, of opposite signs.
    fn estimate(
        &self,
        design: Design,
        scale: impl Fn(f64) -> f64,
        combine: impl Fn(f64, f64) -> f64,
    ) -> Option<Estimate> {
        let (first, second, confidence) = (self.first, self.second, self.confidence);
        let (a, b) =
            (Cells::of_values(first.values, self.statistic)?, Cells::of_values(second.values, self.statistic)?);
        let (scale_a, scale_b) = (scale(a.estimate), -scale(b.estimate));
        if !(scale_a > 0.0 && scale_b < 0.0 && scale_a.is_finite() && scale_b.is_finite()) {
            return None;
        }
        if !carries(&first, self.statistic, confidence) || !carries(&second, self.statistic, confidence) {
            return None;
        }
        let (spread_a, spread_b) = (Spread::of(&scaled(&a, scale_a)), Spread::of(&scaled(&b, scale_b)));
        let value = combine(a.estimate, b.estimate);
        let mut random = ChaCha12Rng::seed_from_u64(self.seed);
        let mut weights = Vec::new();
        if let Some((a, b)) = self.blocks().filter(|_| design == Design::Paired) {
            let joint: Vec<f64> =
                scaled(&a, scale_a).into_iter().zip(scaled(&b, scale_b)).map(|(a, b)| a + b).collect();
            let spread = Spread::of(&joint);
            return estimate(value, &spread, confidence, || {
                runs::draw(&mut random, a.count(), spread.run, &mut weights);
                combine(a.value(&weights), b.value(&weights))
            });
        }
        estimate(value, &spread_a.with(&spread_b), confidence, || {
            runs::draw(&mut random, a.count(), spread_a.run, &mut weights);
            let one = a.value(&weights);
            runs::draw(&mut random, b.count(), spread_b.run, &mut weights);
            combine(one, b.value(&weights))
        })
    }

    /// Both samples in cells of whole interleaving blocks, where both have enough.
    fn blocks(&self) -> Option<(Cells, Cells)> {
        let of = |side: &Side<'_>| {
            let mut blocks = side.blocks.to_vec();
            blocks.sort_unstable();
            blocks.dedup();
            blocks
        };
        let (mut all, other) = (of(&self.first), of(&self.second));
        if all.len().min(other.len()) < ENOUGH_BLOCKS {
            return None;
        }
        all.extend(other);
        all.sort_unstable();
        all.dedup();
        let cells = |side: &Side<'_>| Cells::of_blocks(side, &all, self.statistic);
        Some((cells(&self.first)?, cells(&self.second)?))
    }
}

fn scaled(cells: &Cells, scale: f64) -> Vec<f64> {
    cells.influence.iter().map(|x| x * scale).collect()
}

/// Whether a sample is worth enough independent values.
fn carries(side: &Side<'_>, statistic: Statistic, confidence: f64) -> bool {
    let needed = match statistic {
        Statistic::Mean => LEAST,
        Statistic::Quantile(q) => values_needed_beyond(q, (1.0 - confidence) / 2.0),
    };
    side.values.len() as f64 >= needed && super::memory::worth(side.values) >= needed
}

/// `value` with the ends that resampling by `draw` gives it.
fn estimate(value: f64, spread: &Spread, confidence: f64, mut draw: impl FnMut() -> f64) -> Option<Estimate> {
    let mut drawn: Vec<f64> = (0..RESAMPLES).map(|_| draw()).filter(|x| x.is_finite()).collect();
    if drawn.len() < RESAMPLES / 2 {
        return None;
    }
    drawn.sort_unstable_by(f64::total_cmp);
    let reach = spread.reach(confidence);
    let (low, high) = bca::ends(&drawn, value, spread.acceleration(), reach);
    Some(Estimate { value, low: Some(low.min(value)), high: Some(high.max(value)) })
}

#[cfg(test)]
mod tests;
