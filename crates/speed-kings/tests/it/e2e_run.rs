//! What end-to-end tests share: simulated engines to measure, and a finished run read back from its folder.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use schema::record::{FailureClass, Outcome, Phase, Record};
use schema::summary::TargetSummary;
use schema::units::Nanos;
use serde_json::Value;
use sim::{Config, Engine, Fault, Pace, Sim};
use store::Run;

use crate::command::Desk;

/// Nobody listens here.
pub(crate) const DEAD: &str = "http://127.0.0.1:1";

/// How long something that must happen may take on a machine that is busy with other work.
const PATIENCE: Duration = Duration::from_mins(1);

/// An engine that answers at once.
pub(crate) fn prompt_engine(engine: Engine) -> Config {
    Config { pace: Pace::Fixed { ttft: Nanos::from_millis(1), itl: Nanos::ZERO }, ..Config::new(engine) }
}

/// An engine that takes its time to the first token, and then between tokens.
pub(crate) fn slow_engine(engine: Engine, ttft_ms: u64, itl_ms: u64) -> Config {
    let pace = Pace::Fixed { ttft: Nanos::from_millis(ttft_ms), itl: Nanos::from_millis(itl_ms) };
    Config { pace, ..Config::new(engine) }
}

/// An engine of which every request meets `fault`.
pub(crate) fn faulty_engine(engine: Engine, fault: Fault) -> Config {
    Config { faults: vec![fault.into()], ..prompt_engine(engine) }
}

pub(crate) fn start(config: Config) -> Sim {
    Sim::start(config).unwrap()
}

/// The flag that makes `sim` a target of the name.
pub(crate) fn target(name: &str, sim: &Sim) -> String {
    format!("--target={name}=openai-compatible@{}", sim.url())
}

/// The newest run of `desk`.
pub(crate) fn latest(desk: &Desk) -> Run {
    let results = desk.path().join("results");
    Run::open(&store::find(&results, "latest").unwrap()).unwrap()
}

/// Every record of one target, in the order in which they were written.
pub(crate) fn records(run: &Run, target: &str) -> Vec<Record> {
    let mut records = run.records(&target.parse().unwrap()).unwrap();
    let read: Vec<Record> = records.by_ref().map(Result::unwrap).collect();
    assert_eq!(records.problems(), [""; 0]);
    read
}

/// The records that count.
pub(crate) fn measured(run: &Run, target: &str) -> Vec<Record> {
    records(run, target).into_iter().filter(|record| record.phase == Phase::Measured).collect()
}

/// What is kept as one target's numbers.
pub(crate) fn summary(run: &Run, target: &str) -> TargetSummary {
    let summaries = run.summaries().unwrap();
    summaries.into_iter().find(|summary| summary.target.as_str() == target).unwrap()
}

/// The class a request failed with, if it did.
pub(crate) fn failure(record: &Record) -> Option<FailureClass> {
    match &record.outcome {
        Outcome::Failed(failure) => Some(failure.class),
        _ => None,
    }
}

/// Asserts that `text` is what the published schema `name` says.
#[track_caller]
pub(crate) fn check_schema(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../schemas/{name}.v{}.schema.json", schema::FORMAT_VERSION));
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
}

/// Waits until `what` is so.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether `text` is free of everything that could steer a terminal.
pub(crate) fn is_plain(text: &str) -> bool {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
    };
    !text.contains(steers)
}
