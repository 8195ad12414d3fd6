//! A search over levels of load, one for each target, step by step in turns.

use std::sync::Arc;

use load::Counter;
use schema::counted;
use schema::curve::{CurvePoint, Step};
use schema::plan::{Axis, Load, Plan, Search, Stop};
use schema::record::{Phase, Record};
use schema::summary::{Calibration, Trust};
use schema::target::Target;
use schema::units::{Moment, Nanos};

use super::Span;
use crate::recorder::Seen;
use crate::search::{self, Next, Tried};
use crate::turns::{Portion, Rung, Share, Turn, timed, warmups};

/// A step at a level that was tried before is so much longer at least.
const LONGER: f64 = 2.0;

/// A closed loop that ends by count sends at least so many requests a stream: a burst is no level of load.
const REQUESTS_PER_STREAM: u64 = 4;

/// Quiet after a step that was cut short, for the server to drop what we cancelled.
const SETTLE: Nanos = Nanos::from_secs(1);

/// The searches of a run.
#[derive(Debug)]
pub(crate) struct Searching {
    plan: Arc<Plan>,
    search: Search,
    /// This machine's own floor, where it is known.
    calibration: Option<Calibration>,
    /// No level above this.
    reach: f64,
    warmups: std::vec::IntoIter<Turn>,
    /// Whose turn it is, round by round.
    rounds: std::vec::IntoIter<load::Turn>,
    targets: Vec<OneSearch>,
    /// Whether the last step was cut short.
    cut_short: bool,
}

/// The search at one target.
#[derive(Debug, Default)]
struct OneSearch {
    tried: Vec<Tried>,
    /// Records of the levels that may be measured again.
    measured: Vec<Measured>,
    /// Steps so far.
    steps: u32,
    /// Number of the next request.
    next_index: u64,
    over: Option<String>,
    /// The step in which it was broken off, which is not judged.
    broken_off: Option<Rung>,
}

/// What was measured at a level.
#[derive(Debug)]
struct Measured {
    level: f64,
    steps: Vec<Step>,
    records: Vec<Arc<Record>>,
}

impl Searching {
    pub(crate) fn new(plan: Arc<Plan>, search: Search, reach: u32, calibration: Option<Calibration>) -> Self {
        let rounds = match search {
            Search::Sweep { points, .. } => points,
            Search::FindMax { trials, .. } => trials,
        };
        let reach = match search.axis() {
            Axis::Concurrency => reach.into(),
            Axis::Rate => f64::INFINITY,
        };
        Self {
            search,
            calibration,
            reach,
            warmups: warmups(&plan).collect::<Vec<_>>().into_iter(),
            rounds: load::interleave(plan.targets.len(), rounds, plan.seed).into_iter(),
            targets: plan.targets.iter().map(|_| OneSearch::default()).collect(),
            cut_short: false,
            plan,
        }
    }

    /// The next step of the next target whose search goes on.
    pub(crate) fn next(&mut self, wanted: impl Fn(usize) -> bool) -> Option<Turn> {
        if let Some(warmup) = self.warmups.find(|turn| wanted(turn.target)) {
            return Some(warmup);
        }
        while let Some(load::Turn { target, block }) = self.rounds.next() {
            if self.targets[target].over.is_none()
                && wanted(target)
                && let Some(turn) = self.step(target, block)
            {
                return Some(turn);
            }
        }
        None
    }

