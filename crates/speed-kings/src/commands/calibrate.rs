//! `--calibrate`: the same load shape against the built-in engine, for this machine's own floor.
//!
//! Two short runs. In the first the engine answers at once and paces its events, as many streams as the plan has: what
//! TTFT and ITL are then is this machine's, engine included. In the second it writes as fast as it is read: the rate
//! that this machine can carry. Where targets are measured side by side there are as many engines, side by side.

use std::cmp::Ordering;
use std::collections::HashMap;

use miette::Report;
use runner::{Finished, Job, Stop};
use schema::metric::Metric;
use schema::plan::{Axis, Load, Plan, Search, Stop as Enough};
use schema::record::Phase;
use schema::summary::{Calibration, TargetSummary};
use schema::units::Nanos;
use sim::{Config, Engine, Entry, Pace, Sim};
use store::Run;

use crate::commands::benchmark::job;
use crate::commands::prepare::Prepared;
use crate::config::settings::MockEngine;
use crate::outcome::Failure;

/// From event to event while TTFT and ITL are looked at.
const GAP: Nanos = Nanos::from_millis(5);

/// Each of the two runs sends for this long at most.
const LENGTH: Nanos = Nanos::from_secs(3);

/// Output tokens of an answer at most: longer ones would not end in time.
const TOKENS: u32 = 256;

/// Streams a search is taken to reach where it does not say.
const SEARCHED: f64 = 64.0;

/// Streams at most, of all targets together, while it is looked for how much can be carried.
const MOST_STREAMS: u32 = 1000;

/// Runs that it takes.
pub(crate) const PARTS: u8 = 2;

/// Carries out one of them, whose number, from 1, is told.
type Perform<'a> = &'a mut dyn FnMut(Job, u8) -> Result<Finished, Failure>;

/// Measures the floor of the load that `prepared` is about to send, each run carried out by `perform`. `None` when interrupted before there was one, or
/// when too little was answered to tell.
///
/// # Errors
/// The built-in engine or the runs against it could not be started.
pub(crate) fn calibrate(
    prepared: &Prepared,
    stop: &Stop,
    perform: Perform<'_>,
) -> Result<Option<Calibration>, Failure> {
    let folder =
        tempfile::tempdir().map_err(|error| miette::miette!("no temporary folder to calibrate in: {error}"))?;
    let load = shape(&prepared.resolved.plan);
    let mut floor = Floor { prepared, out: folder.path(), perform, part: 0 };
    let (shaped, logs) = floor.run(load.clone(), GAP)?;
    let streams = load.places().min(MOST_STREAMS / floor.at_once()).max(1);
    let (carried, _) = floor.run(Load::Closed { concurrency: streams }, Nanos::ZERO)?;
    if stop.is_asked() {
        return Ok(None);
    }
    // Figures are judged target by target: so is the floor, by the worst off.
    let ttft = |target: &'_ TargetSummary| Some(target.metrics.get(&Metric::Ttft)?.p50.known()?.value);
    let slowest = |a: &&TargetSummary, b: &&TargetSummary| ttft(a).partial_cmp(&ttft(b)).unwrap_or(Ordering::Equal);
    let rate = |target: &TargetSummary| target.throughput.requests_per_s.value;
    let shape = shaped.summary.targets.iter().max_by(slowest);
    let most = carried.summary.targets.iter().min_by(|a, b| rate(a).total_cmp(&rate(b)));
    let (Some(shape), Some(most)) = (shape, most) else { return Ok(None) };
    let Some(ttft) = shape.metrics.get(&Metric::Ttft) else { return Ok(None) };
    let (Some(p50), itl) = (ttft.p50.known(), itl_errors(&shaped, &logs)?) else { return Ok(None) };
    let window = most.throughput.window_ns.as_secs_f64().max(f64::EPSILON);
    let events = most.output_tokens as f64 / most.tokens_per_event.max(f64::EPSILON);
    let error = |quantile| (!itl.is_empty()).then(|| stats::quantile::quantile(&itl, quantile));
    Ok(Some(Calibration {
        load: match floor.at_once() {
            1 => load.to_string(),
            targets => format!("{load}, at each of {targets} targets at once"),
        },
        requests: shape.completed,
        ttft_p50_ns: p50.value,
        ttft_p99_ns: ttft.p99.known().map(|p99| p99.value),
        itl_error_p50_ns: error(0.5),
        itl_error_p99_ns: error(0.99),
        most_requests_per_s: most.throughput.requests_per_s.value,
        most_events_per_s: events / window,
    }))
}

