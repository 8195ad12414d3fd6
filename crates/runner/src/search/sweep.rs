//! A curve over levels of load: a single stream, then ever more until throughput grows no more, then points between,
//! most of them where the curve bends.

use schema::plan::Axis;
use schema::summary::Estimate;

use super::{Next, Tried, between, tidy};

/// From one level to the next while the ceiling is sought.
const STRIDE: f64 = 4.0;

/// Growth of throughput below this share is none.
const LEAST_GROWTH: f64 = 1.05;

/// A rate is kept up with when this share of it is completed.
const KEPT_UP: f64 = 0.9;

/// Neighbours nearer than this ratio have no point between.
const LEAST_GAP: f64 = 1.05;

pub(super) fn next(axis: Axis, points: u32, highest: f64, tried: &[Tried]) -> Next {
    if tried.len() as u64 >= points.into() {
        return Next::Over("all points are measured".to_owned());
    }
    let mut levels: Vec<&Tried> = tried.iter().collect();
    levels.sort_by(|a, b| a.verdict.level.total_cmp(&b.verdict.level));
    let Some((top, below)) = levels.split_last() else { return Next::SingleStream };
    if top.verdict.level < highest && grew(axis, top, below) {
        return Next::Level(tidy(axis, top.verdict.level * STRIDE).min(highest));
    }
    if top.requests_per_s.value <= 0.0 && below.is_empty() {
        return Next::Over("a single stream completes nothing".to_owned());
    }
    match widest_gap(axis, &levels) {
        Some(level) => Next::Level(level),
        None => Next::Over("no level is left between those measured".to_owned()),
    }
}

/// Whether the highest level still carried more than all below it, for certain.
fn grew(axis: Axis, top: &Tried, below: &[&Tried]) -> bool {
    let most = below.iter().map(|level| level.requests_per_s.value).fold(0.0, f64::max);
    let Estimate { value, low, .. } = top.requests_per_s;
    value > most * LEAST_GROWTH && low.is_none_or(|low| low > most) && keeps_up(axis, top)
}

/// Whether a target completes what it is offered; with a fixed number of streams it always does.
fn keeps_up(axis: Axis, level: &Tried) -> bool {
    let offered = level.verdict.level;
    !level.verdict.saturated && (axis == Axis::Concurrency || level.requests_per_s.value >= KEPT_UP * offered)
}

/// The middle of the widest gap between neighbours, by ratio; the one below the bend counts twice. `levels` ascend.
fn widest_gap(axis: Axis, levels: &[&Tried]) -> Option<f64> {
    let bend = bend(axis, levels);
    let gaps = levels.windows(2).enumerate().filter_map(|(at, pair)| {
        let (low, high) = (pair[0].verdict.level, pair[1].verdict.level);
        let level = between(axis, low, high).filter(|_| high / low > LEAST_GAP)?;
        let weight = if at + 1 == bend { 2.0 } else { 1.0 };
        Some((weight * (high / low).ln(), level))
    });
    gaps.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, level)| level)
}

/// Where the curve bends: the first rate that is not kept up with, or the first level that carries nearly the most.
fn bend(axis: Axis, levels: &[&Tried]) -> usize {
    let rate = |level: &&Tried| level.requests_per_s.value;
    let most = levels.iter().map(rate).fold(0.0, f64::max);
    let first_lost = levels.iter().position(|level| !keeps_up(axis, level));
    first_lost.or_else(|| levels.iter().position(|level| rate(level) * LEAST_GROWTH >= most)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
