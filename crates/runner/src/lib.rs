//! Carries out one plan from start to finish: prepare, warm up, take turns, seal, summarise.
//!
//! ```text
//! Plan ─▶ Agenda ──next turns─▶ load threads (one runtime each) ──records──▶ recorder thread ─▶ store
//!           ▲                      └─ transport, turn by turn                  │ └─ Progress ─▶ whoever watches
//!           └──────────── what was seen of the turn: searches, verdicts ───────┘
//!        at the end: store ─▶ stats ─▶ Summary ─▶ seal
//! ```
//!
//! Invariants:
//! - Targets take turns block by block, or step by step of their searches; a turn is one target's, and all load threads
//!   work on it. Side by side, all turns of a block begin at one instant, on connections opened before, and the next
//!   block when all have ended. What comes next is decided between turns, never while one goes on.
//! - Each attempt at a request is a record of its own. What a request waits before it leaves (back-off, published
//!   limits, money) is between its `scheduled`, the same for all attempts at it, and its `start`.
//! - One target's troubles (down, out of limits) hold up no other.
//! - A record leaves its thread through a bounded queue. The recorder may not lose one; viewers may
//!   miss progress.
//! - Whatever happens after the run directory exists, it is sealed: complete, interrupted or failed.
//! - The summary is made from what is on disk, so what is shown is what was kept.

mod agenda;
mod budget;
mod conclude;
mod conversations;
mod decision;
mod error;
mod hope;
mod limits;
mod machine;
mod precision;
mod recorder;
mod requests;
mod retry;
mod scrape;
mod search;
mod sender;
mod standing;
mod stop;
mod turns;
mod workers;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use jiff::{Timestamp, Zoned};
use schema::manifest::{Found, Manifest, Status};
use schema::plan::Plan;
use schema::progress::{Follow, Progress};
use schema::record::{Failure, Phase};
use schema::summary::{Calibration, Summary};
use schema::target::{Credentialed, Target, TargetName};
use schema::units::{Nanos, Usd};
use store::RunDir;
use transport::{Clock, Connector, Proxy};
use uuid::Uuid;
use workload::{Prompts, Trace};

pub use conclude::{End, Numbers, Pages, conclude, numbers, numbers_and_records, recompute};
pub use error::RunError;
pub use stop::Stop;

use budget::Budget;
use recorder::{Desk, Message};
use requests::Requests;
use scrape::{Scrape, Scraper};
use standing::Standing;
use workers::Worked;

/// One plan with all it takes to carry it out.
pub struct Job {
    /// What is to be done.
    pub plan: Plan,
    /// The plan's targets with their keys, in the plan's order.
    pub targets: Vec<Credentialed>,
    /// What is asked.
    pub prompts: Prompts,
    /// The trace whose arrivals are replayed, where the load is one.
    pub trace: Option<Arc<Trace>>,
    /// This machine's own floor, where it was measured.
    pub calibration: Option<Calibration>,
    /// The proxy for TLS targets.
    pub proxy: Option<Proxy>,
    /// What the targets' servers have said of themselves, kept with the run; it adds the round trips.
    pub found: Vec<Found>,
    /// Notes made while preparing, kept with the run.
    pub notes: Vec<String>,
    /// Words to put on the run.
    pub tags: Vec<String>,
    /// Version of the program, for the manifest.
    pub program_version: String,
    /// Makes further files from the summary.
    pub pages: Pages,
    /// The run's clock: whoever draws the run knows by it what time it is there.
    pub clock: Clock,
    /// How closely the run is followed.
    pub follow: Follow,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// Its directory.
    pub path: PathBuf,
    /// Its manifest as sealed.
    pub manifest: Manifest,
    /// Its numbers.
    pub summary: Summary,
    /// Targets that were given up before measuring or dropped while it went on, and why.
    pub given_up: Vec<(TargetName, Failure)>,
}

/// How many records may wait for the disk.
const QUEUE: usize = 65_536;

