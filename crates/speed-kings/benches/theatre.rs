//! Whether being watched changes what is measured: the same runs without a screen and with one.
//!
//! Simulated engines in processes of their own serve at a fixed pace. Each load is measured in pairs of runs, one with
//! its output in pipes, where nothing is drawn, and one in a pseudo-terminal of 250 × 70 cells that is read as fast as it
//! is written to; which of them comes first alternates. What is compared is what the records say: TTFT and ITL over all
//! requests, and how far they are from the engines' own logs, with the 95 % interval of the difference (both sides
//! resampled jointly, pair by pair); how late the client was (client lag, schedule lag); and what it cost.
//!
//! Engines have a processor of their own, as they have on a machine of their own; client, screen and the terminal that
//! reads it share the others. Where all share all, a screen may make the *engine* late, which shows in TTFT and ITL and not
//! in their errors: those are the client's. One of the loads is measured like that, too.
//!
//! `just theatre` takes twelve pairs of each load, some fifteen minutes; `just theatre 2` shows that it works. Prints
//! Markdown. For Linux, on at least two processors.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use ground::processors::confine;
use ground::truth::Truth;
use ground::{Engine, Folder, PROGRAM, Spent, watch, watched};
use pty_process::Size;
use pty_process::blocking::{Command as PtyCommand, Pty, open};
use schema::manifest::Status;
use schema::metric::Metric;
use schema::record::{Phase, Record};
use stats::Errors;
use stats::inference::{Design, Side, Statistic, difference, interval};
use store::Run;

/// Pairs of runs unless told: fewer than twelve are not resampled whole.
const PAIRS: u32 = 12;

/// Rows and columns of the terminal: the most that there is to draw.
const SIZE: (u16, u16) = (70, 250);

/// One way of being watched.
struct Scene {
    title: &'static str,
    /// Whether engines have a processor of their own.
    apart: bool,
    engines: usize,
    /// Gap between an engine's events.
    gap: &'static str,
    arguments: &'static [&'static str],
}

const RACE: Scene = Scene {
    title: "`race`: four lanes of 50 tokens a second, every piece of text drawn",
    apart: true,
    engines: 4,
    gap: "20ms",
    arguments: &["race", "--runs", "10", "--max-tokens", "40"],
};

const SCENES: [Scene; 4] = [
    RACE,
    Scene {
        title: "`benchmark`: 64 streams of 50 events a second, the live view drawn",
        apart: true,
        engines: 1,
        gap: "20ms",
        arguments: &["benchmark", "--concurrency", "64", "--requests", "256", "--max-tokens", "50", "--warmup", "1"],
    },
    Scene {
        title: "`benchmark`: 1,000 streams of 10 events a second, the live view drawn",
        apart: true,
        engines: 1,
        gap: "100ms",
        arguments: &["benchmark", "--concurrency", "1000", "--requests", "1000", "--max-tokens", "50", "--blocks", "1"],
    },
    Scene {
        title: "`race` as above, engines, client, screen and terminal on the same processors",
        apart: false,
        ..RACE
    },
];

/// What is compared.
#[derive(Clone, Copy)]
enum Figure {
    /// What a run reports.
    Reported(Metric),
    /// How far the reported TTFT is from what the engine knows.
    TtftError,
    /// How far the reported ITL is from it.
    ItlError,
}

/// All figures, and at which quantiles.
const FIGURES: [(Figure, &[f64]); 6] = [
    (Figure::Reported(Metric::Ttft), &[0.5, 0.95, 0.99]),
    (Figure::Reported(Metric::Itl), &[0.5, 0.95, 0.99]),
    (Figure::TtftError, &[0.5, 0.99]),
    (Figure::ItlError, &[0.5, 0.99]),
    (Figure::Reported(Metric::ClientLag), &[0.5, 0.99]),
    (Figure::Reported(Metric::ScheduleLag), &[0.5, 0.99]),
];

