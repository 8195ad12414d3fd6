//! Who is measured next, and how: decided when a turn has ended, by what was seen of it.
//!
//! ```text
//! load threads ──records──▶ recorder ──Seen──▶ Agenda ──next Turn──▶ load threads
//! ```

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
use crate::turns::{Turn, turns};
use searching::Searching;

/// What is still to be done.
#[derive(Debug)]
pub(crate) enum Agenda {
    /// All that the plan lists, whatever comes of it.
    Listed(VecDeque<Turn>),
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
            (None, None) => Self::Listed(turns(plan, offsets).into()),
        }
    }

    /// Nothing more to do.
    pub(crate) const fn over() -> Self {
        Self::Listed(VecDeque::new())
    }

    /// The next turn, among targets that are still `wanted`.
    pub(crate) fn next(&mut self, wanted: impl Fn(usize) -> bool) -> Option<Turn> {
        match self {
            Self::Listed(turns) => std::iter::from_fn(|| turns.pop_front()).find(|turn| wanted(turn.target)),
            Self::UntilPrecise(until) => until.next(wanted),
            Self::UntilDecided(until) => until.next(wanted),
            Self::Searching(searching) => searching.next(wanted),
        }
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

#[cfg(test)]
mod tests;
