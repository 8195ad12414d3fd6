use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::comparison::Dimension::{Consistency, Cost, Latency, Reliability, Throughput};
use schema::comparison::{RankVerdict, Verdict};
use schema::record::{FailureClass, TokenCounts, TokenSource};
use schema::target::Target;

use super::*;
use crate::fixture::{failed, plan, price, record, target};
use crate::{Measured, summarise};

mod errors;
mod parts;

/// A skewed span of milliseconds with this median: lognormal, by Box & Muller.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
fn skewed(median: f64, random: &mut impl Rng) -> u64 {
    let (radius, turn): (f64, f64) = (random.random(), random.random());
    let normal = (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos();
    (median * (0.6 * normal).exp()).round().max(1.0) as u64
}

/// What one simulated target is like.
#[derive(Clone, Copy)]
struct Habit {
    ttft: f64,
    decode: f64,
    failing: f64,
}

const USUAL: Habit = Habit { ttft: 200.0, decode: 900.0, failing: 0.1 };

/// So many requests in five blocks, one at a time.
fn requests(name: &str, count: u64, habit: Habit, random: &mut impl Rng) -> Vec<Record> {
    let mut now = 0;
    let mut one = |index: u64| {
        let (ttft, decode) = (skewed(habit.ttft, random), skewed(habit.decode, random));
        let output = random.random_range(20..60);
        let fails = random.random_bool(habit.failing);
        let begun = record(now, &[ttft, ttft + decode]);
        now += ttft + decode;
        let counts = TokenCounts { input: Some(10), output, source: TokenSource::ServerUsage };
        let kept = if fails { failed(now, FailureClass::Stalled) } else { Record { tokens: Some(counts), ..begun } };
        Record { target: name.parse().unwrap(), block: u32::try_from(index * 5 / count).unwrap(), ..kept }
    };
    (0..count).map(&mut one).collect()
}

fn priced(name: &str) -> Target {
    Target { price: Some(price()), ..target(name) }
}

fn compare(targets: Vec<Target>, records: &[Record]) -> Option<Comparison> {
    summarise(&plan(targets), &crate::Measured::records(records)).comparison
}

fn by(comparison: &Comparison, criterion: Criterion) -> &Ranking {
    comparison.rankings.iter().find(|ranking| ranking.criterion == criterion).unwrap()
}

#[test]
fn what_differs_is_told_apart() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let quick = Habit { ttft: 90.0, decode: 400.0, failing: 0.0 };
    let slow = Habit { failing: 0.3, ..USUAL };
    let mut records = requests("slow", 200, slow, &mut random);
    records.extend(requests("quick", 200, quick, &mut random));
    let cheap = price();
    let dear = schema::target::Price { output_per_mtok_usd: "3usd".parse().unwrap(), ..price() };
    let of = |name, price| Target { price: Some(price), ..target(name) };
    let comparison = compare(vec![of("slow", dear), of("quick", cheap)], &records).unwrap();
    let told = [
        Criterion::TtftMean,
        Criterion::TtftP50,
        Criterion::TpotP50,
        Criterion::E2eP50,
        Criterion::OutputTokensPerS,
        Criterion::SuccessRate,
        Criterion::CostPer1kRequests,
    ];
    for criterion in told {
        let ranking = by(&comparison, criterion);
        assert_eq!(ranking.verdict, RankVerdict::Leader("quick".parse().unwrap()), "{criterion:?}: {ranking:#?}");
        assert!(ranking.pairs[0].margin.unwrap().low.unwrap() > 0.0, "{criterion:?}: {ranking:#?}");
    }
}

#[test]
fn the_first_two_may_be_too_close_to_call_while_the_third_is_behind() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records = requests("slow", 150, Habit { ttft: 600.0, ..USUAL }, &mut random);
    records.extend(requests("a", 150, USUAL, &mut random));
    records.extend(requests("b", 150, USUAL, &mut random));
    let comparison = compare(vec![target("slow"), target("a"), target("b")], &records).unwrap();
    let ranking = by(&comparison, Criterion::TtftP50);
    let RankVerdict::TooCloseToCall(close) = &ranking.verdict else { panic!("{ranking:#?}") };
    let mut close: Vec<&str> = close.iter().map(schema::target::TargetName::as_str).collect();
    close.sort_unstable();
    assert_eq!(close, ["a", "b"]);
    assert_eq!(ranking.standings[2].target.as_str(), "slow");
    assert!(ranking.pairs[1].is_certain() && ranking.pairs[2].is_certain());
    assert!(comparison.rankings.iter().all(|ranking| ranking.criterion != Criterion::CostPer1kRequests));
}

