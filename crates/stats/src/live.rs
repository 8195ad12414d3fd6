//! Live figures, folded as they come: cheap and approximate. [`Live`] is for a progress line, [`Board`] for a screen.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use schema::record::{Outcome, Phase, Record};
use schema::target::{Price, Target, TargetName};
use schema::units::{Moment, Nanos, Usd};

use crate::{cost, values};

mod board;

pub use board::{
    Asked, Board, Forming, Histogram as Spread, Light, Lights, Sketch, StepSeen, Stretch, TargetSeen, Timeline, Turn,
};

/// Longest TTFT told apart, an hour; longer ones count as that.
const LONGEST: u64 = 3_600_000_000_000;

/// What a watcher sees of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSnapshot {
    /// Whose.
    pub target: TargetName,
    /// Whether it is a simulated engine.
    pub simulated: bool,
    /// Measured requests that are over, however they ended, or whose first attempt is.
    pub done: u64,
    /// Attempts that failed; throttled ones are not among them.
    pub failed: u64,
    /// Attempts answered with 429.
    pub throttled: u64,
    /// Warm-up requests that are over.
    pub warmup: u64,
    /// Median TTFT of completed measured requests, to three digits.
    pub ttft_p50: Option<Nanos>,
    /// Output tokens of completed measured requests per second of the blocks so far.
    pub output_tokens_per_s: Option<f64>,
    /// Spent so far, warm-up included; absent without a price.
    pub cost: Option<Usd>,
}

/// What a watcher sees of a run, in the plan's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// One entry a target.
    pub targets: Vec<TargetSnapshot>,
}

/// Folds records into live figures.
#[derive(Debug)]
pub struct Live {
    order: Vec<TargetName>,
    targets: BTreeMap<TargetName, TargetLive>,
}

#[derive(Debug)]
struct TargetLive {
    simulated: bool,
    price: Option<Price>,
    done: u64,
    failed: u64,
    throttled: u64,
    warmup: u64,
    output_tokens: u64,
    cost: Usd,
    ttft: Histogram<u64>,
    blocks: BTreeMap<u32, (Moment, Moment)>,
}

impl Live {
    /// Nothing seen yet of `targets`.
    pub fn new(targets: &[Target]) -> Self {
        Self {
            order: targets.iter().map(|t| t.name.clone()).collect(),
            targets: targets.iter().map(|t| (t.name.clone(), TargetLive::new(t))).collect(),
        }
    }

    /// Folds one finished request in; one of a target that is not watched is ignored.
    pub fn record(&mut self, record: &Record) {
        if let Some(target) = self.targets.get_mut(&record.target) {
            target.record(record);
        }
    }

    /// The figures so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let seen = self.order.iter().filter_map(|name| Some((name, self.targets.get(name)?)));
        Snapshot { targets: seen.map(|(name, live)| live.snapshot(name)).collect() }
    }
}

impl TargetLive {
    fn new(target: &Target) -> Self {
        Self {
            simulated: target.simulated,
            price: target.price.clone(),
            done: 0,
            failed: 0,
            throttled: 0,
            warmup: 0,
            output_tokens: 0,
            cost: Usd::ZERO,
            ttft: Histogram::new_with_bounds(1, LONGEST, 3).expect("these bounds are valid"),
            blocks: BTreeMap::new(),
        }
    }

    fn record(&mut self, record: &Record) {
        if let Some(price) = &self.price {
            self.cost += cost::of_record(price, record);
        }
        if record.phase == Phase::Warmup {
            self.warmup += u64::from(record.attempt == 0);
            return;
        }
        // A further attempt belongs to a request that was counted already.
        self.done += u64::from(record.attempt == 0);
        if let Some((start, end)) = values::span(record) {
            let block = self.blocks.entry(record.block).or_insert((start, end));
            *block = (block.0.min(start), block.1.max(end));
        }
        match &record.outcome {
            Outcome::Complete { .. } => self.complete(record),
            Outcome::Failed(failure) if failure.class.is_throttling() => self.throttled += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::NotSent | Outcome::Cancelled | Outcome::Interrupted => {}
        }
    }

    fn complete(&mut self, record: &Record) {
        self.output_tokens = self.output_tokens.saturating_add(record.tokens.map_or(0, |t| t.output));
        if let Some(ttft) = values::ttft(record) {
            self.ttft.saturating_record(ttft.0);
        }
    }

    fn snapshot(&self, name: &TargetName) -> TargetSnapshot {
        let window: Nanos = self.blocks.values().fold(Nanos::ZERO, |sum, (start, end)| sum + (*end - *start));
        let rate = (window > Nanos::ZERO).then(|| self.output_tokens as f64 / window.as_secs_f64());
        TargetSnapshot {
            target: name.clone(),
            simulated: self.simulated,
            done: self.done,
            failed: self.failed,
            throttled: self.throttled,
            warmup: self.warmup,
            ttft_p50: (!self.ttft.is_empty()).then(|| Nanos(self.ttft.value_at_quantile(0.5))),
            output_tokens_per_s: rate,
            cost: self.price.as_ref().map(|_| self.cost),
        }
    }
}

#[cfg(test)]
mod tests;