    /// The next step at a target, unless its search is over.
    fn step(&mut self, target: usize, block: u32) -> Option<Turn> {
        let one = &mut self.targets[target];
        let axis = self.search.axis();
        let (axis, level) = match search::next(&self.search, self.reach, &one.tried) {
            Next::SingleStream => (Axis::Concurrency, 1.0),
            Next::Level(level) => (axis, level),
            Next::Over(why) => {
                one.over = Some(why);
                return None;
            }
        };
        let Some(load) = self.plan.load.at(axis, level) else {
            one.over = Some("no rate is left to offer".to_owned());
            return None;
        };
        let before = one.tried.iter().find(|tried| same(tried.verdict.level, level));
        let times = before.map_or(1, times);
        let load = match self.plan.stop {
            Stop::DurationNs(length) => {
                load::fitted(&load, self.plan.seed, block, Nanos(length.0.saturating_mul(times)))
            }
            Stop::Requests(_) => load,
        };
        let portion = portion(&self.plan, &load, block, one.next_index, times);
        let numbers = portion.numbers.unwrap_or(one.next_index..u64::MAX);
        let share = if load.is_open() { Share::Open(numbers) } else { Share::Closed(Arc::new(Counter::new(numbers))) };
        Some(Turn {
            target,
            phase: Phase::Measured,
            block,
            step: Some(Rung { number: one.steps, axis, level }),
            load,
            share,
            length: portion.length,
            settle: if self.cut_short { SETTLE } else { Nanos::ZERO },
        })
    }

    /// Takes in what was seen of a step; what is to be recorded of it. One that was broken off is no step: what was
    /// held for a part of its time is not that level of load.
    pub(crate) fn take_in(&mut self, turn: &Turn, span: Span, seen: Seen) -> Option<Step> {
        let rung = turn.step?;
        if span.broken_off {
            self.targets[turn.target].broken_off = Some(rung);
            return None;
        }
        let Seen { records, saturated } = seen;
        self.cut_short = saturated.is_some();
        let target = &self.plan.targets[turn.target];
        let mut step = Step {
            number: rung.number,
            target: target.name.clone(),
            level: rung.level,
            load: turn.load.clone(),
            began_ns: span.began,
            ended_ns: ended(turn, span, &records),
            cut_short: saturated,
        };
        let judge = |steps: &[Step], records: &[Arc<Record>]| {
            let steps: Vec<&Step> = steps.iter().collect();
            let records: Vec<&Record> = records.iter().map(AsRef::as_ref).collect();
            stats::judge_level(&self.plan, target, &steps, &records, self.calibration.as_ref())
        };
        if rung.axis != self.search.axis() {
            // A single stream has no rate until it was measured.
            step.level = judge(std::slice::from_ref(&step), &records).1.requests_per_s.value;
        }
        let one = &mut self.targets[turn.target];
        one.steps += 1;
        one.next_index = records.iter().map(|record| record.index + 1).fold(one.next_index, u64::max);
        let level = one.put(step.clone(), records);
        let measured = level.length(self.plan.stop);
        let (verdict, point) = judge(&level.steps, &level.records);
        let client_limited = point.trust == Trust::ClientLimited && !one.carried_more(rung.axis, &point);
        one.learn(Tried { verdict, requests_per_s: point.requests_per_s, client_limited, measured });
        one.forget(&self.search);
        Some(step)
    }

    /// How each search that came to its end did.
    pub(crate) fn notes(&self) -> Vec<String> {
        let named = self.plan.targets.iter().zip(&self.targets);
        let why = |one: &OneSearch| match search::next(&self.search, self.reach, &one.tried) {
            Next::Over(why) => Some(why),
            Next::SingleStream | Next::Level(_) => one.over.clone(),
        };
        let note = |(target, one): (&Target, &OneSearch)| {
            let name = &target.name;
            if let Some(rung) = one.broken_off {
                let level = stats::level_in_words(rung.axis, rung.level);
                let step = rung.number + 1;
                return Some(format!(
                    "`{name}`: the search was broken off in step {step}, at {level}: that is not judged"
                ));
            }
            let (steps, why) = (one.steps, why(one)?);
            Some(format!("`{name}`: the search ended after {}: {why}", counted(steps, "step")))
        };
        named.filter_map(note).collect()
    }
}

/// Share of an offered rate that is carried where this machine keeps up with it.
const CARRIED: f64 = 0.9;

