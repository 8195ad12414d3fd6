//! What was seen of one target.

use std::collections::BTreeMap;
use std::sync::Arc;

use hdrhistogram::Histogram as Hdr;
use schema::event::Stamp;
use schema::metric::Metric;
use schema::plan::Axis;
use schema::record::{FailureClass, Outcome, Phase, Record};
use schema::server::{Counter, ServerSample};
use schema::target::{Price, Target, TargetName};
use schema::units::{Moment, Nanos, Usd};

use super::timeline::{Sketch, Timeline};
use crate::{cost, interval, metric_values, values};

/// Longest time told apart, an hour; longer ones count as that.
const LONGEST: u64 = 3_600_000_000_000;

/// Blocks whose medians are remembered.
const BLOCKS: usize = 256;

/// Steps of a search that are remembered: more than any has.
const STEPS: usize = 1_000;

/// The window of rates, in parts.
const PARTS: u64 = 50;

/// A part of it: five seconds in all.
const PART: Nanos = Nanos::from_millis(100);

/// How times are spread, to three digits.
#[derive(Debug, Clone)]
pub struct Histogram {
    times: Hdr<u64>,
    /// Requests that they are of.
    requests: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { times: Hdr::new_with_bounds(1, LONGEST, 3).expect("these bounds are valid"), requests: 0 }
    }
}

impl Histogram {
    /// Adds the values of one request, nanoseconds.
    fn add(&mut self, of_one: impl IntoIterator<Item = u64>) {
        let before = self.len();
        of_one.into_iter().for_each(|nanos| self.times.saturating_record(nanos));
        self.requests += u64::from(self.len() > before);
    }

    /// How many values.
    pub fn len(&self) -> u64 {
        self.times.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The quantile `q`; `None` without values.
    pub fn quantile(&self, q: f64) -> Option<Nanos> {
        (!self.times.is_empty()).then(|| Nanos(self.times.value_at_quantile(q)))
    }

    /// The same, where there are as many values, and of as many requests, as it takes at the least to say so at the end
    /// of a run. Where the values of a request lean on each other it may take more of them then.
    pub fn supported(&self, q: f64) -> Option<Nanos> {
        let enough = self.len() >= interval::values_needed(q) && self.requests >= interval::values_needed(q.min(0.9));
        self.quantile(q).filter(|_| enough)
    }

    /// Every value that was seen, in nanoseconds, and how often.
    pub fn values(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.times.iter_recorded().map(|step| (step.value_iterated_to() as f64, step.count_since_last_iteration()))
    }
}

/// A turn that a target is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// What it counts for.
    pub phase: Phase,
    /// Its block.
    pub block: u32,
    /// When it began, to within a fifth of a second.
    pub begun: Moment,
}

/// A step of a search, as far as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct StepSeen {
    /// Its number.
    pub step: u32,
    /// What is varied.
    pub axis: Axis,
    /// Requests per second, or streams.
    pub level: f64,
    /// Requests that completed.
    pub completed: u64,
    /// Attempts that did not.
    pub failed: u64,
    /// TTFT of those that completed.
    pub ttft: Sketch,
    span: Option<(Moment, Moment)>,
}

impl StepSeen {
    /// Completed requests per second, from the first start to the last end.
    pub fn requests_per_s(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let seconds = (last - first).as_secs_f64();
        (seconds > 0.0).then(|| self.completed as f64 / seconds)
    }

    fn record(&mut self, record: &Record) {
        if let Some((start, end)) = values::span(record) {
            let span = self.span.get_or_insert((start, end));
            *span = (span.0.min(start), span.1.max(end));
        }
        if record.outcome.is_complete() {
            self.completed += 1;
            if let Some(ttft) = values::ttft(record) {
                self.ttft.add(ttft);
            }
        } else {
            self.failed += 1;
        }
    }
}

/// What was done in the last few seconds.
#[derive(Debug)]
struct Window {
    /// Number of a part, what completed in it, its tokens.
    parts: Vec<(u64, u64, u64)>,
}

impl Window {
    fn new() -> Self {
        Self { parts: vec![(0, 0, 0); usize::try_from(PARTS).expect("a small number")] }
    }

    fn add(&mut self, at: Moment, tokens: u64) {
        let number = at.0 / PART.0;
        let part = &mut self.parts[usize::try_from(number % PARTS).expect("a small number")];
        if part.0 < number {
            *part = (number, 0, 0);
        }
        if part.0 == number {
            (part.1, part.2) = (part.1 + 1, part.2.saturating_add(tokens));
        }
    }