impl Figure {
    fn name(self) -> String {
        match self {
            Self::Reported(metric) => metric.heading().to_owned(),
            Self::TtftError => "TTFT error".to_owned(),
            Self::ItlError => "ITL error".to_owned(),
        }
    }
}

fn main() {
    // `cargo test` and `cargo nextest` list and run benches too; there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let pairs = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let pairs = pairs.map_or(PAIRS, |pairs| pairs.parse().expect("a number of pairs"));
    for scene in &SCENES {
        let [without, with] = measure(scene, pairs);
        print(scene, pairs, &without, &with);
    }
}

/// All runs of one kind.
#[derive(Default)]
struct Measured {
    /// Measured records, each with its pair and how far it is from the truth, in the order in which they began.
    records: Vec<(u32, Errors, Record)>,
    cpu: Duration,
    /// Bytes that a terminal was sent.
    drawn: u64,
}

fn measure(scene: &Scene, pairs: u32) -> [Measured; 2] {
    let mut sides = [Measured::default(), Measured::default()];
    for pair in 0..pairs {
        let first = usize::from(pair % 2 == 1);
        for is_drawn in [first, 1 - first] {
            measure_once(scene, pair, is_drawn == 1, &mut sides[is_drawn]);
        }
    }
    sides
}

/// One run against fresh engines.
fn measure_once(scene: &Scene, pair: u32, is_drawn: bool, side: &mut Measured) {
    let folder = Folder::new("theatre");
    let out = folder.path().join("results");
    let named = |name: char| (name, folder.path().join(format!("{name}.jsonl")));
    let logs: Vec<(char, PathBuf)> = ('a'..).take(scene.engines).map(named).collect();
    if scene.apart {
        confine(|processor| processor == 0);
    }
    let engines: Vec<Engine> = logs.iter().map(|(_, log)| Engine::start("50ms", scene.gap, Some(log))).collect();
    // Whoever is started from here on, and the threads that read for them, are where this thread is.
    confine(|processor| !scene.apart || processor > 0);
    let mut command = Command::new(PROGRAM);
    command.args(scene.arguments).args(["--model", "sim-vllm"]).arg("--out").arg(&out);
    for ((name, _), engine) in logs.iter().zip(&engines) {
        command.args(["--target", &format!("{name}=vllm@{}", engine.url)]);
    }
    let (spent, drawn) = if is_drawn { in_a_terminal(command, &out) } else { (watched(&mut command).0, 0) };
    engines.into_iter().for_each(Engine::stop);
    let run = Run::open(&run_of(&out).expect("a run was kept")).expect("the run opens");
    for (name, log) in &logs {
        let truth = Truth::read(log);
        let read = run.records(&name.to_string().parse().expect("a name")).expect("the target has records");
        let read = read.map(|record| record.expect("a whole record")).filter(|record| record.phase == Phase::Measured);
        side.records.extend(read.map(|record| (pair, truth.errors(&record), record)));
    }
    side.records.sort_by_key(|(pair, _, record)| (*pair, record.start_ns));
    side.cpu += spent.cpu;
    side.drawn += drawn;
}

/// Runs `command` on a terminal of its own, leaves what stands there when the run in `out` is over, and returns what it
/// cost and how much it drew.
fn in_a_terminal(mut command: Command, out: &Path) -> (Spent, u64) {
    let (terminal, inside) = open().expect("the system has a terminal left");
    terminal.resize(Size::new(SIZE.0, SIZE.1)).expect("a terminal has a size");
    command.env("TERM", "xterm-256color").env_remove("NO_COLOR");
    let mut child = PtyCommand::from(command).spawn(inside).expect("the program starts");
    let watcher = watch(child.id());
    let terminal = Arc::new(terminal);
    let reader = {
        let terminal = Arc::clone(&terminal);
        std::thread::spawn(move || swallow(&terminal))
    };
    while child.try_wait().expect("the program is ours").is_none() {
        if is_sealed(out) {
            // It may be gone by now.
            drop((&*terminal).write_all(b"q"));
        }
        sleep(Duration::from_millis(100));
    }
    (watcher.join().expect("the watcher ends"), reader.join().expect("the reader ends"))
}