#[test]
fn too_few_requests_are_not_enough_data() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records = requests("a", 5, Habit { failing: 0.0, ..USUAL }, &mut random);
    records.extend(requests("b", 100, Habit { failing: 0.0, ..USUAL }, &mut random));
    let comparison = compare(vec![priced("a"), priced("b"), priced("c")], &records).unwrap();
    for criterion in [Criterion::TtftP50, Criterion::TtftP95, Criterion::CostPer1kRequests] {
        let ranking = by(&comparison, criterion);
        assert_eq!(ranking.verdict, RankVerdict::NotEnoughData);
        let shown: Vec<_> = ranking.standings.iter().map(|s| (s.target.as_str(), s.n, s.estimate.is_some())).collect();
        assert_eq!(shown, [("b", 100, true), ("a", 5, false), ("c", 0, false)], "{criterion:?}");
    }
}

#[test]
fn one_target_has_no_ranking() {
    let records = requests("a", 20, USUAL, &mut ChaCha8Rng::seed_from_u64(7));
    assert_eq!(compare(vec![target("a")], &records), None);
}

#[test]
fn a_simulated_target_against_a_real_one_is_said_to_be() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records = requests("a", 50, USUAL, &mut random);
    records.extend(requests("b", 50, USUAL, &mut random));
    let simulated = Target { simulated: true, ..target("b") };
    let comparison = compare(vec![target("a"), simulated], &records).unwrap();
    assert!(comparison.simulated && !comparison.unlike.is_empty());
    assert!(comparison.rankings.iter().flat_map(|ranking| &ranking.pairs).all(|pair| pair.simulated_with_real));
    let marked = comparison.rankings[0].standings.iter().map(|s| (s.target.as_str() == "b", s.simulated));
    assert!(marked.into_iter().all(|(is_b, simulated)| is_b == simulated));
}

#[test]
fn an_open_loop_is_not_ranked_by_what_it_was_offered() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records = requests("a", 50, USUAL, &mut random);
    records.extend(requests("b", 50, USUAL, &mut random));
    let load = schema::plan::Load::Open {
        rate_per_s: "5/s".parse().unwrap(),
        arrival: schema::plan::Arrival::Poisson,
        max_concurrency: 8,
        when_full: schema::plan::WhenFull::NotSent,
    };
    let open = Plan { load, ..plan(vec![target("a"), target("b")]) };
    let ranked = summarise(&open, &crate::Measured::records(&records)).comparison.unwrap().rankings;
    assert!(ranked.iter().all(|ranking| ranking.criterion != Criterion::OutputTokensPerS));
}

#[test]
fn verdicts_come_with_what_other_tests_say() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records = requests("a", 100, USUAL, &mut random);
    records.extend(requests("b", 100, Habit { ttft: 400.0, ..USUAL }, &mut random));
    let comparison = compare(vec![target("a"), target("b")], &records).unwrap();
    let pair = &by(&comparison, Criterion::TtftP50).pairs[0];
    let evidence = pair.evidence;
    assert_eq!((evidence.blocks, pair.better.as_str()), (5, "a"));
    assert!(evidence.mann_whitney_p.unwrap() < 0.001 && evidence.cliffs_delta.unwrap().value > 0.4, "{evidence:?}");
    assert_eq!(evidence.permutation_p, Some(2.0 / 32.0), "all five blocks agree");
    assert!(evidence.effective_better.unwrap() > 50.0);
    let margin = pair.margin.unwrap();
    assert!(margin.low < Some(margin.value) && Some(margin.value) < margin.high, "{margin:?}");
}

