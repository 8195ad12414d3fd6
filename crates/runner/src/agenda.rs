//! Who is measured next, and how: decided when a turn has ended, by what was seen of it.
//!
//! ```text
//! load threads ──records──▶ recorder ──Seen──▶ Agenda ──next turns──▶ load threads
//! ```
//!
//! Turns that are given together begin together: those of one block where the plan has its targets side by side, and
//! one at a time otherwise. An agenda that learns gives one at a time.

mod searching;

use std::collections::VecDeque;
use std::sync::Arc;

use schema::curve::Step;
use schema::plan::Plan;
use schema::summary::Calibration;
use schema::units::{Moment, Nanos};

use crate::decision::UntilDecided;
use crate::precision::UntilPrecise;
use crate::recorder::Seen;
use crate::turns::{Turn, targets_at_once, turns};
use searching::Searching;

/// What is still to be done.
#[derive(Debug)]
pub(crate) enum Agenda {
    /// All that the plan lists, whatever comes of it.
    Listed(VecDeque<Vec<Turn>>),
    /// Block after block, until a figure is precise.
    UntilPrecise(UntilPrecise),
    /// Block after block, until it is decided who is better.
    UntilDecided(Box<UntilDecided>),
    /// Step after step, over levels of load.
    Searching(Searching),
}

/// When a turn took place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// When it began.
    pub(crate) began: Moment,
    /// Whether it was left to send all that it had.
    pub(crate) whole: bool,
    /// Whether it was ended for reasons that say nothing of its target: somebody wants to stop, or there is no money left.
    pub(crate) broken_off: bool,
}

impl Agenda {
    /// The agenda of `plan`. `offsets`: the arrivals of a replayed trace; `reach`: requests in flight at most;
    /// `calibration`: this machine's own floor, where it is known.
    pub(crate) fn new(plan: &Arc<Plan>, offsets: &Arc<[Nanos]>, reach: u32, calibration: Option<&Calibration>) -> Self {
        match (plan.search, plan.until) {
            (Some(search), _) => Self::Searching(Searching::new(Arc::clone(plan), search, reach, calibration.cloned())),
            (None, Some(wanted)) => Self::UntilPrecise(UntilPrecise::new(plan, wanted, offsets)),
            (None, None) if !plan.judging.until_decided.is_empty() => {
                Self::UntilDecided(Box::new(UntilDecided::new(plan, offsets)))
            }
            (None, None) => Self::Listed(listed(plan, offsets)),
        }
    }

    /// Nothing more to do.
    pub(crate) const fn over() -> Self {
        Self::Listed(VecDeque::new())
    }

    /// The turns that begin next, together, among targets that are still `wanted`; none when all is done.
    pub(crate) fn next(&mut self, wanted: impl Fn(usize) -> bool) -> Vec<Turn> {
        let one = match self {
            Self::Listed(listed) => return next_listed(listed, wanted),
            Self::UntilPrecise(until) => until.next(wanted),
            Self::UntilDecided(until) => until.next(wanted),
            Self::Searching(searching) => searching.next(wanted),
        };
        one.into_iter().collect()
    }

    /// Whether anything depends on what is seen of a turn.
    pub(crate) const fn learns(&self) -> bool {
        !matches!(self, Self::Listed(_))
    }

    /// Takes in what was seen of a turn that has ended. A step of a search is to be recorded.
    pub(crate) fn take_in(&mut self, turn: &Turn, span: Span, seen: Seen) -> Option<Step> {
        match self {
            Self::Listed(_) => None,
            Self::UntilPrecise(until) => {
                until.take_in(turn, seen);
                None
            }
            Self::UntilDecided(until) => {
                until.take_in(turn, &seen);
                None
            }
            Self::Searching(searching) => searching.take_in(turn, span, seen),
        }
    }

    /// What has become known and is worth a line, once.
    pub(crate) fn news(&mut self) -> Option<String> {
        match self {
            Self::UntilDecided(until) => until.news(),
            Self::Listed(_) | Self::UntilPrecise(_) | Self::Searching(_) => None,
        }
    }

    /// How it ended.
    pub(crate) fn notes(&self, plan: &Plan) -> Vec<String> {
        match self {
            Self::Listed(_) => Vec::new(),
            Self::UntilPrecise(until) => until.notes(plan),
            Self::UntilDecided(until) => until.notes(),
            Self::Searching(searching) => searching.notes(),
        }
    }
}

/// All turns of `plan`, by when they begin: each target has one warm-up, and one turn in a block.
fn listed(plan: &Plan, offsets: &Arc<[Nanos]>) -> VecDeque<Vec<Turn>> {
    turns(plan, offsets).chunks(targets_at_once(plan)).map(<[Turn]>::to_vec).collect()
}

fn next_listed(listed: &mut VecDeque<Vec<Turn>>, wanted: impl Fn(usize) -> bool) -> Vec<Turn> {
    let left = |turns: Vec<Turn>| turns.into_iter().filter(|turn| wanted(turn.target)).collect::<Vec<_>>();
    std::iter::from_fn(|| listed.pop_front()).map(left).find(|turns| !turns.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
