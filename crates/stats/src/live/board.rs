//! All that a screen shows of a run while it goes on, folded from its progress.

use std::collections::VecDeque;

use schema::comparison::{Criterion, PairVerdict, Verdict};
use schema::plan::{Load, Plan, Stage};
use schema::progress::Progress;
use schema::record::{Phase, Record};
use schema::summary::Estimate;
use schema::target::TargetName;
use schema::units::{Moment, Nanos, Usd};

pub use lag::{Light, Lights};
pub use seen::{Histogram, StepSeen, TargetSeen, Turn};
pub use timeline::{Sketch, Stretch, Timeline};

use crate::Contest;

mod lag;
mod seen;
mod timeline;

/// Notes that are remembered.
const NOTES: usize = 32;

/// Requests of which verdicts are formed at most, of all targets, each with an equal part: a look at more would take too
/// long.
const MOST_WEIGHED: usize = 40_000;

/// What a run asks of a target at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asked {
    /// Requests per second, whatever happens.
    Rate(f64),
    /// So many at once, each followed by the next.
    Streams(f64),
    /// So many people.
    Users(u32),
    /// So many at one instant.
    Crowd(u32),
    /// As in a trace.
    Recorded,
}

/// What is told of one criterion while a run goes on, of the blocks that are over. What is certain is so at an error rate
/// that holds for a look after every block, so that it takes more than in the comparison at the end, which is one look.
#[derive(Debug, Clone, PartialEq)]
pub struct Forming {
    /// By what.
    pub criterion: Criterion,
    /// Who is ahead.
    pub leader: TargetName,
    /// Those that are not certainly worse.
    pub close: Vec<TargetName>,
    /// Whether those that are close are shown to be as good, and not only not shown to be worse.
    pub tie: bool,
    /// Blocks that this rests on: below two nothing is ever certain.
    pub blocks: u32,
    /// By how much the leader is better than the next.
    pub margin: Option<Estimate>,
    /// Requests of each after which it would likely be certain, where that can be said.
    pub more: Option<u64>,
}

/// A run as it is watched.
#[derive(Debug)]
pub struct Board {
    plan: Plan,
    targets: Vec<TargetSeen>,
    contest: Contest,
    /// Requests of each target of which verdicts are formed.
    weighed: Vec<usize>,
    /// The latest block that a record is of: those before it are over.
    block: u32,
    requests: Option<u64>,
    length: Option<Nanos>,
    first: Option<Moment>,
    measuring: Option<Moment>,
    now: Moment,
    over: u64,
    notes: VecDeque<String>,
}

impl Board {
    /// Nothing seen yet of a run of `plan`.
    pub fn new(plan: &Plan) -> Self {
        Self {
            targets: plan.targets.iter().map(TargetSeen::new).collect(),
            contest: Contest::watched(plan),
            plan: plan.clone(),
            weighed: vec![0; plan.targets.len()],
            block: 0,
            requests: None,
            length: None,
            first: None,
            measuring: None,
            now: Moment::EPOCH,
            over: 0,
            notes: VecDeque::new(),
        }
    }

    /// What is done.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Each target, in the plan's order.
    pub fn targets(&self) -> &[TargetSeen] {
        &self.targets
    }

