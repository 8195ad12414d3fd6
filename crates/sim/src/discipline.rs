//! What every way of serving requests has in common: the arithmetic of who gets a token when, on
//! whatever clock the caller keeps. Nothing here waits.

use std::fmt;

use schema::units::{Moment, Nanos};

/// A request that arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) id: u64,
    /// Prompt tokens, and those of them that are cached.
    pub(crate) prompt: u32,
    pub(crate) cached: u32,
    /// Tokens to generate.
    pub(crate) output: u32,
    pub(crate) at: Moment,
}

/// One token for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emission {
    /// Whose.
    pub(crate) id: u64,
    /// When the request first got a place.
    pub(crate) scheduled: Moment,
    /// The request's tokens so far, this one included.
    pub(crate) generated: u32,
}

/// Why a request was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// How full an engine is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Occupancy {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) cache_usage: f64,
    pub(crate) preemptions: u64,
}

/// Who is served when.
pub(crate) trait Discipline: fmt::Debug + Send {
    /// Takes a request in.
    fn submit(&mut self, arrival: Arrival) -> Result<(), QueueFull>;

    /// Forgets a request, wherever it is, and frees its place at once.
    fn cancel(&mut self, id: u64, now: Moment);

    /// When [`Discipline::advance`] next has something to do; `None` while idle.
    fn next_at(&self) -> Option<Moment>;

    /// Does everything that is due by `now`; appends the tokens it gave.
    fn advance(&mut self, now: Moment, emissions: &mut Vec<Emission>);

    /// For so long no work was done: what was under way ends as much later.
    fn stalled(&mut self, length: Nanos);

    /// How full it is.
    fn occupancy(&self) -> Occupancy;
}
