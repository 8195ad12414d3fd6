use schema::summary::SloStatus;

use super::*;

pub(super) fn tried(level: f64, steps: u64, status: SloStatus) -> Tried {
    Tried {
        verdict: Verdict { level, steps, status, in_the_way: None, saturated: false, times: 1.0 },
        requests_per_s: Estimate { value: level, low: None, high: None },
        client_limited: false,
        measured: steps as f64,
    }
}

#[track_caller]
fn check_between(axis: Axis, low: f64, high: f64, expected: Option<f64>) {
    assert_eq!(between(axis, low, high), expected);
}

#[test]
fn a_level_between_is_a_whole_number_of_streams_or_four_digits_of_a_rate() {
    check_between(Axis::Concurrency, 1.0, 4.0, Some(2.0));
    check_between(Axis::Concurrency, 4.0, 6.0, Some(5.0));
    check_between(Axis::Concurrency, 4.0, 5.0, None);
    check_between(Axis::Rate, 1.0, 2.0, Some(1.414));
    check_between(Axis::Rate, 100.0, 121.0, Some(110.0));
    check_between(Axis::Rate, 1.000_1, 1.000_2, None);
}

#[test]
fn a_search_heeds_both_its_own_bound_and_that_of_the_machine() {
    let search = |highest| Search::FindMax { axis: Axis::Rate, first: 8.0, highest, tolerance: 0.1, trials: 9 };
    assert_eq!(next(&search(Some(4.0)), 100.0, &[]), Next::Level(4.0));
    assert_eq!(next(&search(None), 2.0, &[]), Next::Level(2.0));
}

#[test]
fn a_bound_of_more_than_four_digits_is_heeded_to_the_last() {
    let first = Search::FindMax { axis: Axis::Rate, first: 2e4, highest: Some(12_345.6), tolerance: 0.1, trials: 9 };
    assert_eq!(next(&first, f64::INFINITY, &[]), Next::Level(12_345.6));
}
