//! How often noise fails a gate, and how often a regression does.

use schema::gate::CheckVerdict;

use super::worlds::{Dice, ROUGH, World, bounds};
use crate::gate::judge;

/// Of a hundred tries, those in which any of three checks finds a regression.
fn failed(world: &World, baseline: usize, worse: f64, slower: f64) -> usize {
    let fails = |seed: &u64| {
        let mut dice = Dice::new(*seed);
        let before: Vec<_> = (0..baseline).map(|_| dice.run(world, 1.0)).collect();
        let judged = judge(&dice.run(world, slower), &before, &bounds(worse), *seed);
        judged.checks.iter().any(|check| check.verdict == CheckVerdict::Regression)
    };
    (0..100).filter(fails).count()
}

#[test]
fn noise_fails_a_gate_of_no_tolerance_at_most_five_times_in_a_hundred() {
    let found = failed(&ROUGH, 1, 0.0, 1.0);
    assert!(found <= 5, "{found}");
}

#[test]
fn noise_between_runs_does_not_fail_a_gate_that_knows_several() {
    let found = failed(&World { requests: 24, between: 0.1, ..ROUGH }, 3, 0.0, 1.0);
    assert!(found <= 5, "{found}");
}

#[test]
fn what_is_as_much_worse_as_it_may_be_passes() {
    let found = failed(&World { failing: 0.0, ..ROUGH }, 1, 0.05, 1.05);
    assert!(found <= 5, "{found}");
}

#[test]
fn a_regression_clearly_beyond_the_bound_fails() {
    let found = failed(&ROUGH, 1, 0.05, 2.0);
    assert!(found >= 95, "{found}");
}
