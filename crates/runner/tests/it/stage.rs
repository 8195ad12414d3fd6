//! What the tests share: an engine, a plan for it, and a run of that plan.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use runner::{Finished, Job, RunError, Stop};
use schema::curve::Step;
use schema::plan::{Load, Plan, PromptSource, Size, Stop as Enough, Workload};
use schema::progress::Progress;
use schema::record::{FailureClass, Outcome, Record};
use schema::target::{Credentialed, Encoding, Target};
use schema::units::Nanos;
use sim::{Config, Engine, Pace, Sim};
use tempfile::TempDir;
use workload::{Sources, Trace};

/// An engine that serves at that pace.
pub(crate) fn engine(pace: Pace) -> Sim {
    Sim::start(Config { pace, ..Config::new(Engine::Vllm) }).unwrap()
}

/// A vLLM that answers after five milliseconds with all tokens at once.
pub(crate) fn quick() -> Config {
    let pace = Pace::Fixed { ttft: Nanos::from_millis(5), itl: Nanos::ZERO };
    Config { pace, ..Config::new(Engine::Vllm) }
}

/// How a request failed.
pub(crate) fn class(record: &Record) -> Option<FailureClass> {
    match &record.outcome {
        Outcome::Failed(failure) => Some(failure.class),
        _ => None,
    }
}

fn target(name: &str, url: &str) -> Target {
    Target {
        encoding: Encoding { stream_options: true, ..Encoding::default() },
        simulated: true,
        ..Target::plain(
            name.parse().unwrap(),
            "vllm",
            "sim-vllm",
            format!("{url}/v1/chat/completions").parse().unwrap(),
        )
    }
}

/// One run, before it begins.
pub(crate) struct Stage {
    pub(crate) plan: Plan,
    pub(crate) trace: Option<Arc<Trace>>,
    pub(crate) stop: Stop,
    out: TempDir,
}

impl Stage {
    /// A run of `load` at these engines, named `a`, `b`….
    pub(crate) fn new(sims: &[&Sim], load: Load, enough: Enough) -> Self {
        Self::at(sims.iter().map(|sim| sim.url()), load, enough)
    }

    /// A run of so many requests, so many at once, at these engines.
    pub(crate) fn closed(sims: &[&Sim], concurrency: u32, requests: u64) -> Self {
        Self::new(sims, Load::Closed { concurrency }, Enough::Requests(requests))
    }

    /// As [`Stage::new`], at servers with these URLs.
    pub(crate) fn at(urls: impl Iterator<Item = String>, load: Load, enough: Enough) -> Self {
        let out = TempDir::new().unwrap();
        let targets = ('a'..).zip(urls).map(|(name, url)| target(&name.to_string(), &url)).collect();
        let plan = Plan {
            grace_ns: Nanos::from_secs(10),
            seed: 7,
            out: out.path().to_owned(),
            ..Plan::plain("test", targets, Workload::plain(PromptSource::BuiltIn(Size::Short), 4), load, enough)
        };
        Self { plan, trace: None, stop: Stop::new(), out }
    }

    /// Carries it out.
    pub(crate) fn run(&self) -> Result<Ran<'_>, RunError> {
        self.run_watched(|_| {})
    }

    /// Carries it out and shows what happens meanwhile.
    pub(crate) fn run_watched(&self, mut watch: impl FnMut(&Progress) + Send + 'static) -> Result<Ran<'_>, RunError> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = Arc::clone(&told);
        let finished = runner::run(self.job(), &self.stop, move |progress| {
            watch(&progress);
            telling.lock().unwrap().push(progress);
        })?;
        let told = std::mem::take(&mut *told.lock().unwrap());
        Ok(Ran { finished, told, _stage: self })
    }

    /// All that it takes.
    pub(crate) fn job(&self) -> Job {
        let sources = Sources { trace: self.trace.clone(), ..Sources::default() };
        let prompts = workload::prepare(&self.plan.workload, self.plan.seed, sources).unwrap();
        let targets = self.plan.targets.iter().map(|target| Credentialed { target: target.clone(), key: None });
        Job {
            plan: self.plan.clone(),
            targets: targets.collect(),
            prompts,
            trace: self.trace.clone(),
            calibration: None,
            proxy: None,
            found: Vec::new(),
            notes: Vec::new(),
            tags: Vec::new(),
            program_version: "0.0.0".to_owned(),
            pages: Box::new(|_, _| Vec::new()),
            clock: transport::Clock::start(),
            follow: schema::progress::Follow::Records,
        }
    }

    /// The folder of the only run there is.
    pub(crate) fn folder(&self) -> PathBuf {
        let mut runs = std::fs::read_dir(self.out.path()).unwrap();
        runs.next().unwrap().unwrap().path()
    }
}

/// A run that is over.
pub(crate) struct Ran<'a> {
    pub(crate) finished: Finished,
    pub(crate) told: Vec<Progress>,
    _stage: &'a Stage,
}

impl Ran<'_> {
    /// The records of a target as they are on disk, by index.
    pub(crate) fn records(&self, target: &str) -> Vec<Record> {
        let run = store::Run::open(&self.finished.path).unwrap();
        let mut records: Vec<Record> = run.records(&target.parse().unwrap()).unwrap().map(Result::unwrap).collect();
        records.sort_by_key(|record| (record.index, record.attempt));
        records
    }

    /// What a person is told at the end.
    pub(crate) fn notes(&self) -> &[String] {
        &self.finished.manifest.notes
    }

    /// The steps of a target as they are on disk.
    pub(crate) fn steps(&self, target: &str) -> Vec<Step> {
        let run = store::Run::open(&self.finished.path).unwrap();
        run.steps(&target.parse().unwrap()).unwrap().map(Result::unwrap).collect()
    }
}
