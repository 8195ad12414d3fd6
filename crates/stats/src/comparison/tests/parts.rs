//! The parts a comparison is made of, against second implementations.

use std::collections::BTreeMap;

use schema::comparison::Test;
use schema::units::Moment;

use super::super::contrast::Contrast;
use super::super::looks::Looks;
use super::super::weighing::{self, normalised};
use super::*;

/// So many of ten completed in each block.
fn shares(hits: &[u32]) -> Figure {
    let blocks = (0_u64..).zip(hits);
    let case = |block, completed| Case {
        block,
        span: Some((Moment(0), Moment(1))),
        ttft: None,
        tpot: None,
        e2e: None,
        completed,
        throttled: false,
        output_tokens: 0.0,
        cost: None,
    };
    let cases: Vec<Case> = blocks.flat_map(|(block, &hits)| (0..10).map(move |i| case(block, i < hits))).collect();
    Figure::of(Criterion::SuccessRate, &cases).unwrap()
}

const ONE: [u32; 8] = [9, 2, 8, 1, 9, 3, 7, 2];
const OTHER: [u32; 8] = [8, 1, 9, 0, 7, 4, 5, 2];

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{got} is not {expected}");
}

/// Expected: Student's paired t and Welch's of the blocks' shares, worked out by integrating the density.
#[test]
fn straight_figures_are_told_apart_by_students_t_of_blocks() {
    let (one, other) = (shares(&ONE), shares(&OTHER));
    near(Contrast::of(&one, &other, Test::PairedBlocks).p().unwrap(), 0.180_262_372_69);
    near(Contrast::of(&one, &other, Test::IndependentBlocks).p().unwrap(), 0.717_837_127_45);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    near(mean(&Contrast::of(&one, &other, Test::PairedBlocks).differences()), 0.0625);
}

#[test]
fn one_block_tells_nothing() {
    let (one, other) = (shares(&[9]), shares(&[1]));
    for test in [Test::PairedBlocks, Test::IndependentBlocks] {
        assert_eq!(Contrast::of(&one, &other, test).p(), None);
    }
}

#[test]
fn a_level_of_one_look_is_worth_the_error_of_all() {
    for (blocks, of) in [(1, 100), (3, 10), (10, 10), (40, 1_000)] {
        let looks = Looks::after(blocks, of);
        let level = looks.level(0.05);
        near(looks.over_all(level), 0.05);
        assert!(level < 0.05, "{blocks} of {of}: {level}");
    }
    assert_eq!((Looks::Once.level(0.05), Looks::Once.over_all(0.05)), (0.05, 0.05));
    // Half of the error is left for the last look: both tails beyond the point that leaves out an 80th on one side, twice.
    near(Looks::after(10, 10).level(0.05), 0.0125);
}

/// Latency and cost: one is best at the first, one at the second, one at nothing.
const BADNESS: [[f64; 2]; 3] = [[0.0, 0.6], [0.2, 0.0], [0.5, 0.7]];

fn badness() -> Vec<Vec<f64>> {
    BADNESS.iter().map(|row| row.to_vec()).collect()
}

#[test]
fn the_share_of_weightings_is_that_of_the_simplex() {
    // The first wins while w · 0.2 > (1 − w) · 0.6.
    let support = weighing::support(&badness(), 2);
    assert!((support[0] - 0.25).abs() < 1e-3 && (support[1] - 0.75).abs() < 1e-3, "{support:?}");
    assert!(support[2] <= 0.0);
    // Three that are each best at one thing share a triangle.
    let alike: Vec<Vec<f64>> = (0..3).map(|i| (0..3).map(|j| f64::from(u8::from(i != j))).collect()).collect();
    assert!(weighing::support(&alike, 3).iter().all(|share| (share - 1.0 / 3.0).abs() < 0.01));
}

#[test]
fn the_winner_changes_at_the_nearest_weights_where_two_are_level() {
    let (rival, weights) = weighing::turning(&badness(), &[0.5, 0.5], 1).unwrap();
    assert_eq!(rival, 0);
    near(weights[0], 0.75);
    near(weights[1], 0.25);
    // With three dimensions the nearest point lies on the plane, at a right angle to it.
    let three = vec![vec![0.0, 0.0, 0.0], vec![0.3, 0.1, -0.2]];
    let (_, weights) = weighing::turning(&three, &[1.0 / 3.0; 3], 0).unwrap();
    near(weights.iter().sum(), 1.0);
    near(0.3 * weights[0] + 0.1 * weights[1] - 0.2 * weights[2], 0.0);
    let moved: Vec<f64> = weights.iter().map(|weight| weight - 1.0 / 3.0).collect();
    // What moved is a multiple of the lead less its mean.
    near(moved[0] / (0.3 - 0.2 / 3.0), moved[2] / (-0.2 - 0.2 / 3.0));
    let always = vec![vec![0.0, 0.0], vec![0.1, 0.2]];
    assert_eq!(weighing::turning(&always, &[0.5, 0.5], 0), None);
}

#[test]
fn weights_add_up_to_one() {
    let given: BTreeMap<char, f64> = [('a', 3.0), ('b', 1.0)].into();
    assert_eq!(normalised(&['a', 'b', 'c'], &given), vec![0.75, 0.25, 0.0]);
    assert_eq!(normalised(&['a', 'b'], &BTreeMap::new()), [0.5, 0.5]);
    // What was weighed has no data.
    assert_eq!(normalised(&['c', 'd'], &given), [0.5, 0.5]);
}
