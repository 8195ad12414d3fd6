//! How often a verdict is wrong, and how often there is one, in worlds where the truth is known.

use schema::units::Moment;

use super::*;
use crate::comparison::case::Case;

#[path = "../../../benches/worlds/mod.rs"]
mod worlds;

use worlds::{Ground, World};

/// How an experiment is done.
#[derive(Clone, Copy)]
struct Design {
    blocks: u32,
    size: usize,
    until_decided: bool,
}

const fn fixed(blocks: u32, size: usize) -> Design {
    Design { blocks, size, until_decided: false }
}

const fn until_decided(blocks: u32, size: usize) -> Design {
    Design { blocks, size, until_decided: true }
}

fn case(block: u32, ttft: f64) -> Case {
    Case {
        block: u64::from(block),
        span: Some((Moment(0), Moment(1))),
        ttft: Some(ttft),
        tpot: None,
        e2e: None,
        completed: true,
        throttled: false,
        output_tokens: 0.0,
        cost: None,
    }
}

/// Carries out one experiment and returns the verdicts it ends with.
fn experiment(world: World, factors: &[f64], design: Design, criterion: Criterion, seed: u64) -> Vec<PairVerdict> {
    let mut plan = plan(["a", "b", "c"][..factors.len()].iter().map(|name| target(name)).collect());
    plan.blocks = design.blocks;
    plan.judging.until_decided = if design.until_decided { vec![criterion] } else { Vec::new() };
    let mut contest = Contest::new(&plan);
    let mut ground = Ground::new(world, seed);
    let places: Vec<usize> = (0..factors.len()).collect();
    for block in 0..design.blocks {
        for (target, times) in ground.block(factors, design.size).into_iter().enumerate() {
            contest.add(target, times.into_iter().map(|time| case(block, time)).collect());
        }
        if design.until_decided && contest.open(|_| true).is_empty() {
            break;
        }
    }
    contest.verdicts(criterion, &places).unwrap_or_default()
}

/// How many of so many experiments say something of any pair.
fn count(
    experiments: u64,
    world: World,
    factors: &[f64],
    design: Design,
    criterion: Criterion,
    said: impl Fn(&PairVerdict) -> bool,
) -> u64 {
    let say = |seed: &u64| experiment(world, factors, design, criterion, *seed).iter().any(&said);
    (0..experiments).filter(say).count() as u64
}

/// Whether so many of so many may be wrong where one in twenty is: three standard errors above.
#[track_caller]
fn check_wrong(wrong: u64, of: u64) {
    let (wrong, of) = (wrong as f64, of as f64);
    assert!(wrong <= 0.05 * of + 3.0 * (0.05 * 0.95 * of).sqrt(), "{wrong} of {of} are wrong");
}

/// Whether somebody who looks after every block ever finds a difference certain where there is none.
fn is_misled(world: World, seed: u64) -> bool {
    let mut plan = plan(vec![target("a"), target("b")]);
    plan.blocks = 12;
    let mut contest = Contest::watched(&plan);
    let mut ground = Ground::new(world, seed);
    (0..plan.blocks).any(|block| {
        for (target, times) in ground.block(&[1.0, 1.0], 6).into_iter().enumerate() {
            contest.add(target, times.into_iter().map(|time| case(block, time)).collect());
        }
        let verdicts = contest.verdicts(Criterion::TtftP50, &[0, 1]);
        verdicts.is_some_and(|pairs| pairs.iter().any(PairVerdict::is_certain))
    })
}

#[track_caller]
fn check_alike(world: World) {
    let wrong = |design, criterion| count(300, world, &[1.0, 1.0], design, criterion, PairVerdict::is_certain);
    check_wrong(wrong(fixed(8, 8), Criterion::TtftP50), 300);
    check_wrong(wrong(fixed(8, 8), Criterion::TtftMean), 300);
    check_wrong(wrong(until_decided(12, 6), Criterion::TtftP50), 300);
    check_wrong((0..300).filter(|seed| is_misled(world, *seed)).count() as u64, 300);
}

#[test]
fn of_those_alike_hardly_any_wins_when_each_request_is_for_itself() {
    check_alike(World::Even);
}

#[test]
fn of_those_alike_hardly_any_wins_when_one_slow_request_slows_the_next() {
    check_alike(World::Serial);
}

#[test]
fn of_those_alike_hardly_any_wins_when_turns_are_lucky() {
    check_alike(World::Lucky);
}

#[test]
fn of_those_alike_hardly_any_wins_when_few_are_slow_by_far() {
    check_alike(World::Skewed);
}

#[test]
fn of_those_alike_hardly_any_wins_when_a_cache_is_missed() {
    check_alike(World::Bimodal);
}

#[test]
fn of_three_alike_hardly_any_wins_by_its_tail() {
    let wrong = count(100, World::Skewed, &[1.0; 3], fixed(20, 10), Criterion::TtftP95, PairVerdict::is_certain);
    check_wrong(wrong, 100);
}

/// Requests so many, targets 3 % apart: the two halves of the promise.
#[test]
fn three_percent_are_not_found_in_few_requests_and_are_in_many() {
    let apart = |design| {
        let experiments = (0..40).map(|seed| experiment(World::Even, &[1.0, 1.03], design, Criterion::TtftP50, seed));
        experiments.collect::<Vec<_>>()
    };
    for pairs in apart(fixed(5, 4)) {
        assert!(!matches!(pairs[0].verdict, Verdict::Tie { .. }), "{pairs:?}");
    }
    let certain = |experiments: Vec<Vec<PairVerdict>>| {
        experiments.iter().filter(|pairs| pairs[0].is_certain() && pairs[0].better.as_str() == "a").count()
    };
    let (few, many) = (certain(apart(fixed(5, 4))), certain(apart(fixed(60, 50))));
    assert!(few <= 4 && many >= 38, "found in {few} of 40, and in {many}");
}

#[test]
fn those_alike_tie_in_many_requests_and_those_apart_hardly_do() {
    let tied = |pair: &PairVerdict| pair.verdict == Verdict::Tie { within: 0.03 };
    let alike = count(20, World::Even, &[1.0, 1.0], until_decided(40, 150), Criterion::TtftP50, tied);
    assert!(alike >= 18, "{alike} of 20 tie");
    let apart = count(20, World::Even, &[1.0, 1.035], until_decided(40, 150), Criterion::TtftP50, tied);
    check_wrong(apart, 20);
}

#[test]
fn as_many_requests_as_were_called_for_tell() {
    let (mut decided, mut asked) = (0, 0);
    for seed in 0..40 {
        let first = experiment(World::Even, &[1.0, 1.05], fixed(10, 10), Criterion::TtftP50, seed);
        let Verdict::MoreNeeded { requests: Some(more) } = first[0].verdict else { continue };
        let blocks = u32::try_from((100 + more).div_ceil(10)).unwrap();
        if blocks > 400 {
            continue;
        }
        asked += 1;
        let longer = experiment(World::Even, &[1.0, 1.05], fixed(blocks, 10), Criterion::TtftP50, seed + 1_000);
        decided += u32::from(longer[0].is_decided());
    }
    assert!(asked >= 20 && f64::from(decided) >= 0.5 * f64::from(asked), "{decided} of {asked}");
}