/// Carries out `job`, blocking until it is over. `watch` is called from the recorder's thread.
///
/// # Errors
/// When the run cannot begin (no run directory, no connections or threads to be had, no money for any target), or its
/// records could not be kept.
/// Once there is a run directory, the run is sealed as failed first.
#[expect(clippy::needless_pass_by_value, reason = "a job is carried out once")]
pub fn run(job: Job, stop: &Stop, watch: impl FnMut(Progress) + Send + 'static) -> Result<Finished, RunError> {
    let run_id = Uuid::now_v7();
    let means = Means::of(&job, run_id)?;
    let _stamps = transport::hold_stamps_on();
    let secrets: Vec<_> = job.targets.iter().filter_map(|target| target.key.clone()).collect();
    let manifest = manifest(&job, run_id);
    let mut directory = RunDir::create(&job.plan.out, &manifest, Zoned::now().datetime(), &secrets)?;
    // Whatever happens from here on, the run is sealed.
    let done = carry_out(&job, means, &directory, stop, watch);
    // Who asks from here on interrupts nothing any more.
    let is_interrupted = stop.is_asked();
    let Done { mut notes, found, given_up, trouble } = done;
    directory.learn(found);
    let summary = guarded(|| recompute(&directory.run())).map(|numbers| {
        notes.extend(numbers.problems);
        numbers.summary
    });
    let status = match (&trouble, &summary) {
        (Some(_), _) | (None, Err(_)) => Status::Failed,
        (None, Ok(_)) if is_interrupted => Status::Interrupted,
        (None, Ok(_)) => Status::Complete,
    };
    let end = End { status, ended: Timestamp::now(), summary: summary.as_ref().ok(), notes: &notes, pages: &job.pages };
    let sealed = seal(&mut directory, &end);
    let path = directory.path().to_owned();
    match (trouble, sealed) {
        (Some(trouble), Ok(_) | Err(RunError::Panicked { .. })) => Err(trouble),
        // What stopped the run is likely what keeps it from being sealed.
        (Some(trouble), Err(_)) => Err(RunError::NotSealed { path, trouble: Box::new(trouble) }),
        (None, sealed) => Ok(Finished { path, manifest: sealed?, summary: summary?, given_up }),
    }
}

/// Seals the run; where a bug keeps its numbers from being told, without them and as failed.
fn seal(directory: &mut RunDir, end: &End<'_>) -> Result<Manifest, RunError> {
    let sealed = guarded(|| conclude(directory, end));
    if matches!(sealed, Err(RunError::Panicked { .. })) {
        guarded(|| conclude(directory, &End { status: Status::Failed, summary: None, ..*end }))?;
    }
    sealed
}

/// Does `work`, whose panics are trouble like any other: the run is sealed all the same.
fn guarded<T, E: Into<RunError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| RunError::Panicked { thread: "run" })?.map_err(Into::into)
}

/// What a run needs of the system before there is anything on disk.
struct Means {
    /// Requests in flight at most.
    reach: u32,
    requests: Requests,
    connector: Connector,
    scrape: Option<Scrape>,
}

impl Means {
    fn of(job: &Job, run_id: Uuid) -> Result<Self, RunError> {
        let requests = Requests::new(&job.plan, &job.targets, &job.prompts, run_id);
        require_money(&job.plan, &requests)?;
        Ok(Self {
            reach: require_descriptors(&job.plan)?,
            requests,
            connector: Connector::new(&job.plan.transport, job.proxy.clone(), job.clock)?,
            scrape: Scrape::prepare(&job.plan, &job.targets, job.proxy.clone(), job.clock)?,
        })
    }
}

/// What came of carrying a plan out.
struct Done {
    /// What is to be kept with the run, each once.
    notes: Vec<String>,
    found: Vec<Found>,
    given_up: Vec<(TargetName, Failure)>,
    /// What went wrong on our side, the worst of it.
    trouble: Option<RunError>,
}

/// Does all that is between a run's directory and its seal.
fn carry_out(
    job: &Job,
    means: Means,
    directory: &RunDir,
    stop: &Stop,
    watch: impl FnMut(Progress) + Send + 'static,
) -> Done {
    let standings = standing::standings(&job.plan, stop);
    let (sender, receiver) = sync_channel(QUEUE);
    let begun = desk(job, directory, &standings, stop).and_then(|desk| recorder::start(desk, receiver, watch));
    let (kept, worked) = match begun {
        Ok(recorder) => {
            let worked = guarded(|| work(job, means, standings, stop, sender));
            (recorder.join().map_err(|_| RunError::Panicked { thread: "recorder" }), worked)
        }
        Err(error) => (Err(error), Ok(Worked::default())),
    };
    let mut notes = job.notes.clone();
    let (mut troubles, mut round_trips) = (Vec::new(), BTreeMap::new());
    match kept {
        Ok(kept) => {
            add_new(&mut notes, side_by_side(&job.plan).into_iter().chain(kept.notes));
            troubles.extend(kept.error.map(RunError::from));
            round_trips = kept.round_trips;
        }
        Err(error) => troubles.push(error),
    }
    let Worked { notes: further, given_up, panicked } = worked.unwrap_or_else(|error| {
        troubles.push(error);
        Worked::default()
    });
    add_new(&mut notes, further);
    troubles.extend(panicked.map(|thread| RunError::Panicked { thread }));
    Done { notes, found: found(job, &round_trips), given_up, trouble: troubles.into_iter().next() }
}

/// What the recorder writes with.
fn desk(job: &Job, directory: &RunDir, standings: &Arc<[Standing]>, stop: &Stop) -> Result<Desk, RunError> {
    Ok(Desk {
        writer: directory.writer(),
        log: directory.log()?,
        clock: job.clock,
        stop: stop.clone(),
        standings: Arc::clone(standings),
        tokenizer: job.prompts.tokenizer().cloned(),
        keep_text: job.plan.keep_text,
    })
}

