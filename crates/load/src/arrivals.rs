//! Schedules of open loops: pure, one file a kind.

mod constant;
mod crowd;
mod gamma;
mod poisson;
mod replay;
mod spacing;
mod stages;

use std::iter::FusedIterator;
use std::sync::Arc;

use schema::plan::Load;
use schema::units::{Moment, Nanos, Rate};

use crate::{Segment, Slot};
use crowd::Crowd;
use replay::Replay;
use spacing::Spacing;
use stages::Stages;

/// The slots of one segment of an open loop's schedule, in order. Endless for [`Load::Open`]: the caller takes by
/// count or while `scheduled` is before the end. The other kinds end by themselves.
#[derive(Debug, Clone)]
pub struct Schedule {
    process: Process,
    begin: Moment,
    first_index: u64,
    segment: Segment,
    /// Position of the next slot of the whole schedule.
    position: u64,
}

/// When slots leave, counted from the beginning.
#[derive(Debug, Clone)]
enum Process {
    Steady(Spacing, Rate),
    Stages(Spacing, Stages),
    Crowd(Crowd),
    Replay(Replay),
}

/// What `load` offers from `begin` on, numbered from `first_index`; of it, `segment`. `None` when an answer decides
/// when the next request leaves: then [`crate::closed`] drives it.
///
/// `offsets` are the arrivals of a replayed trace, in order, counted from the trace's beginning at recorded speed;
/// other loads do not look at them.
///
/// A pure function of its arguments. Every slot is an absolute deadline counted from `begin`, so rounding does not
/// add up. Equal arguments give equal slots, so targets that take turns within a block meet the same pattern; each
/// `block` begins at the beginning of its stages, waves or trace, and has random gaps of its own.
pub fn schedule(
    load: &Load,
    offsets: &Arc<[Nanos]>,
    seed: u64,
    block: u32,
    begin: Moment,
    first_index: u64,
    segment: Segment,
) -> Option<Schedule> {
    let process = match load {
        Load::Open { rate_per_s, arrival, .. } => Process::Steady(Spacing::new(*arrival, seed, block), *rate_per_s),
        Load::RateStages { stages, arrival, .. } => {
            Process::Stages(Spacing::new(*arrival, seed, block), Stages::new(stages))
        }
        Load::Crowd { users, waves, every_ns } => Process::Crowd(Crowd::new(*users, *waves, *every_ns)),
        Load::Replay { speed, .. } => Process::Replay(Replay::new(Arc::clone(offsets), *speed)),
        Load::Closed { .. } | Load::StreamStages { .. } | Load::Users { .. } => return None,
    };
    Some(Schedule { process, begin, first_index, segment, position: 0 })
}

/// `load` so that as many slots as its rate says fall into the first `length` of that block: an open loop's random gaps are
/// stretched as a whole, by a little. What is left is an arrival process that is random in every way but its number: given
/// that number, Poisson arrivals are distributed alike over `length` (Ross, *Introduction to Probability Models*, 5.3), and
/// stay so. Two levels of a search then differ by their rate and not by the luck of the draw. Other loads stay as they are.
pub fn fitted(load: &Load, seed: u64, block: u32, length: Nanos) -> Load {
    let mut load = load.clone();
    if let Load::Open { rate_per_s, arrival, .. } = &mut load {
        let wanted = (rate_per_s.get() * length.as_secs_f64()).round();
        let mut spacing = Spacing::new(*arrival, seed, block);
        let mut beyond = spacing.next();
        let mut slots = 0.0;
        while slots < wanted {
            beyond = spacing.next();
            slots += 1.0;
        }
        // The slot after the last one wanted falls on the end, which is no longer within.
        *rate_per_s = Rate::per_second(beyond / length.as_secs_f64()).filter(|_| wanted > 0.0).unwrap_or(*rate_per_s);
    }
    load
}

impl Process {
    /// When the next slot leaves, which is the one at `position`; `None` when there are no more.
    fn next(&mut self, position: u64) -> Option<Nanos> {
        match self {
            Self::Steady(spacing, rate) => Some(Nanos::from_secs_f64(spacing.next() / rate.get())),
            Self::Stages(spacing, stages) => stages.offset(spacing.next()),
            Self::Crowd(crowd) => crowd.offset(position),
            Self::Replay(replay) => replay.offset(position),
        }
    }
}

impl Iterator for Schedule {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        loop {
            let position = self.position;
            let scheduled = self.begin + self.process.next(position)?;
            self.position += 1;
            if self.segment.holds(position) {
                return Some(Slot { index: self.first_index + position, scheduled, stream: 0 });
            }
        }
    }
}

impl FusedIterator for Schedule {}

#[cfg(test)]
mod tests;
