//! How often noise fails a gate, and how often a planted regression does: one row a world, out of so many gates of five
//! checks each. `just gate-nulls` runs it.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use schema::gate::{Bound, CheckVerdict};
use schema::summary::Percentile;
use stats::gate::{Reading, Readings, judge};
use stats::inference::Mean;
use stats::interval;

/// Gates a row.
const GATES: u64 = 300;

/// Blocks that a rate is of.
const BLOCKS: usize = 8;

/// A pair of measurements, many times.
#[derive(Debug, Clone, Copy)]
struct World {
    requests: usize,
    /// Runs of the baseline.
    baseline: usize,
    /// Standard deviation of the logarithm of whole runs.
    between: f64,
    /// How much slower the run is.
    slower: f64,
    /// What is tolerated.
    bound: &'static str,
    /// What is looked at.
    checks: &'static [&'static str],
}

const ALL: &[&str] = &["ttft_p50", "ttft_p95", "tpot_p50", "output_tokens_per_s", "success_rate"];

const USUAL: World = World { requests: 400, baseline: 1, between: 0.0, slower: 1.0, bound: "5%", checks: ALL };

fn main() {
    println!(
        "| requests | runs of the baseline | runs differ by | slower by | tolerated | regression | undecided | pass |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut worlds = vec![
        World { bound: "0%", ..USUAL },
        USUAL,
        World { slower: 1.05, ..USUAL },
        World { requests: 120, bound: "0%", ..USUAL },
        World { between: 0.03, bound: "0%", ..USUAL },
        World { between: 0.03, ..USUAL },
        World { baseline: 5, between: 0.03, bound: "0%", ..USUAL },
        World { baseline: 5, between: 0.03, ..USUAL },
    ];
    for slower in [1.1, 1.15, 1.2, 1.3] {
        worlds.extend([400, 1600].map(|requests| World { requests, slower, ..USUAL }));
        worlds.push(World { baseline: 5, between: 0.03, slower, ..USUAL });
    }
    for slower in [1.1, 1.2, 1.3] {
        worlds.extend([400, 1600].map(|requests| World { requests, slower, checks: &["ttft_p95"], ..USUAL }));
    }
    for world in worlds {
        row(&world);
    }
}

fn row(world: &World) {
    let mut found = [0_u64; 3];
    for seed in 0..GATES {
        found[match gate(world, seed) {
            CheckVerdict::Regression => 0,
            CheckVerdict::Undecided => 1,
            CheckVerdict::Pass => 2,
        }] += 1;
    }
    let [regression, undecided, pass] = found.map(|count| 100.0 * count as f64 / GATES as f64);
    println!(
        "| {} | {} | {} | {:.0} % | {:.0} % | {} | {regression:.1} % | {undecided:.1} % | {pass:.1} % |",
        if world.checks == ALL { "all five" } else { world.checks[0] },
        world.requests,
        world.baseline,
        100.0 * world.between,
        100.0 * (world.slower - 1.0),
        world.bound,
    );
}

fn gate(world: &World, seed: u64) -> CheckVerdict {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let bounds: Vec<Bound> =
        world.checks.iter().map(|name| format!("{name}={}", world.bound).parse().expect("a bound")).collect();
    let baseline: Vec<_> = (0..world.baseline).map(|_| run(world, 1.0, &mut random)).collect();
    let judged = judge(&run(world, world.slower, &mut random), &baseline, &bounds, seed);
    let any = |verdict| judged.checks.iter().any(|check| check.verdict == verdict);
    [CheckVerdict::Regression, CheckVerdict::Undecided]
        .into_iter()
        .find(|verdict| any(*verdict))
        .unwrap_or(CheckVerdict::Pass)
}

fn run(world: &World, slower: f64, random: &mut ChaCha8Rng) -> Vec<Readings> {
    let level = slower * (world.between * normal(random)).exp();
    let ttft = values(world.requests, 50e6 * level, 0.35, random);
    let tpot = values(world.requests, 9e6 * level, 0.1, random);
    let requests = world.requests as u64;
    let failed = (0..requests).filter(|_| random.random::<f64>() < 0.005).count() as u64;
    let success = Reading::Share { hits: requests - failed, of: requests, worth: requests as f64 };
    let rate = rate(400.0 / level, random);
    let figure = |name: &str| match name {
        "ttft_p50" => of(&ttft, 0.5),
        "ttft_p95" => of(&ttft, 0.95),
        "tpot_p50" => of(&tpot, 0.5),
        "output_tokens_per_s" => rate.clone(),
        _ => success.clone(),
    };
    vec![Readings {
        target: "a".parse().expect("a name"),
        simulated: false,
        attempted: requests,
        completed: requests - failed,
        success: success.clone(),
        figures: world.checks.iter().map(|name| figure(name)).collect(),
        slos: Vec::new(),
    }]
}

/// ln x is AR(1) with φ = 0.4; one in twenty is three times as long.
fn values(count: usize, level: f64, sd: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut departure = normal(random);
    (0..count)
        .map(|_| {
            departure = 0.4 * departure + (1.0_f64 - 0.16).sqrt() * normal(random);
            let stall = if random.random::<f64>() < 0.05 { 3.0 } else { 1.0 };
            level * stall * (sd * departure).exp()
        })
        .collect()
}

fn of(values: &[f64], q: f64) -> Reading {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let shown: Percentile = interval::percentile(&sorted, q);
    Reading::Values { values: values.to_vec(), blocks: vec![0; values.len()], shown, requests: values.len() as u64 }
}

/// Blocks that differ by 2 %.
fn rate(mean: f64, random: &mut ChaCha8Rng) -> Reading {
    let blocks: Vec<f64> = (0..BLOCKS).map(|_| mean * (1.0 + 0.02 * normal(random))).collect();
    let value = blocks.iter().sum::<f64>() / BLOCKS as f64;
    let squares: f64 = blocks.iter().map(|x| (x - value).powi(2)).sum();
    let freedom = BLOCKS as f64 - 1.0;
    let error = (squares / freedom / BLOCKS as f64).sqrt();
    Reading::Rate { rate: Mean { value, error, freedom }, requests: 400 }
}

/// By Box & Muller.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, turn): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}
