//! What the tests share: plans, and runs of them.

use std::path::Path;

use runner::{Finished, Job, Stop as Asked};
use schema::plan::{Load, Plan, PromptSource, Size, Stop, TransportPlan, Workload};
use schema::record::{FailureClass, Outcome, Record};
use schema::target::{AuthScheme, Credentialed, Dialect, Encoding, Target, TargetName};
use schema::units::Nanos;
use sim::{Config, Engine, Pace, Sim};

/// A simulated engine that answers after five milliseconds with all tokens at once.
pub(crate) fn quick() -> Config {
    let pace = Pace::Fixed { ttft: Nanos::from_millis(5), itl: Nanos::ZERO };
    Config { pace, ..Config::new(Engine::OpenAi) }
}

pub(crate) fn start(config: Config) -> Sim {
    Sim::start(config).unwrap()
}

/// A target that speaks OpenAI chat at `url`, which has no path.
pub(crate) fn target(name: &str, url: &str) -> Target {
    Target {
        name: name.parse().unwrap(),
        provider: "openai-compatible".into(),
        model: "sim-openai".into(),
        url: format!("{url}/v1/chat/completions").parse().unwrap(),
        dialect: Dialect::OpenaiChat,
        encoding: Encoding::default(),
        auth: AuthScheme::None,
        key_variable: None,
        headers: Vec::new(),
        price: None,
        metrics_url: None,
        simulated: true,
    }
}

/// Short prompts and answers of four tokens, in a closed loop.
pub(crate) fn plan(targets: Vec<Target>, concurrency: u32, requests: u64) -> Plan {
    Plan {
        name: "test".into(),
        targets,
        workload: Workload::plain(PromptSource::BuiltIn(Size::Short), 4),
        load: Load::Closed { concurrency },
        stop: Stop::Requests(requests),
        grace_ns: Nanos::from_secs(5),
        warmup: 0,
        blocks: 1,
        seed: 7,
        slos: Vec::new(),
        budget_usd: None,
        transport: TransportPlan::default(),
        keep_text: false,
        out: "results".into(),
        search: None,
        until: None,
        retry: None,
        respect_limits: false,
        drop_after: 0,
        scrape_ns: None,
        gpu_metrics: None,
    }
}

/// A run that is over, with its directory.
pub(crate) struct Done {
    pub(crate) finished: Finished,
    _out: tempfile::TempDir,
}

pub(crate) fn run(plan: Plan) -> Done {
    let out = tempfile::tempdir().unwrap();
    let plan = Plan { out: out.path().to_owned(), ..plan };
    let prompts = workload::prepare(&plan.workload, plan.seed, workload::Sources::default()).unwrap();
    let targets = plan.targets.iter().map(|target| Credentialed { target: target.clone(), key: None }).collect();
    let job = Job {
        plan,
        targets,
        prompts,
        trace: None,
        calibration: None,
        proxy: None,
        notes: Vec::new(),
        program_version: "0".into(),
        pages: Box::new(|_, _| Vec::new()),
    };
    Done { finished: runner::run(job, &Asked::new(), |_| {}).unwrap(), _out: out }
}

impl Done {
    /// The records of a target, by index and attempt.
    pub(crate) fn records(&self, target: &str) -> Vec<Record> {
        let path: &Path = &self.finished.path;
        let name: TargetName = target.parse().unwrap();
        let mut records: Vec<_> =
            store::Run::open(path).unwrap().records(&name).unwrap().map(|record| record.unwrap()).collect();
        records.sort_by_key(|record| (record.index, record.attempt));
        records
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.finished.manifest.notes
    }
}

pub(crate) fn class(record: &Record) -> Option<FailureClass> {
    match &record.outcome {
        Outcome::Failed(failure) => Some(failure.class),
        _ => None,
    }
}
