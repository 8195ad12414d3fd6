//! What a long history costs: the numbers of a run of a million requests that was never sealed, as `results show` makes
//! them of its records; its seal; and a list and a trend over a thousand stored runs.
//!
//! Everything is made here, without an engine: two targets with half of the requests each, 32 events an answer.
//! Prints Markdown and fails where a bound is not kept; `just history` runs it. It takes about 3 GB of the temporary folder.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ground::{Folder, PROGRAM, Spent, watched};
use schema::event::{Event, EventKind, Stamp};
use schema::manifest::{Epoch, Machine, Manifest, Status};
use schema::plan::{Load, Plan, PromptSource, Size, Stop, Workload};
use schema::record::{FinishReason, HttpVersion, Outcome, Record, TokenCounts, TokenSource, Usage};
use schema::target::{AuthScheme, Target};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use stats::Measured;
use store::{RunDir, Seal};

const TARGETS: [&str; 2] = ["left", "right"];
const REQUESTS: u64 = 1_000_000;
const EVENTS: u32 = 32;
const BLOCKS: u32 = 10;
const RUNS: u64 = 1_000;

const SUMMARY: Bounds = Bounds { wall: Duration::from_secs(10), bytes: 2_000_000_000 };
const SEAL: Duration = Duration::from_mins(1);
const LIST: Duration = Duration::from_millis(100);
const TREND: Duration = Duration::from_secs(1);

struct Bounds {
    wall: Duration,
    bytes: u64,
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| what | bound | took | CPU | peak memory |\n| --- | --- | --- | --- | --- |");
    let kept = [long(), many()];
    assert!(kept.iter().all(|kept| *kept), "a bound was not kept");
}

/// One long run. Whether its bounds were kept.
fn long() -> bool {
    let folder = Folder::new("history-long");
    let mut run = record(folder.path(), REQUESTS, 0);
    let bytes: u64 = TARGETS.map(|name| size(&run.path().join(name).join(store::REQUESTS))).iter().sum();
    let show = ["results", "show", "latest", "--output", "json", "--out", text(folder.path())];
    let (spent, shown) = watched(Command::new(PROGRAM).args(show));
    assert!(shown.contains("\"attempted\": 500000"), "the numbers of half a million requests a target:\n{shown}");
    let million = format!("{REQUESTS} requests of {EVENTS} events, {:.1} GB of records", bytes as f64 / 1e9);
    let bound = format!("{} s, 2 GB", SUMMARY.wall.as_secs());
    row(&format!("numbers of {million}"), &bound, spent.wall, Some(spent));
    let begun = Instant::now();
    seal(&mut run, true);
    let sealed = begun.elapsed();
    row("its seal, without its numbers", &format!("{} s", SEAL.as_secs()), sealed, None);
    spent.wall < SUMMARY.wall && spent.peak_bytes < SUMMARY.bytes && sealed < SEAL
}

/// Many short ones. Whether the bounds were kept.
fn many() -> bool {
    let folder = Folder::new("history-many");
    stock(folder.path());
    let out = text(folder.path());
    let list = best(&["results", "list", "--output", "json", "--out", out]);
    row(&format!("list of {RUNS} runs, best of five"), "100 ms", list, None);
    let trend = best(&["trend", "left", "--output", "json", "--out", out]);
    row(&format!("trend over {RUNS} runs, best of five"), "1 s", trend, None);
    list < LIST && trend < TREND
}

fn row(what: &str, bound: &str, took: Duration, spent: Option<Spent>) {
    let none = || "–".to_owned();
    let cpu = spent.map_or_else(none, |spent| format!("{:.1} s", spent.cpu.as_secs_f64()));
    let memory = spent.map_or_else(none, |spent| format!("{:.0} MB", spent.peak_bytes as f64 / 1e6));
    println!("| {what} | {bound} | {:.3} s | {cpu} | {memory} |", took.as_secs_f64());
}

/// The shortest of five times that the program takes.
fn best(arguments: &[&str]) -> Duration {
    let once = || {
        let begun = Instant::now();
        let output = Command::new(PROGRAM).args(arguments).output().expect("the program starts");
        let took = begun.elapsed();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        took
    };
    (0..5).map(|_| once()).min().expect("it was run")
}

/// A folder of stored runs: eight that differ, each under many names and at as many times.
fn stock(out: &Path) {
    let patterns: Vec<PathBuf> = (0..8).map(|seed| pattern(&out.join("patterns"), seed)).collect();
    for number in 0..RUNS {
        let from = &patterns[usize::try_from(number % 8).expect("a small number")];
        let day =
            jiff::civil::date(2024, 1, 1).saturating_add(jiff::Span::new().days(i64::try_from(number).expect("few")));
        let to = out.join(format!("test_history_{}_080509", day.strftime("%Y%m%d")));
        copy(from, &to);
        let path = to.join(store::MANIFEST);
        let mut manifest: Manifest =
            serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("it is understood");
        manifest.run_id = run_id(number);
        manifest.epoch.wall = format!("{day}T08:05:09Z").parse().expect("a time");
        fs::write(&path, serde_json::to_vec_pretty(&manifest).expect("it is JSON")).expect("it can be written");
    }
    fs::remove_dir_all(out.join("patterns")).expect("they can be removed");
}

/// A sealed run of a few requests.
fn pattern(out: &Path, seed: u64) -> PathBuf {
    let mut run = record(out, 200, seed);
    seal(&mut run, false);
    run.path().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its kind").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy can be made");
        }
    }
}

