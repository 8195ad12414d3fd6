//! How far the reported TTFT and ITL are from the truth.
//!
//! A simulated engine in a process of its own writes down when it had each request and when it handed
//! each event to its socket. A benchmark in another process measures it. The error is what the
//! benchmark says minus what the engine knows:
//!
//! - TTFT: (arrival of the first content − start) − (first content written − request received). It
//!   contains the way there and back, and whatever our own sending and stamping add.
//! - ITL: (gap between arrivals) − (gap between writes).
//!
//! At 1, 64 and 1,000 streams, on an idle machine and with one busy process a core beside, with kernel
//! stamps and without. Prints Markdown; `just accuracy` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;

use std::path::Path;

use ground::truth::Truth;
use ground::{Engine, Folder, benchmark, keep_cores_busy};
use schema::record::Phase;
use store::Run;

/// Streams, gap between events, events an answer, requests.
const LOADS: [(u32, &str, u32, u32); 3] = [(1, "10ms", 100, 10), (64, "20ms", 100, 256), (1000, "100ms", 50, 2000)];

fn main() {
    // `cargo test` and `cargo nextest` list and run benches too; there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!(
        "| streams × events/s | machine | stamps | TTFT error p50 | p99 | ITL error p50 | p99 | shared reads | client lag p99 |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (streams, gap, events, requests) in LOADS {
        for busy in [false, true] {
            for kernel in [true, false] {
                let measured = measure(streams, gap, events, requests, busy, kernel);
                let rate = 1000 / gap.trim_end_matches("ms").parse::<u32>().expect("a gap in milliseconds");
                let machine = if busy { "busy" } else { "idle" };
                let stamps = if kernel { "kernel" } else { "user space" };
                println!("| {streams} × {rate} | {machine} | {stamps} | {measured} |");
            }
        }
    }
}

/// Errors in nanoseconds, without their sign.
struct Measured {
    ttft: Vec<f64>,
    itl: Vec<f64>,
    shared: f64,
    lag: Vec<f64>,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let micros = |values: &[f64], q: f64| format!("{:.0} µs", stats::quantile::quantile(values, q) / 1e3);
        let lag = if self.lag.is_empty() { "unknown".to_owned() } else { micros(&self.lag, 0.99) };
        write!(
            f,
            "{} | {} | {} | {} | {:.1} % | {lag}",
            micros(&self.ttft, 0.5),
            micros(&self.ttft, 0.99),
            micros(&self.itl, 0.5),
            micros(&self.itl, 0.99),
            self.shared * 100.0,
        )
    }
}

fn measure(streams: u32, gap: &str, events: u32, requests: u32, busy: bool, kernel: bool) -> Measured {
    let folder = Folder::new("accuracy");
    let log = folder.path().join("truth.jsonl");
    let engine = Engine::start("50ms", gap, Some(&log));
    let out = folder.path().join("results");
    let target = format!("truth=vllm@{}", engine.url);
    let (streams, events, requests) = (streams.to_string(), events.to_string(), requests.to_string());
    let mut arguments = vec![
        "--target",
        &target,
        "--model",
        "sim-vllm",
        "--concurrency",
        &streams,
        "--requests",
        &requests,
        "--max-tokens",
        &events,
        "--blocks",
        "1",
        "--warmup",
        "1",
    ];
    if !kernel {
        arguments.push("--user-space-stamps");
    }
    let others = busy.then(keep_cores_busy);
    let (run, _, _) = benchmark(&out, &arguments);
    drop(others);
    engine.stop();
    compare(&run, &log)
}

fn compare(run: &Path, log: &Path) -> Measured {
    let run = Run::open(run).expect("the run opens");
    let truth = Truth::read(log);
    let mut measured = Measured { ttft: Vec::new(), itl: Vec::new(), shared: 0.0, lag: Vec::new() };
    let (mut all, mut shared) = (0_u32, 0_u32);
    let name = run.manifest.plan.targets[0].name.clone();
    for record in run.records(&name).expect("the target has records") {
        let record = record.expect("a whole record");
        if record.phase != Phase::Measured {
            continue;
        }
        let errors = truth.errors(&record);
        measured.ttft.push(errors.ttft);
        measured.itl.extend(errors.itl);
        all += u32::try_from(record.events.content().count()).expect("few events");
        shared += u32::try_from(record.events.content().filter(|event| event.shared_read).count()).expect("few events");
        let stamped = record.events.content().filter(|event| event.stamp == schema::event::Stamp::Kernel);
        measured.lag.extend(stamped.map(|event| f64::from(event.lag_ns)));
    }
    measured.shared = f64::from(shared) / f64::from(all);
    for values in [&mut measured.ttft, &mut measured.itl, &mut measured.lag] {
        values.sort_by(f64::total_cmp);
    }
    measured
}
