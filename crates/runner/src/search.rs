//! Which level of load comes next: pure, from what came of the levels before.

mod find_max;
mod sweep;

use schema::plan::{Axis, Plan, Search};
use schema::summary::{Estimate, SloStatus};
use stats::Verdict;

/// What came of one level, all its steps together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tried {
    /// Whether it meets the SLOs, and in how many steps that was found.
    pub(crate) verdict: Verdict,
    /// Completed requests per second.
    pub(crate) requests_per_s: Estimate,
    /// Whether this machine, and not the target, shaped its figures.
    pub(crate) client_limited: bool,
    /// How long it was measured, in steps of the length that the plan says.
    pub(crate) measured: f64,
}

impl Tried {
    /// How much longer it would have to be measured until its verdict is certain, in the same; infinite where that is
    /// out of reach.
    pub(crate) fn missing(&self) -> f64 {
        (self.verdict.times - 1.0) * self.measured * MARGIN
    }
}

/// More than what would just do, as a share seen so far is not the true one.
const MARGIN: f64 = 1.25;

/// A level is measured again for so many steps of the plan's length at once, at most.
pub(crate) const LONGEST: f64 = 8.0;

/// What a search does next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// A single stream; what it completes is its level where rates are varied.
    SingleStream,
    /// A step at this level. At one that was tried before, a longer one, judged together with those.
    Level(f64),
    /// It is over, and why.
    Over(String),
}

/// The next step after `tried`, in the order in which levels were first tried. No level is above `reach`, nor above the
/// search's own bound.
pub(crate) fn next(search: &Search, reach: f64, tried: &[Tried]) -> Next {
    match *search {
        Search::Sweep { axis, points, highest } => {
            sweep::next(axis, points, highest.unwrap_or(reach).min(reach), tried)
        }
        Search::FindMax { axis, first, highest, tolerance, trials } => {
            let highest = highest.unwrap_or(reach).min(reach);
            let rules = find_max::Rules { axis, first: first.min(highest), highest, tolerance, trials };
            find_max::next(&rules, tried)
        }
    }
}

/// A search without an upper bound tries at most so many streams.
pub(crate) const MOST_STREAMS: u32 = 10_000;

/// Requests in flight at most by what `plan` says; `None` where a search goes as far as it can.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a plan may hold")]
pub(crate) fn places(plan: &Plan) -> Option<u32> {
    let bound = match plan.search {
        Some(
            Search::Sweep { axis: Axis::Concurrency, highest, .. }
            | Search::FindMax { axis: Axis::Concurrency, highest, .. },
        ) => highest?,
        Some(_) => return plan.load.at(Axis::Rate, 1.0).map(|load| load.places()),
        None => return Some(plan.load.places()),
    };
    Some(bound.round().clamp(1.0, 1e5) as u32)
}

/// The levels from and to which an answer may still change: the bracket, and those that contradict it.
pub(crate) fn in_question(axis: Axis, verdicts: &[Verdict]) -> (f64, f64) {
    let found = stats::answer(axis, &[], verdicts);
    let met = verdicts.iter().filter(|v| v.status == SloStatus::Met).map(|v| v.level);
    (found.low.unwrap_or(0.0), found.high.map_or(f64::INFINITY, |high| met.fold(high, f64::max)))
}

/// A level well between two others: their geometric mean, to whole streams or four digits of a rate. `None` when there
/// is none.
fn between(axis: Axis, low: f64, high: f64) -> Option<f64> {
    let middle = tidy(axis, (low * high).sqrt());
    match axis {
        Axis::Concurrency if high - low < 1.5 => None,
        Axis::Concurrency => Some(middle.clamp(low + 1.0, high - 1.0)),
        Axis::Rate => (low < middle && middle < high).then_some(middle),
    }
}

/// `level` as a person would ask for it: whole streams, at least one, or four digits of a rate.
fn tidy(axis: Axis, level: f64) -> f64 {
    match axis {
        Axis::Concurrency => level.round().max(1.0),
        Axis::Rate => format!("{level:.3e}").parse().unwrap_or(level),
    }
}

#[cfg(test)]
mod tests;