    /// Completed requests and their tokens per second until `now`, of a time that began at `since`.
    fn rates(&self, since: Moment, now: Moment) -> Option<(f64, f64)> {
        let seconds = (now - since).as_secs_f64().min((PARTS * PART.0) as f64 / 1e9);
        let (last, first) = (now.0 / PART.0, since.0 / PART.0);
        let counts = |number: u64| number + PARTS > last && number >= first;
        let of_window = self.parts.iter().filter(|part| counts(part.0));
        let (done, tokens) = of_window.fold((0, 0u64), |sum, part| (sum.0 + part.1, sum.1.saturating_add(part.2)));
        (seconds >= 0.5).then(|| (done as f64 / seconds, tokens as f64 / seconds))
    }
}

/// What was seen of one target: of every attempt, and of the start-up too, which the summary leaves out.
#[derive(Debug)]
pub struct TargetSeen {
    name: TargetName,
    simulated: bool,
    embeds: bool,
    price: Option<Price>,
    done: u64,
    completed: u64,
    failures: BTreeMap<FailureClass, u64>,
    not_sent: u64,
    cancelled: u64,
    warmup: u64,
    cost: Usd,
    ttft: Histogram,
    itl: Histogram,
    e2e: Histogram,
    pub(super) client_lag: Histogram,
    pub(super) schedule_lag: Histogram,
    pub(super) events: u64,
    pub(super) shared: u64,
    pub(super) kernel: u64,
    blocks: BTreeMap<u32, Sketch>,
    steps: Vec<StepSeen>,
    turn: Option<Turn>,
    in_flight: Option<u32>,
    sample: Option<Arc<ServerSample>>,
    before: Option<Arc<ServerSample>>,
    window: Window,
    timeline: Timeline,
}