/// What targets have said of themselves, and how far away they are where that was seen.
fn found(job: &Job, round_trips: &BTreeMap<TargetName, Nanos>) -> Vec<Found> {
    let of = |target: &Target| {
        let said = job.found.iter().find(|found| found.target == target.name);
        let about = said.map(|found| found.about.clone()).unwrap_or_default();
        let round_trip_ns = round_trips.get(&target.name).copied();
        let known = round_trip_ns.is_some() || !about.is_empty();
        known.then(|| Found { target: target.name.clone(), about, round_trip_ns })
    };
    job.plan.targets.iter().filter_map(of).collect()
}

/// Adds those of `more` that were not said before: some are told while the run goes on, too.
fn add_new(notes: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for note in more {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
}

/// Sends all there is to send, and reads the servers' metrics meanwhile. When it returns nobody holds `recorder` any more.
fn work(
    job: &Job,
    means: Means,
    standings: Arc<[Standing]>,
    stop: &Stop,
    recorder: SyncSender<Message>,
) -> Result<Worked, RunError> {
    let Means { reach, requests, connector, scrape } = means;
    let readings = scrape.map(|scrape| scrape.start(recorder.clone())).transpose()?;
    let plan = Arc::new(job.plan.clone());
    let crew = workers::Crew {
        requests: Arc::new(requests),
        budget: Arc::new(Budget::new(plan.budget_usd)),
        plan,
        targets: job.targets.clone(),
        connector,
        standings,
        stop: stop.clone(),
        recorder,
        metrics: readings.as_ref().map(Scraper::asker),
        offsets: job.trace.as_ref().map_or_else(|| Arc::from([]), |trace| trace.offsets()),
        reach,
        calibration: job.calibration.clone(),
        follow: job.follow,
    };
    let worked = crew.work();
    let scraped = readings.is_none_or(Scraper::finish);
    worked.map(|worked| Worked { panicked: worked.panicked.or((!scraped).then_some("metrics")), ..worked })
}

/// What a reader of the figures of targets that were measured together has to know.
fn side_by_side(plan: &Plan) -> Option<String> {
    let note = "all targets were measured at the same time, each block begun at one instant: they shared this machine and \
                its network";
    (turns::targets_at_once(plan) > 1).then(|| note.to_owned())
}

/// A run that can measure nothing for want of money need not begin, nor pay for a warm-up.
fn require_money(plan: &Plan, requests: &Requests) -> Result<(), RunError> {
    let Some(budget) = plan.budget_usd else { return Ok(()) };
    let phases = [Phase::Measured, Phase::Warmup].into_iter().take(if plan.warmup > 0 { 2 } else { 1 });
    let dearest_first = |(number, target): (usize, &Target)| {
        let price = target.price.as_ref()?;
        phases.clone().map(|phase| requests.most_of_first(number, phase, price)).max()
    };
    match plan.targets.iter().enumerate().map(|target| dearest_first(target).unwrap_or(Usd::ZERO)).min() {
        Some(least) if least > budget => Err(RunError::Unaffordable { budget, least }),
        _ => Ok(()),
    }
}

/// Connections need descriptors; so do logs, timers and the runtimes.
const OTHER_DESCRIPTORS: u64 = 256;

/// Makes room for the connections of the plan. Requests in flight at most: what the plan says or, where a search goes
/// as far as it can, what there is room for.
fn require_descriptors(plan: &Plan) -> Result<u32, RunError> {
    let (targets, at_once) = (plan.targets.len(), turns::targets_at_once(plan));
    let asked = search::places(plan).map(|places| places.saturating_mul(u32::try_from(at_once).unwrap_or(u32::MAX)));
    let places = asked.unwrap_or(search::MOST_STREAMS);
    // Where targets take turns, connections of one may linger while the next has its own.
    let lingering = if at_once < targets { 2 } else { 1 };
    let needed = u64::from(places) * lingering + OTHER_DESCRIPTORS;
    match transport::raise_descriptor_limit(needed) {
        Some(limit) if limit < u64::from(places) + OTHER_DESCRIPTORS => match asked {
            Some(_) => Err(RunError::Descriptors { needed, limit }),
            None => Ok(u32::try_from(limit.saturating_sub(OTHER_DESCRIPTORS)).unwrap_or(places).max(1)),
        },
        _ => Ok(places),
    }
}

fn manifest(job: &Job, run_id: Uuid) -> Manifest {
    let (version, plan) = (job.program_version.clone(), job.plan.clone());
    Manifest {
        git: machine::git(),
        calibration: job.calibration.clone(),
        found: job.found.clone(),
        tags: job.tags.clone(),
        ..Manifest::begun(run_id, version, plan, job.clock.epoch(), machine::machine())
    }
}

#[cfg(test)]
mod tests;
