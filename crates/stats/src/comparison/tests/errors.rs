//! How often a verdict is wrong, and how often there is one, in worlds where the truth is known.

use super::*;
use crate::comparison::case::Case;
use schema::units::{Moment, Nanos};

#[path = "../../../benches/worlds.rs"]
mod worlds;

use worlds::{Ground, World};

const EXPERIMENTS: u64 = 1_000;

/// How an experiment is done.
#[derive(Clone, Copy)]
struct Design {
    blocks: u32,
    size: usize,
    until_decided: bool,
}

fn case(block: u32, ttft: f64) -> Case {
    let (start, end) = (Moment(u64::from(block) * 1_000_000_000), Moment(u64::from(block) * 1_000_000_000));
    Case {
        block: u64::from(block),
        span: Some((start, end + Nanos(1))),
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
    let names = ["a", "b", "c"];
    let mut plan = plan(names[..factors.len()].iter().map(|name| target(name)).collect());
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

/// Share of experiments in which something is said of any pair.
fn share(
    world: World,
    factors: &[f64],
    design: Design,
    criterion: Criterion,
    said: impl Fn(&PairVerdict) -> bool,
) -> f64 {
    let said = (0..EXPERIMENTS).filter(|&seed| experiment(world, factors, design, criterion, seed).iter().any(&said));
    said.count() as f64 / EXPERIMENTS as f64
}

/// Five in a hundred, and what chance adds to it in so many experiments (three standard errors).
const MOST: f64 = 0.05 + 3.0 * 0.0069;

#[test]
fn where_nothing_differs_hardly_any_winner_is_called() {
    for world in World::ALL {
        for (blocks, size) in [(5, 20), (10, 10), (40, 10)] {
            let design = Design { blocks, size, until_decided: false };
            for criterion in [Criterion::TtftP50, Criterion::TtftMean, Criterion::TtftP95] {
                let wrong = share(world, &[1.0, 1.0], design, criterion, PairVerdict::is_certain);
                eprintln!("{world:?} {blocks} x {size} {criterion:?}: {wrong}");
            }
        }
    }
}
