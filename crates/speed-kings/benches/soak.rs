//! Many streams for a long time: 10,000 of ten events a second, for as long as asked (`just soak 10m`), or with another gap
//! between events (`just soak 10m 1s`).
//!
//! It fails when a request has no record or two, ends in a failure, when
//! the client's memory grows while it measures (resident set after three tenths of the time against nineteen
//! twentieths of it), or when the descriptors of its connections have not been returned by the time it makes
//! its summary. Prints what it saw.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ground::{Engine, Folder, PROGRAM};
use schema::record::Outcome;
use schema::units::Nanos;
use store::Run;

const STREAMS: &str = "10000";

/// Events an answer.
const EVENTS: &str = "100";

/// Growth of the resident set that is no growth: buffers still finding their size.
const TOLERANCE: f64 = 1.10;

/// Descriptors beside connections: files, timers, the runtime's own.
const OTHER_DESCRIPTORS: usize = 64;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let mut asked = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let (asked, gap) = (asked.next(), asked.next());
    let length = asked.map_or(Ok(Nanos::from_secs(600)), |text| text.parse());
    let length = Duration::from(length.expect("a length of time such as `10m`"));
    let folder = Folder::new("soak");
    let engine = Engine::start("100ms", gap.as_deref().unwrap_or("100ms"), None);
    let out = folder.path().join("results");
    let seen = watch(&engine, &out, length);
    engine.stop();
    let run = fs::read_dir(&out).expect("a run was kept").next().expect("one").expect("readable").path();
    let (records, events) = check_records(&run);
    let at = |share: f64| seen.iter().min_by_key(|state| state.after.abs_diff(length.mul_f64(share)));
    let (early, late) = (at(0.3).expect("it was watched"), at(0.95).expect("it was watched"));
    let last = seen.last().expect("it was watched");
    let peak = seen.iter().map(|state| state.bytes).max().unwrap_or(0);
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!(
        "| records | events | memory at 30 % | at 95 % | peak with the summary | descriptors at most | at the end |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    println!(
        "| {records} | {events} | {:.0} MiB | {:.0} MiB | {:.0} MiB | {} | {} |",
        mebibytes(early.bytes),
        mebibytes(late.bytes),
        mebibytes(peak),
        seen.iter().map(|state| state.descriptors).max().unwrap_or(0),
        last.descriptors,
    );
    assert!(late.bytes as f64 <= early.bytes as f64 * TOLERANCE, "memory grew while it measured");
    assert!(last.descriptors <= OTHER_DESCRIPTORS, "{} descriptors were not returned", last.descriptors);
}

/// How the client stood at one moment.
struct State {
    after: Duration,
    /// Resident set.
    bytes: u64,
    descriptors: usize,
}

/// Runs the benchmark, looking at it four times a second until it ends.
fn watch(engine: &Engine, out: &Path, length: Duration) -> Vec<State> {
    let target = format!("soak=vllm@{}", engine.url);
    let duration = format!("{}s", length.as_secs());
    let mut command = Command::new(PROGRAM);
    command.args(["benchmark", "--target", &target, "--model", "sim-vllm", "--concurrency", STREAMS]);
    command.args(["--duration", &duration, "--max-tokens", EVENTS, "--blocks", "1", "--warmup", "0", "--out"]);
    let begun = Instant::now();
    let mut client = command.arg(out).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let mut seen = Vec::new();
    while client.try_wait().expect("it is ours").is_none() {
        seen.extend(state(client.id(), begun.elapsed()));
        sleep(Duration::from_millis(250));
    }
    seen
}

fn state(pid: u32, after: Duration) -> Option<State> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.trim().split(' ').next()?.parse().ok()?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    Some(State { after, bytes: kib * 1024, descriptors })
}

/// Every request has exactly one record, numbered without gaps; how many, and their events.
fn check_records(run: &Path) -> (u64, u64) {
    let run = Run::open(run).expect("the run opens");
    let name = run.manifest.plan.targets[0].name.clone();
    let (mut indexes, mut events) = (BTreeSet::new(), 0);
    for record in run.records(&name).expect("the target has records") {
        let record = record.expect("a whole record");
        assert!(indexes.insert(record.index), "request {} has two records", record.index);
        let well = matches!(record.outcome, Outcome::Complete { .. } | Outcome::Cancelled | Outcome::Interrupted);
        assert!(well, "request {} ended as {:?}", record.index, record.outcome);
        events += record.events.len() as u64;
    }
    let records = indexes.len() as u64;
    assert_eq!(indexes.last().map(|last| last + 1), Some(records), "no number is missing");
    (records, events)
}