#[test]
fn dimensions_and_all_of_them_together_have_a_winner_and_cost_has_a_front() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let quick = Habit { ttft: 90.0, decode: 400.0, failing: 0.0 };
    let mut records = requests("slow", 200, USUAL, &mut random);
    records.extend(requests("quick", 200, quick, &mut random));
    let dear = schema::target::Price { output_per_mtok_usd: "9usd".parse().unwrap(), ..price() };
    let of = |name, price| Target { price: Some(price), ..target(name) };
    let mut plan = plan(vec![of("slow", price()), of("quick", dear)]);
    let comparison = summarise(&plan, &Measured::records(&records)).comparison.unwrap();
    let dimensions: Vec<_> = comparison.dimensions.iter().map(|ranking| ranking.dimension).collect();
    assert_eq!(dimensions, [Latency, Throughput, Consistency, Reliability, Cost]);
    let leader = |name: &str| RankVerdict::Leader(name.parse().unwrap());
    assert_eq!(comparison.dimensions[0].verdict, leader("quick"));
    assert_eq!(comparison.dimensions[4].verdict, leader("slow"));
    let first = &comparison.dimensions[0].scores[0];
    assert_eq!((first.target.as_str(), first.score.value), ("quick", 100.0));
    let overall = comparison.overall.unwrap();
    assert_eq!(overall.scores[0].target.as_str(), "quick");
    assert!(overall.weights.values().all(|weight| (weight - 0.2).abs() < 1e-12));
    let Estimate { value, low, high } = overall.scores[1].score;
    assert!(low.unwrap() <= value && value <= high.unwrap(), "{value} in {low:?} to {high:?}");
    assert!((overall.support.iter().map(|support| support.share).sum::<f64>() - 1.0).abs() < 1e-9);
    assert_eq!(overall.turning.unwrap().winner.as_str(), "slow");
    assert!(comparison.fronts.iter().all(|front| front.points.iter().all(|point| point.dominated_by.is_empty())));
    // Whoever only looks at the price has another winner.
    plan.judging.weights = [(Cost, 1.0)].into();
    let cheap = summarise(&plan, &Measured::records(&records)).comparison.unwrap().overall.unwrap();
    assert_eq!(cheap.verdict, leader("slow"));
}

fn run<'a>(label: &'a str, plan: &'a Plan, records: &'a [Record]) -> StoredRun<'a> {
    StoredRun { label, plan, measured: Measured::records(records), machine: None, program_version: None }
}

#[test]
fn targets_of_two_runs_are_told_apart_by_name_and_compared_as_measured_apart() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let one_block = |records: Vec<Record>| records.into_iter().map(|r| Record { block: 0, ..r }).collect::<Vec<_>>();
    let before = one_block(requests("a", 200, USUAL, &mut random));
    let after = one_block(requests("a", 200, Habit { ttft: 400.0, ..USUAL }, &mut random));
    let plan = plan(vec![target("a")]);
    let runs = [run("last week", &plan, &before), run("now", &plan, &after)];
    let comparison = compare_runs(&runs, &Judging::default()).unwrap();
    assert_eq!(comparison.name, "last week and now");
    let ranking = by(&comparison, Criterion::TtftP50);
    assert_eq!(ranking.verdict, RankVerdict::Leader("a.last-week".parse().unwrap()), "{ranking:#?}");
    let pair = &ranking.pairs[0];
    assert_eq!((pair.test, pair.worse.as_str()), (schema::comparison::Test::IndependentBlocks, "a.now"));
    assert!(pair.evidence.blocks > 5, "one block each, in stretches: {}", pair.evidence.blocks);
    assert_eq!(compare_runs(&runs[..1], &Judging::default()), None);
}

#[test]
fn in_one_block_of_one_run_nobody_wins() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut records = requests("a", 100, USUAL, &mut random);
    records.extend(requests("b", 100, Habit { ttft: 900.0, ..USUAL }, &mut random));
    for record in &mut records {
        record.block = 0;
    }
    let comparison = compare(vec![target("a"), target("b")], &records).unwrap();
    let ranking = by(&comparison, Criterion::TtftP50);
    assert_eq!(ranking.pairs[0].verdict, Verdict::MoreNeeded { requests: None });
}
