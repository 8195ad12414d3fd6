//! What one processor second of the client carries, beside other load generators.
//!
//! A simulated engine in a process of its own answers as fast as its socket takes it, one event a write:
//!
//! - streamed: 32 streams of 256 events each, every record kept, until some thousands of answers are there;
//! - whole: short answers in one piece, 32 at once on kept connections.
//!
//! Tokens and requests are those the engine counted itself, their rates those between a tenth and nine tenths of
//! the run, and the processor time is all of the client's from start to end, its worker processes, its set-up, its
//! report and, for ours, sealing and summary included.
//!
//! A machine's own speed wanders by more than clients differ. So the short answers in one piece are then asked for in
//! rounds, in which ours and oha take turns, and what is told is the ratio within rounds, with its interval.
//!
//! Others are installed once, into the folder that `SPEED_KINGS_PEERS` names (else one in the system's temporary
//! folder): oha by `cargo install`, `AIPerf` and `GuideLLM` by `pip` into environments of their own. What cannot be
//! installed is left out, and said so. Prints Markdown; `just bench-load` runs it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

#[expect(dead_code, reason = "each bench uses its part")]
mod ground;
mod peers;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use ground::{Engine, Folder, benchmark};
use nix::sys::resource::{UsageWho, getrusage};
use stats::inference::{Side, Statistic, interval};
use store::Run;

use peers::{Peer, Work};

/// Streams, or requests at once.
const AT_ONCE: u32 = 32;

/// 32 streams × 256 events.
const STREAMED: Work = Work { at_once: AT_ONCE, requests: 8_000, tokens: 256, stream: true };

/// The same, less often, for clients that need their time.
const STREAMED_SLOWLY: Work = Work { requests: 2_000, ..STREAMED };

/// Short answers in one piece.
const WHOLE: Work = Work { at_once: AT_ONCE, requests: 400_000, tokens: 8, stream: false };

/// Rounds of short answers, unless told otherwise; fewer than fifteen carry no interval.
const ROUNDS: u32 = 20;

/// Who takes turns in a round beside ours.
const RIVALS: [Peer; 2] = [Peer::Oha, Peer::OhaOnOneThread];

fn main() {
    // `cargo test` and `cargo nextest` list and run benches too; there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let rounds = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let rounds = rounds.map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    each_once();
    println!();
    in_rounds(rounds);
}

/// Each client, each load, once.
fn each_once() {
    println!("| client | answers | tokens/s carried | events per CPU second | requests/s | CPU a request |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for work in [STREAMED, WHOLE] {
        show("speed-kings", work, &measure(|engine| ours(engine, work)));
    }
    for peer in Peer::ALL {
        if let Err(why) = peer.install() {
            eprintln!("{} is left out: {why}", peer.name());
            continue;
        }
        let works: &[Work] = if RIVALS.contains(&peer) { &[STREAMED, WHOLE] } else { &[STREAMED_SLOWLY] };
        for work in works {
            show(peer.name(), *work, &measure(|engine| theirs(peer, engine, *work)));
        }
    }
}