    /// The latest notes, the newest last.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.notes.iter().map(String::as_str)
    }

    /// Requests that are over, warm-up included, and how many there will be, where that is known.
    pub const fn requests(&self) -> (u64, Option<u64>) {
        (self.over, self.requests)
    }

    /// Takes one step of the run in.
    pub fn fold(&mut self, progress: &Progress) {
        match progress {
            Progress::Began { requests, duration } => (self.requests, self.length) = (*requests, *duration),
            Progress::Block { target, phase, block } => self.block(target, *phase, *block),
            Progress::Step { target, step, axis, level } => {
                if let Some(seen) = self.seen(target) {
                    seen.step(*step, *axis, *level);
                }
            }
            Progress::Pulse { at, in_flight } => {
                self.see(*at);
                for (target, count) in self.targets.iter_mut().zip(in_flight) {
                    target.pulse(*at, *count);
                }
            }
            Progress::Sampled(target, sample) => {
                self.see(sample.at_ns);
                if let Some(seen) = self.seen(target) {
                    seen.read(sample);
                }
            }
            Progress::Moved { at, .. } => self.see(*at),
            Progress::Recorded(record) => self.record(record),
            Progress::Note(note) => {
                self.notes.push_back(note.clone());
                if self.notes.len() > NOTES {
                    self.notes.pop_front();
                }
            }
            Progress::Warmed { .. } => {}
        }
    }

    fn see(&mut self, at: Moment) {
        self.now = self.now.max(at);
    }

    fn seen(&mut self, name: &TargetName) -> Option<&mut TargetSeen> {
        self.targets.iter_mut().find(|target| target.name() == name)
    }

    fn block(&mut self, name: &TargetName, phase: Phase, block: u32) {
        let now = self.now;
        self.first.get_or_insert(now);
        if phase == Phase::Measured {
            self.measuring.get_or_insert(now);
        }
        let together = self.plan.side_by_side;
        for target in &mut self.targets {
            if target.name() == name {
                target.begin(Turn { phase, block, begun: now });
            } else if !together {
                target.pause();
            }
        }
    }

    fn record(&mut self, record: &Record) {
        if let Some(end) = record.end_ns {
            self.see(end);
        }
        self.over += u64::from(record.attempt == 0);
        let Some(place) = self.targets.iter().position(|target| *target.name() == record.target) else { return };
        self.targets[place].record(record);
        let weighs = record.phase == Phase::Measured && self.plan.search.is_none() && self.targets.len() > 1;
        if weighs && self.weighed[place] < self.most_weighed() {
            self.weighed[place] += 1;
            self.block = self.block.max(record.block);
            self.contest.add_one(place, record);
        }
    }

    /// What is asked of a target in a turn that began at `begun`, at the moment `now`; of a step of a search, its level.
    pub fn asked(&self, target: &TargetSeen, now: Moment) -> Asked {
        if let Some(step) = target.steps().last() {
            return match step.axis {
                schema::plan::Axis::Rate => Asked::Rate(step.level),
                schema::plan::Axis::Concurrency => Asked::Streams(step.level),
            };
        }
        let since = target.turn().map_or(Nanos::ZERO, |turn| now - turn.begun);
        match &self.plan.load {
            Load::Closed { concurrency } => Asked::Streams(f64::from(*concurrency)),
            Load::Open { rate_per_s, .. } => Asked::Rate(rate_per_s.get()),
            Load::RateStages { stages, .. } => Asked::Rate(level(stages, since)),
            Load::StreamStages { stages } => Asked::Streams(level(stages, since).round()),
            Load::Users { users, .. } => Asked::Users(*users),
            Load::Crowd { users, .. } => Asked::Crowd(*users),
            Load::Replay { .. } => Asked::Recorded,
        }
    }

    /// The name of the stage that a load in stages is in.
    pub fn stage(&self, target: &TargetSeen, now: Moment) -> Option<&str> {
        let (Load::RateStages { stages, .. } | Load::StreamStages { stages }) = &self.plan.load else { return None };
        let since = now - target.turn()?.begun;
        let (stage, _) = stage_at(stages, since)?;
        Some(stage.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Time since the first turn began.
    pub fn elapsed(&self, now: Moment) -> Nanos {
        self.first.map_or(Nanos::ZERO, |first| now - first)
    }

    /// How much of the run is done, 0 to 1, where that can be said: by its requests or by its time.
    pub fn share(&self, now: Moment) -> Option<f64> {
        let of_requests = self.requests.filter(|all| *all > 0).map(|all| self.over as f64 / all as f64);
        let of_time = || {
            let length = self.length?.as_secs_f64();
            (length > 0.0).then(|| self.measuring.map_or(0.0, |since| (now - since).as_secs_f64() / length))
        };
        of_requests.or_else(of_time).map(|share| share.clamp(0.0, 1.0))
    }

    /// Time until its end, if it goes on as it did; `None` where nobody knows.
    pub fn left(&self, now: Moment) -> Option<Nanos> {
        let share = self.share(now)?;
        if self.requests.is_none() {
            let length = self.length?;
            return Some(length.saturating_sub(self.measuring.map_or(Nanos::ZERO, |since| now - since)));
        }
        let elapsed = self.elapsed(now).as_secs_f64();
        (share >= LEAST_SHARE).then(|| Nanos::from_secs_f64(elapsed / share * (1.0 - share)))
    }

    /// Spent so far by all targets that have a price, warm-up included, and the budget; `None` where none has one.
    pub fn spent(&self) -> Option<(Usd, Option<Usd>)> {
        let costs = self.targets.iter().filter_map(TargetSeen::cost);
        let spent = costs.reduce(|sum, cost| sum + cost)?;
        Some((spent, self.plan.budget_usd))
    }

    /// How far the client's own lateness may have come into the figures of a target.
    pub fn lights(&self, target: &TargetSeen) -> Lights {
        lag::lights(&self.plan, target)
    }

    /// Who leads by what, and whether that is certain yet, of the blocks that are over, or of the first while it lasts: made
    /// of everything at hand, so not for every frame. Empty with one target, in a search, and as long as there is too little.
    pub fn forming(&self) -> Vec<Forming> {
        if self.targets.len() < 2 || self.plan.search.is_some() {
            return Vec::new();
        }
        let places: Vec<usize> = (0..self.targets.len()).filter(|&place| self.targets[place].completed() > 0).collect();
        let usual = [Criterion::TtftP50, Criterion::TpotP50, Criterion::E2eP50];
        let wanted = self.plan.judging.until_decided.iter().filter(|criterion| !usual.contains(criterion));
        let criteria = usual.iter().chain(wanted);
        let before = u64::from(self.block.max(1));
        let verdicts = |criterion| self.contest.verdicts_before(before, criterion, &places);
        criteria.filter_map(|criterion| forming(*criterion, &verdicts(*criterion)?)).collect()
    }

    /// The first so many requests of each target are what verdicts are formed of, where there are more of one; `None`:
    /// they are formed of all.
    pub fn weighs_a_part(&self) -> Option<usize> {
        let most = self.most_weighed();
        self.weighed.iter().any(|weighed| *weighed >= most).then_some(most)
    }

    fn most_weighed(&self) -> usize {
        MOST_WEIGHED / self.targets.len().max(1)
    }
}

/// Share of a run that has to be done before the rest is foretold.
const LEAST_SHARE: f64 = 0.01;

/// What the pairs of one criterion say of its first: they come in order, those with the first one at the beginning.
fn forming(criterion: Criterion, pairs: &[PairVerdict]) -> Option<Forming> {
    let first = pairs.first()?;
    let own = || pairs.iter().filter(|pair| pair.better == first.better);
    let close: Vec<&PairVerdict> = own().filter(|pair| !pair.is_certain()).collect();
    Some(Forming {
        criterion,
        leader: first.better.clone(),
        tie: !close.is_empty() && close.iter().all(|pair| matches!(pair.verdict, Verdict::Tie { .. })),
        more: close.iter().filter_map(|pair| needed(pair)).max(),
        close: close.into_iter().map(|pair| pair.worse.clone()).collect(),
        blocks: first.evidence.blocks,
        margin: first.margin,
    })
}

const fn needed(pair: &PairVerdict) -> Option<u64> {
    match pair.verdict {
        Verdict::MoreNeeded { requests } => requests,
        Verdict::Better | Verdict::Tie { .. } => None,
    }
}

/// The stage after so long a time, and how far into it that is; the last one at its end when all are over.
fn stage_at(stages: &[Stage], since: Nanos) -> Option<(&Stage, f64)> {
    let mut begin = Nanos::ZERO;
    for stage in stages {
        let into = since.saturating_sub(begin);
        begin += stage.length_ns;
        if since < begin {
            return Some((stage, into.as_secs_f64() / stage.length_ns.as_secs_f64()));
        }
    }
    stages.last().map(|stage| (stage, 1.0))
}

fn level(stages: &[Stage], since: Nanos) -> f64 {
    stage_at(stages, since).map_or(0.0, |(stage, into)| stage.from + (stage.to - stage.from) * into)
}

#[cfg(test)]
mod tests;
