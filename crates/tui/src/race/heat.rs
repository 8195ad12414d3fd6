//! One heat: all lanes, once.

use std::sync::Arc;

use schema::progress::{Stage, Ticket};
use schema::record::{Phase, Record};
use schema::units::{Moment, Nanos};

use super::track::Track;

/// Which heat: warm-up comes before what counts, and blocks follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeatId {
    pub(super) phase: Phase,
    pub(super) block: u32,
}

impl HeatId {
    fn follows(self, other: Self) -> bool {
        (self.phase == Phase::Measured, self.block) > (other.phase == Phase::Measured, other.block)
    }
}

/// What is known of one heat.
#[derive(Debug)]
pub(super) struct Heat {
    /// Which; none before the first.
    pub(super) id: Option<HeatId>,
    /// One a target, in the plan's order.
    pub(super) tracks: Vec<Track>,
}

impl Heat {
    pub(super) fn new(lanes: usize) -> Self {
        Self { id: None, tracks: (0..lanes).map(|_| Track::default()).collect() }
    }

    /// Whether `id` is a later heat.
    pub(super) fn is_before(&self, id: HeatId) -> bool {
        self.id.is_none_or(|present| id.follows(present))
    }

    /// A step, or a record, of heat `id` came; whether that is this heat. A later one takes its place.
    pub(super) fn turn_to(&mut self, id: HeatId) -> bool {
        if self.is_before(id) {
            *self = Self { id: Some(id), ..Self::new(self.tracks.len()) };
        }
        self.id == Some(id)
    }

    /// Takes a step of `target`'s request in.
    pub(super) fn step(&mut self, target: usize, ticket: &Ticket, at: Moment, stage: &Stage) {
        if self.turn_to(HeatId { phase: ticket.phase, block: ticket.block }) {
            self.tracks[target].step(ticket, at, stage);
        }
    }

    /// Takes a record of `target` in.
    pub(super) fn settle(&mut self, target: usize, record: &Arc<Record>) {
        if self.turn_to(HeatId { phase: record.phase, block: record.block }) {
            self.tracks[target].settle(record);
        }
    }

    /// Whether it is one that does not count.
    pub(super) fn is_warmup(&self) -> bool {
        self.id.is_some_and(|id| id.phase == Phase::Warmup)
    }

    /// Whether every lane has its record.
    pub(super) fn is_over(&self) -> bool {
        self.tracks.iter().all(Track::is_over)
    }

    /// When the first of its requests was sent.
    pub(super) fn start(&self) -> Option<Moment> {
        self.tracks.iter().filter_map(Track::start).min()
    }

    /// How long it has lasted: until now, or until its last lane was over.
    pub(super) fn elapsed(&self, now: Moment) -> Option<Nanos> {
        let start = self.start()?;
        if !self.is_over() {
            return Some(now - start);
        }
        let ends = self.tracks.iter().filter_map(|track| track.record.as_ref()?.end_ns);
        ends.max().map(|end| end - start)
    }
}