/// A run of so many requests as it is when its process dies after the last.
fn record(out: &Path, requests: u64, seed: u64) -> RunDir {
    let now = jiff::civil::date(2026, 11, 22).at(8, 5, 9, 0);
    let run = RunDir::create(out, &manifest(requests, seed), now, &[]).expect("a run can begin");
    let mut writer = run.writer();
    let mut random = Random(seed);
    let each = requests / TARGETS.len() as u64;
    for index in 0..each {
        for name in TARGETS {
            writer.append(&request(name, index, each, &mut random)).expect("a record can be kept");
        }
    }
    writer.flush().expect("records can be kept");
    drop(writer);
    run
}

/// Seals a run, with its numbers or without.
fn seal(run: &mut RunDir, empty: bool) {
    let plan = run.manifest().plan.clone();
    let opened = run.run();
    let read = |name| opened.records(name).expect("it has records").map(|record| record.expect("a whole record"));
    let records: Vec<Record> = if empty { Vec::new() } else { opened.targets().flat_map(read).collect() };
    let samples = BTreeMap::new();
    let summary = (!empty).then(|| {
        stats::summarise(&plan, &Measured { records: &records, steps: &[], samples: &samples, calibration: None })
    });
    run.seal(Seal {
        status: Status::Complete,
        ended: "2026-11-22T09:05:09Z".parse().expect("a time"),
        summaries: summary.as_ref().map_or(&[], |summary| &summary.targets),
        curves: &[],
        comparison: summary.as_ref().and_then(|summary| summary.comparison.as_ref()),
        files: &[],
        quality: summary.as_ref().map(|summary| &summary.quality),
        calibration: None,
        notes: &[],
    })
    .expect("a run can be sealed");
}

fn request(name: &str, index: u64, each: u64, random: &mut Random) -> Record {
    let block = u32::try_from(index * u64::from(BLOCKS) / each).expect("few blocks");
    let start = 1_000_000_000 + index * 6_000_000 + u64::from(block) * 5_000_000_000;
    let first = start + random.skewed(50_000_000);
    let mut arrival = first;
    let mut events = Vec::new();
    for number in 1..=EVENTS {
        events.push(Event {
            arrival: Moment(arrival),
            lag_ns: u32::try_from(random.skewed(120_000)).unwrap_or(u32::MAX),
            bytes: 180 + u32::try_from(random.below(40)).expect("below 40"),
            tokens: 0,
            kind: if number == EVENTS { EventKind::Other } else { EventKind::Text },
            stamp: Stamp::Kernel,
            shared_read: random.below(100) == 0,
        });
        arrival += random.skewed(10_000_000);
    }
    let output = u64::from(EVENTS) - 1;
    Record {
        block,
        prompt: u32::try_from(index % 100).expect("below 100"),
        max_tokens: 64,
        http: Some(HttpVersion::Http1),
        start_ns: Some(Moment(start)),
        sent_ns: Some(Moment(start + 15_000)),
        first_byte_ns: Some(Moment(first - 9_000)),
        headers_ns: Some(Moment(first - 8_000)),
        end_ns: Some(Moment(arrival)),
        status: Some(200),
        request_id: Some(Untrusted::from(format!("chatcmpl-{:032x}", random.next()).as_str())),
        request_bytes: 321,
        response_bytes: 6_400,
        reads: EVENTS,
        events: events.into(),
        usage: Some(Usage { input_tokens: Some(40), output_tokens: Some(output), ..Usage::default() }),
        tokens: Some(TokenCounts { input: Some(40), output, source: TokenSource::ServerUsage }),
        output_hash: Some(format!("{:016x}", random.next())),
        outcome: Outcome::Complete { finish: FinishReason::Length },
        ..Record::not_sent(name.parse().expect("a name"), index, Moment(start - 20_000))
    }
}

fn manifest(requests: u64, seed: u64) -> Manifest {
    let epoch = Epoch { monotonic_ns: 0, wall: "2026-11-22T08:05:09Z".parse().expect("a time") };
    let machine = Machine { os: "Linux".into(), cpu: "a processor".into(), cores: 2, memory_bytes: 8 << 30 };
    Manifest::begun(run_id(seed), "0.1.0".into(), plan(requests), epoch, machine)
}

fn run_id(number: u64) -> uuid::Uuid {
    uuid::Uuid::from_u64_pair(0x0192_f1a0_0000_7000, 0x8000_0000_0000_0000 | number)
}

fn plan(requests: u64) -> Plan {
    Plan {
        grace_ns: Nanos::from_secs(5),
        blocks: BLOCKS,
        seed: 42,
        slos: vec!["ttft_p95<200ms".parse().expect("an SLO")],
        out: "results".into(),
        ..Plan::plain(
            "history",
            TARGETS.map(target).into(),
            Workload::plain(PromptSource::BuiltIn(Size::Short), 64),
            Load::Closed { concurrency: 64 },
            Stop::Requests(requests / TARGETS.len() as u64),
        )
    }
}

fn target(name: &str) -> Target {
    Target {
        auth: AuthScheme::Bearer,
        simulated: true,
        ..Target::plain(
            name.parse().expect("a name"),
            "vllm",
            "sim-vllm",
            "http://127.0.0.1:8000/v1/chat/completions".parse().expect("a URL"),
        )
    }
}

/// Numbers by chance, always the same (`SplitMix64`: G. L. Steele et al., *OOPSLA* 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From half of `middle` upwards, rarely far above it.
    fn skewed(&mut self, middle: u64) -> u64 {
        let [one, other] = [(); 2].map(|()| self.below(1_000));
        middle / 2 + middle * one / 1_000 + middle * other * other * other / 4_000_000_000
    }
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("a file of records").len()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is text")
}
