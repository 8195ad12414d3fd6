use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
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
    for &criterion in Criterion::ALL {
        let ranking = by(&comparison, criterion);
        assert_eq!(ranking.verdict, RankVerdict::Leader("quick".parse().unwrap()), "{criterion:?}: {ranking:#?}");
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
    assert!(comparison.simulated && comparison.warnings.iter().any(|w| w.contains("do not compare them")));
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
