//! Whether a search finds what is there.
//!
//! - `--find-max=rate` against an engine of eight places and a fixed service time, Poisson arrivals: the true highest rate at
//!   which the bound is met is computed here by simulating that queue over a million arrivals. Each seeded search must
//!   have the truth inside its interval.
//! - `--sweep` against an engine that follows the universal scalability law: the fit must come within a twentieth of the
//!   engine's parameters.
//!
//! Prints Markdown; `just search` runs it, and it fails when a search misses the truth. `SEEDS` changes how many are run.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;

use std::fs;
use std::thread;

use ground::{Engine, Folder, benchmark};
use schema::curve::Curve;
use schema::summary::Estimate;

/// Places of the engine, and how long a request takes in one, in seconds.
const PLACES: usize = 32;
const SERVICE: f64 = 0.4;

/// Tokens an answer, evenly over its service time: the first comes after a quarter of it. The engine's clock counts whole
/// milliseconds, which is little beside these times.
const TOKENS: u32 = 4;

/// The bound: p90 of TTFT, in seconds.
const BOUND: f64 = 0.12;

/// λ, σ and κ of the other engine.
const LAW: [f64; 3] = [4.0, 0.06, 0.002];

/// How far a fitted parameter may be from the engine's, relative to it: client, network and the engine's clock add about a
/// millisecond to each request, which the law knows nothing of.
const RECOVERED: f64 = 0.05;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let truth = highest_rate();
    println!("True highest rate with TTFT p90 below {:.0} ms: {truth:.1}/s\n", BOUND * 1e3);
    println!("| seed | answer | interval | steps | holds the truth |\n| --- | --- | --- | --- | --- |");
    let found = all_at_once(seeds, truth);
    println!("\n{found} of {seeds} intervals hold the truth.\n");
    println!("| parameter | engine | fitted | interval | error |\n| --- | --- | --- | --- | --- |");
    let recovered = recovers();
    assert!(found == seeds && recovered, "a search missed the truth");
}

/// How many searches hold the truth. A search mostly waits, so that all go on side by side, each against an engine of its own.
fn all_at_once(seeds: u64, truth: f64) -> u64 {
    let searches: Vec<_> = (1..=seeds).map(|seed| thread::spawn(move || finds(seed, truth))).collect();
    searches.into_iter().map(|search| u64::from(search.join().expect("a search ends"))).sum()
}

fn finds(seed: u64, truth: f64) -> bool {
    let seed = seed.to_string();
    let bound = format!("ttft_p90<{:.0}ms", BOUND * 1e3);
    let pace = format!("servers:{PLACES},{:.0}ms", SERVICE * 1e3);
    let tokens = TOKENS.to_string();
    let search = [
        "--find-max=rate",
        "--slo",
        &bound,
        "--search-from",
        "48",
        "--step",
        "5s",
        "--tolerance",
        "0.1",
        "--seed",
        &seed,
    ];
    let curve = curve(&format!("search-{seed}"), &pace, &[&search[..], &["--max-tokens", &tokens]].concat());
    let answer = curve.answer.expect("a search has an answer");
    let (low, high) = (answer.low.unwrap_or(0.0), answer.high.unwrap_or(f64::INFINITY));
    let holds = low <= truth && truth <= high;
    let best = answer.highest.unwrap_or(0.0);
    println!("| {seed} | {best:.1}/s | {low:.1} to {high:.1}/s | {} | {holds} |", answer.steps);
    holds
}

fn recovers() -> bool {
    let [lambda, contention, coherency] = LAW;
    let pace = format!("law:{lambda},{contention},{coherency}");
    let curve =
        curve("sweep", &pace, &["--sweep", "--steps", "12", "--step", "8s", "--search-to", "64", "--max-tokens", "4"]);
    let law = curve.law.expect("a sweep is fitted");
    let rows = [("λ", lambda, law.lambda), ("σ", contention, law.contention), ("κ", coherency, law.coherency)];
    rows.into_iter().filter(|(name, truth, fitted)| is_near(name, *truth, fitted)).count() == rows.len()
}

fn is_near(name: &str, truth: f64, fitted: &Estimate) -> bool {
    let (low, high) = (fitted.low.unwrap_or(f64::NEG_INFINITY), fitted.high.unwrap_or(f64::INFINITY));
    let error = fitted.value / truth - 1.0;
    println!("| {name} | {truth} | {:.5} | {low:.5} to {high:.5} | {:+.1} % |", fitted.value, error * 100.0);
    error.abs() <= RECOVERED
}

/// The curve of one search against an engine of that pace, kept for a moment in a folder of that name.
fn curve(name: &str, pace: &str, arguments: &[&str]) -> Curve {
    let folder = Folder::new(name);
    let engine = Engine::paced(pace);
    let out = folder.path().join("results");
    let target = format!("truth=vllm@{}", engine.url);
    let usual = ["--target", &target, "--model", "sim-vllm", "--warmup", "8", "--scrape", "0s"];
    let (run, _, text) = benchmark(&out, &[&usual[..], arguments].concat());
    let curve = fs::read_to_string(run.join("truth/curve.json")).unwrap_or_else(|_| panic!("no curve:\n{text}"));
    serde_json::from_str(&curve).expect("a curve is what its schema says")
}

/// The rate at which the p90 of TTFT is just at the bound, by halving.
fn highest_rate() -> f64 {
    let capacity = PLACES as f64 / SERVICE;
    let (mut low, mut high) = (0.1 * capacity, capacity);
    for _ in 0..20 {
        let middle = f64::midpoint(low, high);
        if ttft_p90(middle) < BOUND { low = middle } else { high = middle }
    }
    low
}

/// The p90 of TTFT of a queue with Poisson arrivals, fixed service times and several servers, first come, first served.
fn ttft_p90(rate: f64) -> f64 {
    const ARRIVALS: usize = 1_000_000;
    let first_token = SERVICE / f64::from(TOKENS);
    let mut free_at = [0.0_f64; PLACES];
    let (mut now, mut state) = (0.0, 0x9E37_79B9_7F4A_7C15_u64);
    let mut waits = Vec::with_capacity(ARRIVALS);
    for _ in 0..ARRIVALS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let uniform = (state >> 11) as f64 / (1_u64 << 53) as f64;
        now += -(1.0 - uniform).ln() / rate;
        let server = free_at.iter_mut().min_by(|a, b| a.total_cmp(b)).expect("there are servers");
        let begin = server.max(now);
        *server = begin + SERVICE;
        waits.push(begin - now + first_token);
    }
    waits.sort_by(f64::total_cmp);
    stats::quantile::quantile(&waits, 0.9)
}
