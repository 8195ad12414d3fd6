//! How often verdicts are wrong, and what it takes for there to be one, over many experiments in worlds where the truth
//! is known.
//!
//! Prints Markdown; `just verdicts` runs it, and it fails where more than one experiment in twenty names a winner among
//! targets that are alike, beyond what chance explains. A number after `--` changes how many are made for each figure.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod worlds;

use schema::comparison::{Criterion, PairVerdict, Verdict};
use schema::event::{Event, EventKind, Stamp};
use schema::plan::{Judging, Load, Plan, PromptSource, Size, Stop, Workload};
use schema::record::{FinishReason, Outcome, Record, TokenCounts, TokenSource};
use schema::target::Target;
use schema::units::{Moment, Nanos};
use stats::Contest;
use worlds::{Ground, World};

/// All worlds.
const WORLDS: [World; 5] = [World::Even, World::Serial, World::Lucky, World::Skewed, World::Bimodal];

/// How an experiment is done.
#[derive(Clone, Copy)]
struct Design {
    blocks: u32,
    size: usize,
    until_decided: bool,
}

/// What came of one.
struct End {
    pairs: Vec<PairVerdict>,
    /// Requests of each target.
    requests: u64,
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let experiments: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    let mut sound = true;
    println!("Winners named among targets that are alike, of {experiments} experiments each:\n");
    println!(
        "| world | targets | blocks × requests | by | at the end | until decided |\n| --- | ---: | --- | --- | ---: | ---: |"
    );
    for world in WORLDS {
        for (targets, blocks, size) in [(2, 5, 20), (2, 20, 10), (3, 20, 10)] {
            for criterion in [Criterion::TtftP50, Criterion::TtftMean] {
                let wrong = [false, true].map(|until_decided| {
                    let design = Design { blocks, size, until_decided };
                    share(experiments, world, &vec![1.0; targets], design, criterion, PairVerdict::is_certain)
                });
                let most = 0.05 + 3.0 * (0.05 * 0.95 / experiments as f64).sqrt();
                sound &= wrong.iter().all(|wrong| *wrong <= most);
                let [once, until] = wrong.map(percent);
                println!("| {world:?} | {targets} | {blocks} × {size} | {criterion} | {once} | {until} |");
            }
        }
    }
    power(experiments / 5);
    until_decided(experiments / 5);
    assert!(sound, "more winners were named among targets that are alike than one in twenty");
}

/// How often a difference is found.
fn power(experiments: u64) {
    println!("\nDifferences found (TTFT p50, blocks of 10 requests, {experiments} experiments each):\n");
    let differences = [0.01, 0.03, 0.05, 0.1, 0.2];
    let heading: Vec<String> = differences.iter().map(|d| format!("{:.0} %", d * 100.0)).collect();
    println!(
        "| world | requests a target | {} |\n| --- | ---: |{}",
        heading.join(" | "),
        " ---: |".repeat(heading.len())
    );
    for world in [World::Even, World::Skewed] {
        for blocks in [5, 10, 40, 160, 640] {
            let design = Design { blocks, size: 10, until_decided: false };
            let found = differences.map(|difference| {
                percent(share(experiments, world, &[1.0, 1.0 + difference], design, Criterion::TtftP50, found))
            });
            println!("| {world:?} | {} | {} |", blocks * 10, found.join(" | "));
        }
    }
}

