use schema::summary::SloStatus;

use super::*;
use crate::search::tests::tried;

/// A level, and the requests per second that it came to.
fn at((level, rate): (f64, f64)) -> Tried {
    let mut tried = tried(level, 1, SloStatus::Met);
    tried.requests_per_s.value = rate;
    tried
}

/// The levels of a sweep in order, at a target that completes `rate(level)`; the first is the single stream.
fn sweep(axis: Axis, points: u32, highest: f64, rate: impl Fn(f64) -> f64) -> Vec<f64> {
    let mut seen: Vec<Tried> = Vec::new();
    loop {
        let level = match next(axis, points, highest, &seen) {
            Next::SingleStream if axis == Axis::Rate => rate(f64::NAN),
            Next::SingleStream => 1.0,
            Next::Level(level) => level,
            Next::Over(_) => return seen.iter().map(|tried| tried.verdict.level).collect(),
        };
        seen.push(at((level, rate(level))));
    }
}

#[test]
fn streams_grow_until_throughput_does_not_and_the_bend_is_filled_in_first() {
    let levels = sweep(Axis::Concurrency, 8, 10_000.0, |streams| streams.min(20.0));
    assert_eq!(levels, [1.0, 4.0, 16.0, 64.0, 256.0, 32.0, 128.0, 23.0]);
}

#[test]
fn a_rate_that_is_not_kept_up_with_is_the_ceiling() {
    let levels = sweep(Axis::Rate, 7, f64::INFINITY, |rate| if rate.is_nan() { 2.0 } else { rate.min(50.0) });
    assert_eq!(levels, [2.0, 8.0, 32.0, 128.0, 64.0, 45.25, 16.0]);
}

#[test]
fn a_sweep_heeds_its_bound_and_ends_when_nothing_is_left_between() {
    assert_eq!(sweep(Axis::Concurrency, 9, 3.0, |streams| streams), [1.0, 3.0, 2.0]);
}

#[test]
fn a_target_that_completes_nothing_is_not_asked_for_more() {
    assert_eq!(sweep(Axis::Rate, 5, 100.0, |_| 0.0), [0.0]);
    assert_eq!(sweep(Axis::Concurrency, 5, 100.0, |_| 0.0), [1.0]);
}

#[test]
fn growth_within_the_interval_is_none() {
    let mut top = at((4.0, 12.0));
    top.requests_per_s.low = Some(9.0);
    assert_eq!(next(Axis::Concurrency, 9, 100.0, &[at((1.0, 10.0)), top]), Next::Level(2.0));
}
