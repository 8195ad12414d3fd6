//! A small edition of `just coverage`: intervals that are too narrow or too wide fail here.

#[path = "../benches/coverage/experiment.rs"]
mod experiment;

use stats::inference::{Design, Statistic};

use crate::experiment::{Experiment, Memory, Question, Shape};

/// Of 120 intervals at 95 %, fewer than 107 or all hold the truth once in a hundred thousand and once in 500 times.
#[track_caller]
fn check(shape: Shape, memory: Memory, n: usize, question: Question, statistic: Statistic) {
    let held = Experiment { shape, memory, n, question, statistic }.run(0..120);
    assert_eq!(held.given, 120);
    assert!((107..120).contains(&held.true_ones), "{held:?}");
    assert!(held.below > 0 || held.above > 0, "{held:?}");
}

#[test]
fn a_mean_of_skewed_values_is_held() {
    check(Shape::VerySkewed, Memory::None, 200, Question::Interval, Statistic::Mean);
}

#[test]
fn a_median_of_values_that_lean_on_each_other_is_held() {
    check(Shape::Skewed, Memory::Leaning(0.5), 200, Question::Interval, Statistic::Quantile(0.5));
}

#[test]
fn a_p95_of_two_modes_is_held() {
    check(Shape::Bimodal, Memory::None, 200, Question::Interval, Statistic::Quantile(0.95));
}

#[test]
fn a_difference_of_means_is_held() {
    let question = Question::Difference(Design::Independent);
    check(Shape::Skewed, Memory::None, 100, question, Statistic::Mean);
}

#[test]
fn a_ratio_of_medians_of_paired_blocks_is_held() {
    check(Shape::Skewed, Memory::Shared(0.3), 200, Question::Ratio(Design::Paired), Statistic::Quantile(0.5));
}
