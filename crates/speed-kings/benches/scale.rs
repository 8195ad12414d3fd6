//! What many streams cost: memory and processor time of the client at 1,000 and 10,000 concurrent
//! streams of ten events a second each, the simulated engine on the same machine, in a process of its
//! own. No stream may be lost. Prints Markdown; `just scale` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;

use ground::{Engine, Folder, Spent, benchmark};
use schema::record::Phase;
use store::Run;

/// Events an answer: ten seconds of them.
const EVENTS: &str = "100";

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| streams | completed | lost | events | peak memory | a stream | CPU | CPU an event | wall |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let (idle, ..) = measure(1);
    for streams in [1_000, 10_000] {
        let (spent, completed, events) = measure(streams);
        let per_stream = spent.peak_bytes.saturating_sub(idle.peak_bytes) / u64::from(streams);
        println!(
            "| {streams} | {completed} | {} | {events} | {:.0} MiB | {:.1} KB | {:.1} s | {:.1} µs | {:.1} s |",
            u64::from(streams) - completed,
            spent.peak_bytes as f64 / f64::from(1 << 20),
            per_stream as f64 / 1e3,
            spent.cpu.as_secs_f64(),
            spent.cpu.as_secs_f64() * 1e6 / events as f64,
            spent.wall.as_secs_f64(),
        );
    }
}

/// What it cost, requests completed, and events received.
fn measure(streams: u32) -> (Spent, u64, u64) {
    let folder = Folder::new("scale");
    let engine = Engine::start("100ms", "100ms", None);
    let out = folder.path().join("results");
    let target = format!("crowd=vllm@{}", engine.url);
    let count = streams.to_string();
    let arguments = [
        "--target",
        &target,
        "--model",
        "sim-vllm",
        "--concurrency",
        &count,
        "--requests",
        &count,
        "--max-tokens",
        EVENTS,
        "--blocks",
        "1",
        "--warmup",
        "0",
    ];
    let (run, spent, _) = benchmark(&out, &arguments);
    engine.stop();
    let run = Run::open(&run).expect("the run opens");
    let name = run.manifest.plan.targets[0].name.clone();
    let (mut completed, mut events) = (0, 0);
    for record in run.records(&name).expect("the target has records") {
        let record = record.expect("a whole record");
        completed += u64::from(record.phase == Phase::Measured && record.outcome.is_complete());
        events += record.events.len() as u64;
    }
    (spent, completed, events)
}