impl TargetSeen {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            name: target.name.clone(),
            simulated: target.simulated,
            embeds: target.dialect.embeds(),
            price: target.price.clone(),
            done: 0,
            completed: 0,
            failures: BTreeMap::new(),
            not_sent: 0,
            cancelled: 0,
            warmup: 0,
            cost: Usd::ZERO,
            ttft: Histogram::default(),
            itl: Histogram::default(),
            e2e: Histogram::default(),
            client_lag: Histogram::default(),
            schedule_lag: Histogram::default(),
            events: 0,
            shared: 0,
            kernel: 0,
            blocks: BTreeMap::new(),
            steps: Vec::new(),
            turn: None,
            in_flight: None,
            sample: None,
            before: None,
            window: Window::new(),
            timeline: Timeline::default(),
        }
    }

    pub(super) fn begin(&mut self, turn: Turn) {
        if turn.phase == Phase::Measured {
            // What is over time begins here at the latest.
            self.timeline.at(turn.begun);
        }
        self.turn = Some(turn);
    }

    /// Another has its turn.
    pub(super) fn pause(&mut self) {
        self.turn = None;
    }

    pub(super) fn step(&mut self, step: u32, axis: Axis, level: f64) {
        if self.steps.len() < STEPS {
            let ttft = Sketch::default();
            self.steps.push(StepSeen { step, axis, level, completed: 0, failed: 0, ttft, span: None });
        }
    }

    pub(super) fn pulse(&mut self, at: Moment, in_flight: u32) {
        self.in_flight = Some(in_flight);
        if self.turn.is_some_and(|turn| turn.phase == Phase::Measured) {
            let stretch = self.timeline.at(at);
            stretch.in_flight = stretch.in_flight.max(Some(in_flight));
        }
    }

    pub(super) fn read(&mut self, sample: &Arc<ServerSample>) {
        if sample.failed.is_none() {
            self.before = self.sample.replace(Arc::clone(sample)).filter(|before| before.failed.is_none());
        } else if self.sample.is_none() {
            self.sample = Some(Arc::clone(sample));
        }
    }

    pub(super) fn record(&mut self, record: &Record) {
        if let Some(price) = &self.price {
            self.cost += cost::of_record(price, record);
        }
        if record.phase == Phase::Warmup {
            self.warmup += u64::from(record.attempt == 0);
            return;
        }
        self.done += u64::from(record.attempt == 0);
        if let Some(step) = self.steps.iter_mut().rev().find(|step| step.step == record.step) {
            step.record(record);
        }
        if let Some(late) = values::schedule_lag(record) {
            self.schedule_lag.add([late.0]);
        }
        self.client_lag.add(metric_values(record, Metric::ClientLag).map(whole));
        match &record.outcome {
            Outcome::Complete { .. } => self.complete(record),
            Outcome::Failed(failure) => {
                *self.failures.entry(failure.class).or_default() += 1;
                if let Some(end) = record.end_ns {
                    self.timeline.at(end).failed += 1;
                }
            }
            Outcome::NotSent => self.not_sent += 1,
            Outcome::Cancelled | Outcome::Interrupted => self.cancelled += 1,
        }
    }

    fn complete(&mut self, record: &Record) {
        self.completed += 1;
        let tokens = record.tokens.map_or(0, |tokens| tokens.output);
        if let Some((start, end)) = values::span(record) {
            self.timeline.at(start);
            self.window.add(end, tokens);
            self.timeline.at(end).completed += 1;
        }
        self.e2e.add(metric_values(record, Metric::E2e).map(whole));
        let pieces = record.events.content().count() as u64;
        for (piece, event) in (0u64..).zip(record.events.content()) {
            // An event carries its part of the tokens; parts add up to all of them.
            let until = |piece: u64| u64::try_from(u128::from(tokens) * u128::from(piece) / u128::from(pieces));
            let part = until(piece + 1).unwrap_or(tokens) - until(piece).unwrap_or(tokens);
            let stretch = self.timeline.at(event.arrival);
            stretch.tokens = stretch.tokens.saturating_add(part);
            self.events += 1;
            self.shared += u64::from(event.shared_read);
            self.kernel += u64::from(event.stamp == Stamp::Kernel);
        }
        self.itl.add(values::gaps(record).map(whole));
        let (Some(ttft), Some(start)) = (values::ttft(record), record.start_ns) else { return };
        self.ttft.add([ttft.0]);
        self.timeline.at(start + ttft).ttft.add(ttft);
        if self.blocks.len() < BLOCKS || self.blocks.contains_key(&record.block) {
            self.blocks.entry(record.block).or_default().add(ttft);
        }
    }

    /// Whose this is.
    pub const fn name(&self) -> &TargetName {
        &self.name
    }

    /// Whether it is a simulated engine.
    pub const fn is_simulated(&self) -> bool {
        self.simulated
    }

    /// Whether its answers are vectors, which come in one piece.
    pub const fn embeds(&self) -> bool {
        self.embeds
    }

    /// Measured requests that are over, however they ended, or whose first attempt is.
    pub const fn done(&self) -> u64 {
        self.done
    }

    /// Measured requests that completed.
    pub const fn completed(&self) -> u64 {
        self.completed
    }

    /// Attempts that failed or were turned away, by class.
    pub const fn failures(&self) -> &BTreeMap<FailureClass, u64> {
        &self.failures
    }

    /// Attempts that failed; those turned away by a limit are not among them.
    pub fn failed(&self) -> u64 {
        self.failures.iter().filter(|(class, _)| !class.is_throttling()).map(|(_, count)| count).sum()
    }

    /// Attempts turned away by a limit.
    pub fn throttled(&self) -> u64 {
        self.failures.iter().filter(|(class, _)| class.is_throttling()).map(|(_, count)| count).sum()
    }

    /// Requests that found no place.
    pub const fn not_sent(&self) -> u64 {
        self.not_sent
    }

    /// Requests that were given up.
    pub const fn cancelled(&self) -> u64 {
        self.cancelled
    }

    /// Warm-up requests that are over.
    pub const fn warmup(&self) -> u64 {
        self.warmup
    }

    /// TTFT of measured requests that completed.
    pub const fn ttft(&self) -> &Histogram {
        &self.ttft
    }

    /// ITL of these.
    pub const fn itl(&self) -> &Histogram {
        &self.itl
    }

    /// E2E of these.
    pub const fn e2e(&self) -> &Histogram {
        &self.e2e
    }

    /// The turn it is in; `None` while others have theirs.
    pub const fn turn(&self) -> Option<Turn> {
        self.turn
    }

    /// Requests in flight when that was last looked at.
    pub const fn in_flight(&self) -> Option<u32> {
        self.in_flight
    }

    /// Completed requests, and output tokens of these, per second of the last five or of its turn, whichever is shorter;
    /// `None` outside its turns and as long as there is too little time to tell.
    pub fn rates(&self, now: Moment) -> Option<(f64, f64)> {
        let turn = self.turn.filter(|turn| turn.phase == Phase::Measured)?;
        self.window.rates(turn.begun, now)
    }

    /// Spent so far, warm-up included; absent without a price.
    pub fn cost(&self) -> Option<Usd> {
        self.price.as_ref().map(|_| self.cost)
    }

    /// The last reading of its own metrics.
    pub fn sample(&self) -> Option<&ServerSample> {
        self.sample.as_deref()
    }

    /// How fast one of its counters grew between the last two readings, per second.
    pub fn growth(&self, counter: Counter) -> Option<f64> {
        let (now, before) = (self.sample.as_ref()?, self.before.as_ref()?);
        let seconds = (now.at_ns - before.at_ns).as_secs_f64();
        let grown = now.counters.get(&counter)? - before.counters.get(&counter)?;
        (seconds > 0.0 && grown >= 0.0).then(|| grown / seconds)
    }

    /// Median TTFT of each block, in order.
    pub fn block_medians(&self) -> impl Iterator<Item = (u32, Nanos)> + '_ {
        self.blocks.iter().filter_map(|(block, ttft)| Some((*block, ttft.quantile(0.5)?)))
    }

    /// The steps of a search so far.
    pub fn steps(&self) -> &[StepSeen] {
        &self.steps
    }

    /// Measured requests over time.
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, and saturates")]
const fn whole(nanos: f64) -> u64 {
    nanos as u64
}
