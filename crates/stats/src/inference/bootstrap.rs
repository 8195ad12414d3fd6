//! Intervals of means and quantiles, their differences and ratios, by resampling.

use schema::summary::Estimate;

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
    /// By turns, in interleaving blocks: what troubled one side's block troubled the other's too.
    Paired,
    /// Each by itself.
    Independent,
}

/// `statistic` of `side` with its interval at `confidence` (0.95 for 95 %); `None` where the sample does not carry one.
pub fn interval(side: Side<'_>, statistic: Statistic, confidence: f64, seed: u64) -> Option<Estimate> {
    let _ = (side, statistic, confidence, seed);
    None
}

/// `statistic` of `first` − that of `second`, as [`interval`].
pub fn difference(
    first: Side<'_>,
    second: Side<'_>,
    statistic: Statistic,
    design: Design,
    confidence: f64,
    seed: u64,
) -> Option<Estimate> {
    let _ = (first, second, statistic, design, confidence, seed);
    None
}

/// `statistic` of `first` ÷ that of `second`, both positive, as [`interval`].
pub fn ratio(
    first: Side<'_>,
    second: Side<'_>,
    statistic: Statistic,
    design: Design,
    confidence: f64,
    seed: u64,
) -> Option<Estimate> {
    let _ = (first, second, statistic, design, confidence, seed);
    None
}