/// The load whose floor is wanted; of a search, the most it may come to.
fn shape(plan: &Plan) -> Load {
    let level = |axis: Axis, highest: Option<f64>| plan.load.at(axis, highest.unwrap_or(SEARCHED));
    let searched = match plan.search {
        Some(Search::Sweep { axis, highest, .. } | Search::FindMax { axis, highest, .. }) => level(axis, highest),
        None => None,
    };
    match searched.unwrap_or_else(|| plan.load.clone()) {
        // One wave is like the other.
        Load::Crowd { users, every_ns, .. } => Load::Crowd { users, waves: 1, every_ns },
        load => load,
    }
}

struct Floor<'a> {
    prepared: &'a Prepared,
    out: &'a std::path::Path,
    perform: Perform<'a>,
    part: u8,
}

impl Floor<'_> {
    /// Targets that are measured at the same time.
    fn at_once(&self) -> u32 {
        let plan = &self.prepared.resolved.plan;
        if plan.side_by_side { u32::try_from(plan.targets.len()).unwrap_or(u32::MAX).max(1) } else { 1 }
    }

    /// One run against engines that answer at once, with `gap` between events; also what each engine wrote when.
    fn run(&mut self, load: Load, gap: Nanos) -> Result<(Finished, Vec<Vec<Entry>>), Failure> {
        let pace = Pace::Fixed { ttft: Nanos::ZERO, itl: gap };
        let keep_log = gap > Nanos::ZERO;
        let mut resolved = self.prepared.resolved.clone();
        let model = resolved.simulated_model().to_owned();
        let config = Config { pace, keep_log, model, ..Config::new(Engine::OpenAi) };
        let start = |_| Sim::start(config.clone()).map_err(Report::from);
        let sims = (0..self.at_once()).map(start).collect::<Result<Vec<_>, _>>()?;
        (resolved.targets, resolved.plan.targets) = (Vec::new(), Vec::new());
        for sim in &sims {
            resolved.add_simulated(MockEngine::Openai, &sim.url()).map_err(Report::from)?;
        }
        resolved.plan = plain(resolved.plan, load, self.out);
        let job = Job { plan: resolved.plan, targets: resolved.targets, ..job(self.prepared, None) };
        self.part += 1;
        let finished = (self.perform)(job, self.part)?;
        Ok((finished, sims.iter().map(Sim::take_log).collect()))
    }
}

/// The plan of a short run for a floor: nothing adaptive, nothing that stops or slows it.
fn plain(plan: Plan, load: Load, out: &std::path::Path) -> Plan {
    let enough = match (&load, plan.stop) {
        (Load::Crowd { users, .. }, _) => Enough::Requests(u64::from(*users)),
        (_, Enough::DurationNs(length)) => Enough::DurationNs(length.min(LENGTH)),
        (_, Enough::Requests(_)) => Enough::DurationNs(LENGTH),
    };
    let workload = schema::plan::Workload { max_tokens: plan.workload.max_tokens.min(TOKENS), ..plan.workload };
    Plan {
        grace_ns: LENGTH,
        warmup: plan.warmup,
        seed: plan.seed,
        transport: plan.transport,
        keep_text: plan.keep_text,
        out: out.to_owned(),
        side_by_side: plan.side_by_side,
        ..Plan::plain("calibration", plan.targets, workload, load, enough)
    }
}

/// How far each gap was from what the engine wrote, ascending, nanoseconds.
fn itl_errors(finished: &Finished, logs: &[Vec<Entry>]) -> Result<Vec<f64>, Failure> {
    let run = Run::open(&finished.path).map_err(Report::from)?;
    let mut errors = Vec::new();
    for (target, log) in finished.manifest.plan.targets.iter().zip(logs) {
        let truth = written(log);
        for record in run.records(&target.name).map_err(Report::from)? {
            let record = record.map_err(Report::from)?;
            let known = record.request_id.as_ref().and_then(|id| truth.get(id.raw()));
            if let (Phase::Measured, Some((received, written))) = (record.phase, known) {
                errors.extend(stats::errors(&record, *received, written).into_iter().flat_map(|errors| errors.itl));
            }
        }
    }
    errors.sort_by(f64::total_cmp);
    Ok(errors)
}

/// When each request had come in, and when each piece of its answer was written.
fn written(log: &[Entry]) -> HashMap<&str, (u64, Vec<u64>)> {
    let mut truth: HashMap<&str, (u64, Vec<u64>)> = HashMap::new();
    for entry in log {
        let (received, written) = truth.entry(&entry.request_id).or_default();
        *received = entry.received_ns;
        if entry.content {
            written.push(entry.before_ns);
        }
    }
    truth
}
