//! One target's turn, and the plan's blocks as a list of them.

use std::ops::Range;
use std::sync::Arc;

use load::{Counter, Segment};
use schema::plan::{Axis, Load, Plan, Stop};
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
    /// Which step of a search it is, if it is one.
    pub(crate) step: Option<Rung>,
    /// How its requests are timed.
    pub(crate) load: Load,
    /// What is to be sent.
    pub(crate) share: Share,
    /// When it stops sending, counted from its beginning, if it ends by time.
    pub(crate) length: Option<Nanos>,
    /// Quiet before it, so that it does not find the backlog of the turn before.
    pub(crate) settle: Nanos,
}

/// A turn's place in a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rung {
    /// Number of the step.
    pub(crate) number: u32,
    /// What `level` is.
    pub(crate) axis: Axis,
    /// Requests per second offered, or streams.
    pub(crate) level: f64,
}

/// What a turn sends.
#[derive(Debug, Clone)]
pub(crate) enum Share {
    /// The next numbers, taken by whichever stream is free.
    Closed(Arc<Counter>),
    /// The slots of these numbers of the target's schedule, at their times after the turn's beginning.
    Open(Range<u64>),
}

/// How much a turn sends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Portion {
    /// Numbers of its requests, where they are known beforehand: always in an open loop.
    pub(crate) numbers: Option<Range<u64>>,
    /// Its length, if it ends by time.
    pub(crate) length: Option<Nanos>,
}

/// Connections opened ahead at most where the need is not known.
const MOST_AHEAD: f64 = 256.0;

impl Turn {
    /// Whether it is ended early when its target cannot keep up: a closed loop has no backlog.
    pub(crate) const fn may_be_cut_short(&self) -> bool {
        self.step.is_some() && self.load.is_open()
    }

    /// Connections to be opened before it begins, so that its requests do not wait for them: one for each stream that
    /// begins at once, a second's worth for a rate. `offsets`: the arrivals of a replayed trace.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=256")]
    pub(crate) fn connections_ahead(&self, offsets: &[Nanos]) -> u32 {
        let per_second = |rate: f64| rate.ceil().clamp(1.0, MOST_AHEAD) as u32;
        let wanted = match &self.load {
            Load::Closed { .. } | Load::StreamStages { .. } => self.load.places(),
            Load::Crowd { users, .. } => *users,
            Load::Users { users, .. } => per_second((*users).into()),
            Load::Open { rate_per_s, .. } => per_second(rate_per_s.get()),
            Load::RateStages { stages, .. } => {
                per_second(stages.iter().map(|stage| stage.from.max(stage.to)).fold(0.0, f64::max))
            }
            Load::Replay { speed, .. } => {
                let length = offsets.last().map_or(0.0, |last| last.as_secs_f64()).max(1.0);
                per_second(offsets.len() as f64 / length * speed)
            }
        };
        wanted.min(self.load.places())
    }
}

/// Whether the load has a shape of its own, which blocks would cut to pieces.
pub(crate) const fn is_whole(load: &Load) -> bool {
    match load {
        Load::Closed { .. } | Load::Open { .. } | Load::Users { .. } => false,
        Load::RateStages { .. } | Load::StreamStages { .. } | Load::Crowd { .. } | Load::Replay { .. } => true,
    }
}

/// Targets that are measured at the same time.
pub(crate) fn targets_at_once(plan: &Plan) -> usize {
    if plan.side_by_side { plan.targets.len().max(1) } else { 1 }
}

/// The warm-up turns of `plan`, one a target, if it has a warm-up.
pub(crate) fn warmups(plan: &Plan) -> impl Iterator<Item = Turn> {
    let concurrency = u32::try_from(plan.warmup).unwrap_or(u32::MAX).min(plan.load.places());
    (0..plan.targets.len()).filter(|_| plan.warmup > 0).map(move |target| Turn {
        target,
        phase: Phase::Warmup,
        block: 0,
        step: None,
        load: Load::Closed { concurrency },
        share: Share::Closed(Arc::new(Counter::new(0..plan.warmup))),
        length: None,
        settle: Nanos::ZERO,
    })
}

/// The turns of `plan` in order: a warm-up for each target, then the interleaved blocks. A load that has a shape of
/// its own is one block. `offsets`: the arrivals of a replayed trace.
pub(crate) fn turns(plan: &Plan, offsets: &Arc<[Nanos]>) -> Vec<Turn> {
    let targets = plan.targets.len();
    let blocks = if is_whole(&plan.load) { 1 } else { plan.blocks };
    let portions = portions(plan, blocks, offsets);
    // A load that ends by time goes on counting from block to block.
    let counters: Vec<_> = (0..targets).map(|_| Arc::new(Counter::new(0..u64::MAX))).collect();
    let measured = load::interleave(targets, blocks, plan.seed).into_iter().map(|turn| {
        let Portion { numbers, length } = portions[turn.block as usize].clone();
        let share = match numbers {
            Some(numbers) if plan.load.is_open() => Share::Open(numbers),
            Some(numbers) => Share::Closed(Arc::new(Counter::new(numbers))),
            None => Share::Closed(Arc::clone(&counters[turn.target])),
        };
        Turn {
            target: turn.target,
            phase: Phase::Measured,
            block: turn.block,
            step: None,
            load: plan.load.clone(),
            share,
            length,
            settle: Nanos::ZERO,
        }
    });
    warmups(plan).chain(measured).collect()
}

/// What each of `blocks` holds, alike for all targets.
fn portions(plan: &Plan, blocks: u32, offsets: &Arc<[Nanos]>) -> Vec<Portion> {
    match plan.stop {
        Stop::Requests(requests) => {
            let sizes = load::split(requests, blocks).into_iter();
            consecutive(sizes).map(|numbers| Portion { numbers: Some(numbers), length: None }).collect()
        }
        Stop::DurationNs(duration) => {
            let lengths = load::split(duration.0, blocks).into_iter().map(Nanos);
            let mut first = 0;
            let portion = |(block, length)| {
                let portion = timed(plan, &plan.load, block, first, length, offsets);
                first = portion.numbers.as_ref().map_or(first, |numbers| numbers.end);
                portion
            };
            (0..).zip(lengths).map(portion).collect()
        }
    }
}

/// What `load` offers in `length` of a block, from number `first` on.
pub(crate) fn timed(
    plan: &Plan,
    load: &Load,
    block: u32,
    first: u64,
    length: Nanos,
    offsets: &Arc<[Nanos]>,
) -> Portion {
    let due = load::schedule(load, offsets, plan.seed, block, Moment::EPOCH, first, Segment::WHOLE);
    let count = |due: load::Schedule| due.take_while(|slot| slot.scheduled - Moment::EPOCH < length).count() as u64;
    Portion { numbers: due.map(|due| first..first + count(due)), length: Some(length) }
}

/// Numbers for blocks of these sizes, each going on where the one before ended.
fn consecutive(sizes: impl Iterator<Item = u64>) -> impl Iterator<Item = Range<u64>> {
    sizes.scan(0, |first, size| {
        let numbers = *first..*first + size;
        *first = numbers.end;
        Some(numbers)
    })
}

#[cfg(test)]
pub(crate) mod tests;
