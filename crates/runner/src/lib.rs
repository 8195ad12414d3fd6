//! Carries out one plan from start to finish: prepare, warm up, take turns, seal, summarise.
//!
//! ```text
//! Plan ─▶ turns ─▶ load threads (one runtime each) ──records──▶ recorder thread ─▶ store
//!                    └─ transport, target by target                └─ Progress ─▶ whoever watches
//!        at the end: store ─▶ stats ─▶ Summary ─▶ seal
//! ```
//!
//! Invariants:
//! - Targets take turns block by block; within a turn all load threads work on one target.
//! - A record leaves its thread through a bounded queue. The recorder may not lose one; viewers may
//!   miss progress.
//! - Whatever happens after the run directory exists, it is sealed: complete, interrupted or failed.
//! - The summary is made from what is on disk, so what is shown is what was kept.

mod budget;
mod conversations;
mod error;
mod hope;
mod limits;
mod machine;
mod recorder;
mod requests;
mod retry;
mod sender;
mod standing;
mod stop;
mod turns;
mod workers;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use jiff::{Timestamp, Zoned};
use schema::manifest::{Manifest, Status};
use schema::plan::Plan;
use schema::progress::Progress;
use schema::record::{Failure, Record};
use schema::summary::Summary;
use schema::target::{Credentialed, TargetName};
use store::{Run, RunDir, Seal};
use transport::{Clock, Connector, Proxy};
use uuid::Uuid;
use workload::Prompts;

pub use error::RunError;
pub use stop::Stop;

use budget::Budget;
use requests::Requests;

/// Makes further files of a run, such as `summary.csv`: paths within the run, and their bytes.
pub type Pages = Box<dyn Fn(&Summary, &Plan) -> Vec<(String, Vec<u8>)> + Send>;

/// One plan with all it takes to carry it out.
pub struct Job {
    /// What is to be done.
    pub plan: Plan,
    /// The plan's targets with their keys, in the plan's order.
    pub targets: Vec<Credentialed>,
    /// What is asked.
    pub prompts: Prompts,
    /// The proxy for TLS targets.
    pub proxy: Option<Proxy>,
    /// Notes made while preparing, kept with the run.
    pub notes: Vec<String>,
    /// Version of the program, for the manifest.
    pub program_version: String,
    /// Makes further files from the summary.
    pub pages: Pages,
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
/// When the run cannot begin (no run directory, no connections to be had), or its records could not
/// be kept; in the latter case the run is sealed as failed first.
pub fn run(job: Job, stop: &Stop, watch: impl FnMut(Progress) + Send + 'static) -> Result<Finished, RunError> {
    require_descriptors(&job.plan)?;
    let _stamps = transport::hold_stamps_on();
    let clock = Clock::start();
    let connector = Connector::new(&job.plan.transport, job.proxy.clone(), clock)?;
    let run_id = Uuid::now_v7();
    let manifest = manifest(&job, run_id, clock);
    let secrets: Vec<_> = job.targets.iter().filter_map(|target| target.key.clone()).collect();
    let mut directory = RunDir::create(&job.plan.out, &manifest, Zoned::now().datetime(), &secrets)?;

    let plan = Arc::new(job.plan);
    let requests = Arc::new(Requests::new(&plan, &job.targets, &job.prompts, run_id));
    let budget = Budget::new(plan.budget_usd);
    let standings = standing::standings(&plan, stop);
    let (sender, receiver) = sync_channel(QUEUE);
    let recorder = recorder::start(directory.writer(), directory.log()?, receiver, watch);
    let crew = workers::Crew {
        plan: Arc::clone(&plan),
        targets: job.targets,
        connector,
        requests,
        budget: Arc::new(budget),
        standings,
        stop: stop.clone(),
        recorder: sender,
    };
    let worked = crew.work();
    let mut notes = job.notes;
    let mut trouble = match recorder.join() {
        Ok(kept) => {
            notes.extend(kept.notes);
            kept.error.map(RunError::from)
        }
        Err(_) => Some(RunError::Panicked { thread: "recorder" }),
    };
    // Some were told while the run went on, too.
    let new = |note: &String| !notes.contains(note);
    let further: Vec<_> = worked.notes.into_iter().filter(new).collect();
    notes.extend(further);
    trouble = trouble.or(worked.panicked.then_some(RunError::Panicked { thread: "load" }));
    let summary = summarise(&directory, &plan, &mut notes);
    let status = match (&trouble, &summary) {
        (Some(_), _) | (None, Err(_)) => Status::Failed,
        (None, Ok(_)) if stop.is_asked() => Status::Interrupted,
        (None, Ok(_)) => Status::Complete,
    };
    let manifest = seal(&mut directory, status, summary.as_ref().ok(), &plan, &job.pages, &notes)?;
    match trouble {
        Some(trouble) => Err(trouble),
        None => {
            Ok(Finished { path: directory.path().to_owned(), manifest, summary: summary?, given_up: worked.given_up })
        }
    }
}

/// Ends the run directory, with the summary and what is made of it where there is one.
fn seal(
    directory: &mut RunDir,
    status: Status,
    summary: Option<&Summary>,
    plan: &Plan,
    pages: &Pages,
    notes: &[String],
) -> Result<Manifest, RunError> {
    let pages = summary.map_or_else(Vec::new, |summary| pages(summary, plan));
    let pages: Vec<_> = pages.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let manifest = directory.seal(Seal {
        status,
        ended: Timestamp::now(),
        summaries: summary.map_or(&[], |summary| &summary.targets),
        curves: summary.map_or(&[], |summary| &summary.curves),
        comparison: summary.and_then(|summary| summary.comparison.as_ref()),
        files: &pages,
        quality: summary.map(|summary| &summary.quality),
        calibration: summary.and_then(|summary| summary.calibration.as_ref()),
        notes,
    })?;
    Ok(manifest.clone())
}

/// Reads back what is on disk and makes its summary.
fn summarise(directory: &RunDir, plan: &Plan, notes: &mut Vec<String>) -> Result<Summary, RunError> {
    let run = Run::open(directory.path())?;
    let mut records: Vec<Record> = Vec::new();
    for target in &plan.targets {
        let mut of_target = run.records(&target.name)?;
        for record in of_target.by_ref() {
            records.push(record?);
        }
        notes.extend(of_target.problems());
    }
    Ok(stats::summarise(plan, &stats::Measured::records(&records)))
}

/// Connections need descriptors; so do logs, timers and the runtimes.
const OTHER_DESCRIPTORS: u64 = 256;

fn require_descriptors(plan: &Plan) -> Result<(), RunError> {
    let places = plan.load.places();
    // Connections of one target may linger while the next takes its turn.
    let needed = u64::from(places) * plan.targets.len().min(2) as u64 + OTHER_DESCRIPTORS;
    match transport::raise_descriptor_limit(needed) {
        Some(limit) if limit < u64::from(places) + OTHER_DESCRIPTORS => Err(RunError::Descriptors { needed, limit }),
        _ => Ok(()),
    }
}

fn manifest(job: &Job, run_id: Uuid, clock: Clock) -> Manifest {
    Manifest {
        format_version: schema::FORMAT_VERSION,
        run_id,
        status: Status::Running,
        program_version: job.program_version.clone(),
        simulated: job.plan.targets.iter().any(|target| target.simulated),
        plan: job.plan.clone(),
        epoch: clock.epoch(),
        ended: None,
        machine: machine::machine(),
        git: machine::git(),
        requests: None,
        quality: None,
        calibration: None,
        notes: Vec::new(),
        checksums: std::collections::BTreeMap::new(),
    }
}
