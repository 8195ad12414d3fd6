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
        /// Length of the turn, if it ends by time.
        length: Option<Nanos>,
    },
}

impl Turn {
    /// When the turn stops sending, if it ends by time.
    pub(crate) fn length(&self) -> Option<Nanos> {
        let (Share::Closed { length, .. } | Share::Open { length, .. }) = self.share;
        length
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
        let Block { numbers, length } = blocks[turn.block as usize].clone();
        let share = match (&plan.load, numbers) {
            (&Load::Closed { concurrency }, Some(numbers)) => {
                Share::Closed { concurrency, indexes: Arc::new(Counter::new(numbers)), length }
            }
            (&Load::Closed { concurrency }, None) => {
                Share::Closed { concurrency, indexes: Arc::clone(&counters[turn.target]), length }
            }
            (_, numbers) => Share::Open { indexes: numbers.unwrap_or_default(), length },
        };
        turns.push(Turn { target: turn.target, phase: Phase::Measured, block: turn.block, share });
    }
    turns
}

fn warmup(plan: &Plan, target: usize) -> Turn {
    let places = plan.load.places();
    let concurrency = u32::try_from(plan.warmup).unwrap_or(u32::MAX).min(places);
    let indexes = Arc::new(Counter::new(0..plan.warmup));
    Turn { target, phase: Phase::Warmup, block: 0, share: Share::Closed { concurrency, indexes, length: None } }
}

/// What a block holds, alike for all targets.
#[derive(Debug, Clone)]
struct Block {
    /// Numbers of its requests, where they are known beforehand: always in an open loop.
    numbers: Option<Range<u64>>,
    /// Its length, if it ends by time.
    length: Option<Nanos>,
}

fn measured_blocks(plan: &Plan) -> Vec<Block> {
    match (plan.stop, &plan.load) {
        (Stop::Requests(requests), _) => {
            let sizes = load::split(requests, plan.blocks).into_iter();
            consecutive(sizes).map(|numbers| Block { numbers: Some(numbers), length: None }).collect()
        }
        (Stop::DurationNs(duration), Load::Closed { .. }) => {
            lengths(duration, plan).map(|length| Block { numbers: None, length: Some(length) }).collect()
        }
        (Stop::DurationNs(duration), _) => {
            let sizes = (0..).zip(lengths(duration, plan)).map(|(block, length)| offered(plan, block, length));
            let blocks = consecutive(sizes).zip(lengths(duration, plan));
            blocks.map(|(numbers, length)| Block { numbers: Some(numbers), length: Some(length) }).collect()
        }
    }
}

/// The lengths of the blocks that `duration` is divided into.
fn lengths(duration: Nanos, plan: &Plan) -> impl Iterator<Item = Nanos> + use<> {
    load::split(duration.0, plan.blocks).into_iter().map(Nanos)
}

/// How many slots an open loop offers in a block of that length.
fn offered(plan: &Plan, block: u32, length: Nanos) -> u64 {
    let due = schedule(plan, block, Moment::EPOCH, 0, Segment::WHOLE);
    due.take_while(|slot| slot.scheduled - Moment::EPOCH < length).count() as u64
}

/// Numbers for blocks of these sizes, each going on where the one before ended.
fn consecutive(sizes: impl Iterator<Item = u64>) -> impl Iterator<Item = Range<u64>> {
    sizes.scan(0, |first, size| {
        let numbers = *first..*first + size;
        *first = numbers.end;
        Some(numbers)
    })
}

/// The slots of an open loop's `block` from number `first` on, beginning at `begin`, for one thread. Empty for a
/// closed loop.
pub(crate) fn schedule(
    plan: &Plan,
    block: u32,
    begin: Moment,
    first: u64,
    segment: Segment,
) -> impl Iterator<Item = load::Slot> + use<> {
    let open = match plan.load {
        Load::Open { rate_per_s, arrival, .. } => {
            Some(load::arrivals(arrival, rate_per_s, plan.seed, block, begin, first, segment))
        }
        _ => None,
    };
    open.into_iter().flatten()
}

#[cfg(test)]
pub(crate) mod tests;
