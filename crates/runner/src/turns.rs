//! Who is measured when: the plan's blocks as a list of turns.

use std::ops::Range;
use std::sync::Arc;

use load::{Counter, Segment};
use schema::plan::{Load, Plan, Stop};
use schema::record::Phase;
use schema::units::{Moment, Nanos};

/// One target's turn, with its share of the plan.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Which target, by its position.
    pub(crate) target: usize,
    /// What it counts for.
    pub(crate) phase: Phase,
    /// Its block.
    pub(crate) block: u32,
    /// What is to be sent.
    pub(crate) share: Share,
}

/// What a turn sends.
#[derive(Debug, Clone)]
pub(crate) enum Share {
    /// `concurrency` streams until the numbers or the time are used up.
    Closed {
        /// Streams, over all threads.
        concurrency: u32,
        /// Numbers of the requests, shared by all threads.
        indexes: Arc<Counter>,
        /// Length of the turn, if it ends by time.
        length: Option<Nanos>,
    },
    /// The slots `indexes` of the target's schedule, at their times after the turn's beginning.
    Open {
        /// Numbers of the requests.
        indexes: Range<u64>,
    },
}

impl Turn {
    /// When the turn stops sending, if it ends by time.
    pub(crate) fn length(&self) -> Option<Nanos> {
        match self.share {
            Share::Closed { length, .. } => length,
            Share::Open { .. } => None,
        }
    }
}

/// The turns of `plan` in order: a warm-up for each target, then the interleaved blocks.
pub(crate) fn turns(plan: &Plan) -> Vec<Turn> {
    let targets = plan.targets.len();
    let warmup = (0..targets).filter(|_| plan.warmup > 0).map(|target| warmup(plan, target));
    let mut turns: Vec<Turn> = warmup.collect();
    let blocks = measured_blocks(plan);
    // A load that ends by time goes on counting from block to block.
    let counters: Vec<_> = (0..targets).map(|_| Arc::new(Counter::new(0..u64::MAX))).collect();
    for turn in load::interleave(targets, plan.blocks, plan.seed) {
        let share = match (&blocks[turn.block as usize], plan.load) {
            (Block::Numbers(numbers), Load::Closed { concurrency }) => {
                Share::Closed { concurrency, indexes: Arc::new(Counter::new(numbers.clone())), length: None }
            }
            (Block::Time(length), Load::Closed { concurrency }) => {
                Share::Closed { concurrency, indexes: Arc::clone(&counters[turn.target]), length: Some(*length) }
            }
            (Block::Numbers(numbers), Load::Open { .. }) => Share::Open { indexes: numbers.clone() },
            (Block::Time(_), Load::Open { .. }) => unreachable!("an open loop's blocks are numbered beforehand"),
        };
        turns.push(Turn { target: turn.target, phase: Phase::Measured, block: turn.block, share });
    }
    turns
}

fn warmup(plan: &Plan, target: usize) -> Turn {
    let places = match plan.load {
        Load::Closed { concurrency } => concurrency,
        Load::Open { max_concurrency, .. } => max_concurrency,
    };
    let concurrency = u32::try_from(plan.warmup).unwrap_or(u32::MAX).min(places);
    let indexes = Arc::new(Counter::new(0..plan.warmup));
    Turn { target, phase: Phase::Warmup, block: 0, share: Share::Closed { concurrency, indexes, length: None } }
}

enum Block {
    Numbers(Range<u64>),
    Time(Nanos),
}

/// What each block holds, alike for all targets.
fn measured_blocks(plan: &Plan) -> Vec<Block> {
    match (plan.stop, plan.load) {
        (Stop::Requests(requests), _) => {
            let mut first = 0;
            let sizes = load::split(requests, plan.blocks).into_iter();
            sizes
                .map(|size| {
                    let numbers = first..first + size;
                    first = numbers.end;
                    Block::Numbers(numbers)
                })
                .collect()
        }
        (Stop::DurationNs(duration), Load::Closed { .. }) => {
            load::split(duration.0, plan.blocks).into_iter().map(|ns| Block::Time(Nanos(ns))).collect()
        }
        (Stop::DurationNs(duration), Load::Open { .. }) => {
            let mut first = 0;
            let lengths = load::split(duration.0, plan.blocks).into_iter();
            lengths
                .map(|ns| {
                    let due = schedule(plan, Moment::EPOCH, first, Segment::WHOLE);
                    let size = due.take_while(|slot| slot.scheduled.0 < ns).count() as u64;
                    let numbers = first..first + size;
                    first = numbers.end;
                    Block::Numbers(numbers)
                })
                .collect()
        }
    }
}

/// The open loop's slots from number `first` on, beginning at `begin`, for one thread. Empty for a closed loop.
pub(crate) fn schedule(
    plan: &Plan,
    begin: Moment,
    first: u64,
    segment: Segment,
) -> impl Iterator<Item = load::Slot> + use<> {
    let open = match plan.load {
        Load::Open { rate_per_s, arrival, .. } => {
            Some(load::arrivals(arrival, rate_per_s, plan.seed, begin, first, segment))
        }
        Load::Closed { .. } => None,
    };
    open.into_iter().flatten()
}

#[cfg(test)]
pub(crate) mod tests;