/// What a run takes that ends when all is decided, of 10,000 requests a target at most.
fn until_decided(experiments: u64) {
    println!(
        "\nUntil decided (TTFT p50, blocks of 20 requests, 10,000 requests a target at most, {experiments} experiments):\n"
    );
    println!(
        "| world | difference | better | tie | neither | wrong | requests a target, median |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let design = Design { blocks: 500, size: 20, until_decided: true };
    for world in [World::Even, World::Skewed] {
        for difference in [0.0, 0.01, 0.03, 0.05, 0.1, 0.2] {
            let factors = [1.0, 1.0 + difference];
            let ends: Vec<End> =
                (0..experiments).map(|seed| experiment(world, &factors, design, Criterion::TtftP50, seed)).collect();
            let among = |said: &dyn Fn(&PairVerdict) -> bool| {
                percent(ends.iter().filter(|end| end.pairs.iter().any(said)).count() as f64 / ends.len() as f64)
            };
            let tied = |pair: &PairVerdict| matches!(pair.verdict, Verdict::Tie { .. });
            let wrong = |pair: &PairVerdict| {
                pair.is_certain() && (difference <= 0.0 || !found(pair)) || tied(pair) && difference > 0.0301
            };
            let mut requests: Vec<u64> = ends.iter().map(|end| end.requests).collect();
            requests.sort_unstable();
            println!(
                "| {world:?} | {:.0} % | {} | {} | {} | {} | {} |",
                difference * 100.0,
                among(&PairVerdict::is_certain),
                among(&tied),
                among(&|pair| !pair.is_decided()),
                among(&wrong),
                requests[requests.len() / 2]
            );
        }
    }
}

fn found(pair: &PairVerdict) -> bool {
    pair.is_certain() && pair.better.as_str() == "t0"
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn share(
    experiments: u64,
    world: World,
    factors: &[f64],
    design: Design,
    criterion: Criterion,
    said: impl Fn(&PairVerdict) -> bool,
) -> f64 {
    let says = |seed: &u64| experiment(world, factors, design, criterion, *seed).pairs.iter().any(&said);
    (0..experiments).filter(says).count() as f64 / experiments as f64
}

fn experiment(world: World, factors: &[f64], design: Design, criterion: Criterion, seed: u64) -> End {
    let plan = plan(factors.len(), design, criterion);
    let mut contest = Contest::new(&plan);
    let mut ground = Ground::new(world, seed);
    let mut requests = 0;
    // As a run does: after each of the first twenty blocks, then after every twentieth part more.
    let mut look = 1;
    for block in 0..design.blocks {
        for (target, times) in ground.block(factors, design.size).into_iter().enumerate() {
            let records: Vec<Record> =
                (0..).zip(&times).map(|(i, time)| record(&plan.targets[target], block, i, *time)).collect();
            contest.take_in(&plan, target, &records.iter().collect::<Vec<_>>());
        }
        requests += design.size as u64;
        let blocks = block + 1;
        if design.until_decided && blocks >= look {
            look = blocks + 1 + blocks / 20;
            if contest.open(|_| true).is_empty() {
                break;
            }
        }
    }
    let places: Vec<usize> = (0..factors.len()).collect();
    End { pairs: contest.verdicts(criterion, &places).unwrap_or_default(), requests }
}

fn plan(targets: usize, design: Design, criterion: Criterion) -> Plan {
    let target = |i: usize| Target {
        simulated: true,
        ..Target::plain(
            format!("t{i}").parse().expect("a letter and a number"),
            "made-up",
            "model",
            "http://localhost/".parse().expect("an address"),
        )
    };
    let judging = Judging {
        until_decided: if design.until_decided { vec![criterion] } else { Vec::new() },
        ..Judging::default()
    };
    let targets = (0..targets).map(target).collect();
    let workload = Workload::plain(PromptSource::BuiltIn(Size::Short), 1);
    let stop = Stop::Requests(u64::from(design.blocks) * design.size as u64);
    let plain = Plan::plain("verdicts", targets, workload, Load::Closed { concurrency: 1 }, stop);
    Plan { blocks: design.blocks, seed: 1, judging, ..plain }
}

/// A request that took `ttft` nanoseconds to its first and only content.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and far from the end")]
fn record(target: &Target, block: u32, index: u64, ttft: f64) -> Record {
    let start = Moment((u64::from(block) << 16 | index) * 1_000_000_000);
    let end = start + Nanos(ttft.round() as u64);
    let event = Event {
        arrival: end,
        lag_ns: 0,
        bytes: 1,
        tokens: 1,
        kind: EventKind::Text,
        stamp: Stamp::Kernel,
        shared_read: false,
    };
    Record {
        block,
        max_tokens: 1,
        forced_length: true,
        start_ns: Some(start),
        end_ns: Some(end),
        status: Some(200),
        request_bytes: 1,
        response_bytes: 1,
        reads: 1,
        events: std::iter::once(event).collect(),
        tokens: Some(TokenCounts { input: None, output: 1, source: TokenSource::ServerUsage }),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent(target.name.clone(), index, start)
    }
}