/// Short answers in one piece, ours and its rivals in turns.
fn in_rounds(rounds: u32) {
    let rivals: Vec<Peer> = RIVALS.into_iter().filter(|peer| peer.install().is_ok()).collect();
    let mut ours_carried = Vec::new();
    let mut theirs_carried = vec![Vec::new(); rivals.len()];
    for round in 0..rounds {
        // Whoever begins in one round ends the next.
        let mut turns: Vec<Option<usize>> = (0..rivals.len()).map(Some).chain([None]).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for turn in turns {
            match turn {
                None => ours_carried.push(measure(|engine| ours(engine, WHOLE)).requests_per_s),
                Some(at) => {
                    let carried = measure(|engine| theirs(rivals[at], engine, WHOLE));
                    theirs_carried[at].push(carried.requests_per_s);
                }
            }
        }
    }
    println!(
        "| client | requests/s, mean of {rounds} | least | most | ours ÷ its, mean of rounds | 95 % interval | ours ahead in |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    println!("| speed-kings | {} | | | |", spread(&ours_carried));
    for (peer, theirs) in rivals.iter().zip(&theirs_carried) {
        println!("| {} | {} | {} |", peer.name(), spread(theirs), beside(&ours_carried, theirs));
    }
}

fn spread(rates: &[f64]) -> String {
    let mean = rates.iter().sum::<f64>() / rates.len() as f64;
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let most = rates.iter().copied().fold(0.0, f64::max);
    format!("{mean:.0} | {least:.0} | {most:.0}")
}

/// How many times as much ours carried: the mean over rounds, and in how many it was ahead.
fn beside(ours: &[f64], theirs: &[f64]) -> String {
    let ratios: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect();
    let rounds: Vec<u32> = (0..).take(ratios.len()).collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let estimate = interval(Side { values: &ratios, blocks: &rounds }, Statistic::Mean, 0.95, 1);
    let bounds = estimate.and_then(|estimate| estimate.low.zip(estimate.high));
    let told = bounds.map_or_else(|| "too few rounds".to_owned(), |(low, high)| format!("{low:.3} to {high:.3}"));
    format!("{mean:.3} | {told} | {}", ratios.iter().filter(|ratio| **ratio > 1.0).count())
}

fn show(name: &str, work: Work, carried: &Carried) {
    let cpu = carried.cpu.as_secs_f64();
    let (kind, per_cpu) = if work.stream {
        ("streamed", format!("{:.0}", carried.tokens as f64 / cpu))
    } else {
        ("whole", String::from("—"))
    };
    println!(
        "| {name} | {kind} | {:.0} | {per_cpu} | {:.0} | {:.1} µs |",
        carried.tokens_per_s,
        carried.requests_per_s,
        cpu * 1e6 / carried.requests as f64,
    );
}

/// What a client carried, by the engine's own counters, and what it cost.
struct Carried {
    requests: u64,
    tokens: u64,
    tokens_per_s: f64,
    requests_per_s: f64,
    cpu: Duration,
}

/// Lets a client work against an engine of its own, and watches the engine's counters meanwhile.
fn measure(client: impl FnOnce(&Engine)) -> Carried {
    let engine = Engine::paced("at-once");
    let over = AtomicBool::new(false);
    let before = spent_by_children();
    let counts = scope(|scope| {
        let watcher = scope.spawn(|| watch(&engine, &over));
        client(&engine);
        over.store(true, Ordering::Relaxed);
        watcher.join().expect("the watcher ends")
    });
    let cpu = spent_by_children().saturating_sub(before);
    engine.stop();
    let last = counts.last().expect("the engine was read at least once");
    let middle: Vec<&Count> =
        counts.iter().filter(|count| (last.tokens / 10..=last.tokens / 10 * 9).contains(&count.tokens)).collect();
    let (from, to) = (middle.first().expect("a beginning"), middle.last().expect("an end"));
    let seconds = (to.at - from.at).as_secs_f64();
    Carried {
        requests: last.requests,
        tokens: last.tokens,
        tokens_per_s: (to.tokens - from.tokens) as f64 / seconds,
        requests_per_s: (to.requests - from.requests) as f64 / seconds,
        cpu,
    }
}

/// Processor time of all child processes that have ended.
fn spent_by_children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel counts");
    let micros = [usage.user_time(), usage.system_time()]
        .map(|time| time.tv_sec().unsigned_abs() * 1_000_000 + time.tv_usec().unsigned_abs());
    Duration::from_micros(micros.iter().sum())
}

/// The engine's counters at one moment.
struct Count {
    at: Instant,
    tokens: u64,
    requests: u64,
}

/// Reads the engine's counters twenty times a second, once more after the client has ended.
fn watch(engine: &Engine, over: &AtomicBool) -> Vec<Count> {
    let mut counts = Vec::new();
    loop {
        let is_last = over.load(Ordering::Relaxed);
        let page = metrics(&engine.url);
        let sum = |name: &str| -> u64 {
            let lines = page.lines().filter(|line| line.starts_with(name));
            let values = lines.filter_map(|line| line.rsplit_once(' ')?.1.split('.').next()?.parse::<u64>().ok());
            values.sum()
        };
        counts.push(Count {
            at: Instant::now(),
            tokens: sum("vllm:generation_tokens_total{"),
            requests: sum("vllm:request_success_total{"),
        });
        if is_last {
            return counts;
        }
        sleep(Duration::from_millis(50));
    }
}

fn metrics(url: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).expect("the engine listens");
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("the engine reads");
    let mut page = String::new();
    socket.read_to_string(&mut page).expect("the engine answers");
    page
}

/// Our own benchmark; every event the engine wrote is in a record.
fn ours(engine: &Engine, work: Work) {
    let folder = Folder::new("load");
    let out = folder.path().join("results");
    let target = format!("load=vllm@{}", engine.url);
    let numbers = [work.at_once, work.requests, work.tokens].map(|number| number.to_string());
    let stream = if work.stream { "--stream" } else { "--no-stream" };
    let arguments = [
        "--target",
        &target,
        "--model",
        "sim-vllm",
        "--concurrency",
        &numbers[0],
        "--requests",
        &numbers[1],
        "--max-tokens",
        &numbers[2],
        "--blocks",
        "1",
        "--warmup",
        "0",
        "--prompt",
        &peers::prompt(0),
        stream,
    ];
    let (run, ..) = benchmark(&out, &arguments);
    check(&run, work);
}

fn check(run: &Path, work: Work) {
    let run = Run::open(run).expect("the run opens");
    let name = run.manifest.plan.targets[0].name.clone();
    let records = run.records(&name).expect("the target has records").map(|record| record.expect("a whole record"));
    let (mut requests, mut events) = (0, 0);
    for record in records {
        assert!(record.outcome.is_complete(), "request {} did not complete: {:?}", record.index, record.outcome);
        requests += 1;
        events += record.events.content().count() as u64;
    }
    assert_eq!(requests, work.requests, "every request has a record");
    let wanted = u64::from(work.requests) * if work.stream { u64::from(work.tokens) } else { 1 };
    assert_eq!(events, wanted, "every event written is in a record");
}

/// One of the others; it has to end well.
fn theirs(peer: Peer, engine: &Engine, work: Work) {
    let folder = Folder::new("peer");
    let output = peer.command(&engine.url, work, folder.path()).output().expect("it was installed");
    let said = || String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} failed:\n{}", peer.name(), said());
}