/// Reads all that a terminal is sent; how much that was.
fn swallow(mut terminal: &Pty) -> u64 {
    let mut bytes = vec![0; 64 << 10];
    let mut all = 0;
    // A terminal whose other end nobody holds reads as an error.
    while let Ok(count @ 1..) = terminal.read(&mut bytes) {
        all += count as u64;
    }
    all
}

fn run_of(out: &Path) -> Option<PathBuf> {
    Some(fs::read_dir(out).ok()?.next()?.ok()?.path())
}

fn is_sealed(out: &Path) -> bool {
    let run = run_of(out).and_then(|path| Run::open(&path).ok());
    run.is_some_and(|run| run.manifest.status != Status::Running)
}

fn print(scene: &Scene, pairs: u32, without: &Measured, with: &Measured) {
    println!("\n{}; {pairs} pairs of runs, {} requests each way\n", scene.title, without.records.len());
    println!("| | without a screen | with | difference | |\n| --- | --- | --- | --- | --- |");
    for (figure, quantiles) in FIGURES {
        let (one, other) = (Values::of(without, figure), Values::of(with, figure));
        for &quantile in quantiles {
            let what = format!("{} p{:.0}", figure.name(), quantile * 100.0);
            println!("| {what} | {} |", compared(&one, &other, Statistic::Quantile(quantile)));
        }
    }
    let cpu = |side: &Measured| side.cpu.as_secs_f64() / f64::from(pairs);
    println!("| CPU a run | {:.2} s | {:.2} s | {:+.2} s | |", cpu(without), cpu(with), cpu(with) - cpu(without));
    println!("| drawn a run | nothing | {:.0} kB | | |", with.drawn as f64 / f64::from(pairs) / 1e3);
}

/// Values of one figure, as they are resampled.
struct Values {
    values: Vec<f64>,
    pairs: Vec<u32>,
}

impl Values {
    fn of(side: &Measured, figure: Figure) -> Self {
        let mut all = Self { values: Vec::new(), pairs: Vec::new() };
        for (pair, errors, record) in &side.records {
            match figure {
                Figure::Reported(metric) => all.values.extend(stats::metric_values(record, metric)),
                Figure::TtftError => all.values.push(errors.ttft),
                Figure::ItlError => all.values.extend(&errors.itl),
            }
            all.pairs.resize(all.values.len(), *pair);
        }
        all
    }

    fn side(&self) -> Side<'_> {
        Side { values: &self.values, blocks: &self.pairs }
    }
}

/// Both figures with their intervals, their difference with its own, and what that says.
fn compared(without: &Values, with: &Values, statistic: Statistic) -> String {
    let (without, with) = (without.side(), with.side());
    let one = |side| interval(side, statistic, 0.95, 1).map_or_else(|| "too few".to_owned(), |it| millis(&it, ""));
    let change = difference(with, without, statistic, Design::Paired, 0.95, 1);
    let told = change.as_ref().map_or_else(String::new, |change| millis(change, "+"));
    let verdict = match change.and_then(|change| change.low.zip(change.high)) {
        None => "not known",
        Some((low, high)) if low <= 0.0 && 0.0 <= high => "equal within the interval",
        Some(_) => "differs",
    };
    format!("{} | {} | {told} | {verdict}", one(without), one(with))
}

/// An estimate in milliseconds, with its sign where that is wanted.
fn millis(estimate: &schema::summary::Estimate, sign: &str) -> String {
    let one = |nanos: f64| if sign.is_empty() { format!("{:.3}", nanos / 1e6) } else { format!("{:+.3}", nanos / 1e6) };
    match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{} ({} … {}) ms", one(estimate.value), one(low), one(high)),
        _ => format!("{} ms", one(estimate.value)),
    }
}