/// Growth from one number of streams to more that is not chance.
const GREW: f64 = 1.05;

impl OneSearch {
    /// Puts a step to those at its level.
    fn put(&mut self, step: Step, records: Vec<Arc<Record>>) -> &Measured {
        let at = self.measured.iter().position(|measured| same(measured.level, step.level)).unwrap_or_else(|| {
            self.measured.push(Measured { level: step.level, steps: Vec::new(), records: Vec::new() });
            self.measured.len() - 1
        });
        let measured = &mut self.measured[at];
        measured.steps.push(step);
        measured.records.extend(records);
        measured
    }

    /// Whether this machine still carried more than at the levels below: then its lateness is noise in the figures, and
    /// not yet its limit.
    fn carried_more(&self, axis: Axis, point: &CurvePoint) -> bool {
        let carried = point.requests_per_s.value;
        match axis {
            Axis::Rate => carried >= CARRIED * point.level,
            Axis::Concurrency => {
                let below = self.tried.iter().filter(|tried| tried.verdict.level < point.level);
                below.map(|tried| tried.requests_per_s.value).fold(0.0, f64::max) * GREW < carried
            }
        }
    }

    /// Puts what came of a level in the place of what had come of it before.
    fn learn(&mut self, new: Tried) {
        match self.tried.iter_mut().find(|tried| same(tried.verdict.level, new.verdict.level)) {
            Some(tried) => *tried = new,
            None => self.tried.push(new),
        }
    }

    /// Lets the records of levels go that will not be measured again: those outside the bracket, and all of a sweep.
    fn forget(&mut self, search: &Search) {
        let Search::FindMax { axis, .. } = search else {
            self.measured.clear();
            return;
        };
        let verdicts: Vec<_> = self.tried.iter().map(|tried| tried.verdict).collect();
        let (low, high) = search::in_question(*axis, &verdicts);
        self.measured.retain(|measured| low <= measured.level && measured.level <= high);
    }
}

impl Measured {
    /// How long it was measured, in steps that end as `stop` says.
    fn length(&self, stop: Stop) -> f64 {
        match stop {
            Stop::Requests(requests) => self.records.len() as f64 / requests.max(1) as f64,
            Stop::DurationNs(length) => {
                let lengths = self.steps.iter().map(|step| (step.ended_ns - step.began_ns).as_secs_f64());
                lengths.sum::<f64>() / length.as_secs_f64()
            }
        }
    }
}

/// How many times as long as the plan says the next step is at a level that was tried before: as long as it takes to
/// tell, if that is within reach.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two small numbers")]
fn times(tried: &Tried) -> u64 {
    let missing = tried.missing();
    let wanted = if missing.is_finite() { missing } else { LONGER };
    wanted.clamp(LONGER, search::LONGEST).ceil() as u64
}

/// Levels are told apart to the last bit: each is asked for by the very number it was found by.
fn same(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}

/// What a step holds, `times` as long as the plan says.
fn portion(plan: &Plan, load: &Load, block: u32, first: u64, times: u64) -> Portion {
    match plan.stop {
        Stop::Requests(requests) => {
            let streams = if load.is_open() { 0 } else { u64::from(load.places()) };
            let requests = requests.max(streams * REQUESTS_PER_STREAM).saturating_mul(times);
            Portion { numbers: Some(first..first.saturating_add(requests)), length: None }
        }
        Stop::DurationNs(length) => {
            timed(plan, load, block, first, Nanos(length.0.saturating_mul(times)), &Arc::from([]))
        }
    }
}

/// When sending ended: after the turn's length, or with its last request.
fn ended(turn: &Turn, span: Span, records: &[Arc<Record>]) -> Moment {
    let last = records.iter().map(|record| record.scheduled_ns).max().unwrap_or(span.began);
    turn.length.filter(|_| span.whole).map_or(last, |length| span.began + length)
}

#[cfg(test)]
mod coverage;
