use jiff::{SignedDuration, Timestamp};
use schema::trend::BudgetUnit;

use super::*;

fn day(number: i64) -> Timestamp {
    "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * number)
}

fn objective(period_days: f64, window_days: f64) -> Objective {
    let slo = "ttft<200ms".parse().unwrap();
    Objective { slo, share: 0.99, unit: BudgetUnit::Requests, period_days, window_days }
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

#[test]
fn misses_are_held_against_what_the_objective_allows() {
    // 1,000 requests a day; ten misses on the last: 10 of 40 allowed.
    let counted: Vec<Counted> =
        (0..4).map(|i| Counted { at: day(i), all: 1000, good: if i < 3 { 1000 } else { 990 } }).collect();
    let budget = error_budget(&objective(3.0, 1.0), &counted).unwrap();
    assert!(near(budget.compliance.value, 0.9975), "{budget:#?}");
    assert!(near(budget.consumed.value, 0.25));
    assert_eq!(budget.windows.len(), 3);
    assert_eq!(budget.windows.iter().map(|window| window.all).sum::<u64>(), 4000);
    // The last window holds the third day's beginning and the last run: 10 of 2,000.
    assert!(near(budget.burn_rate.value, 0.5), "{:?}", budget.windows);
    assert_eq!(budget.exhausted, None);
}

#[test]
fn a_burn_rate_above_one_tells_when_the_budget_ends() {
    let counted: Vec<Counted> =
        (0..=10).map(|i| Counted { at: day(i), all: 100, good: if i < 10 { 100 } else { 95 } }).collect();
    let budget = error_budget(&objective(10.0, 0.5), &counted).unwrap();
    assert!(near(budget.burn_rate.value, 5.0), "{budget:#?}");
    // 5 of 11 allowed misses are used; the other 6/11 of ten days at five times the pace.
    assert!(near(budget.consumed.value, 5.0 / 11.0));
    let end = budget.exhausted.unwrap();
    let days = end.duration_since(day(10)).as_secs_f64() / DAY;
    assert!((days - 6.0 / 11.0 * 10.0 / 5.0).abs() < 1e-6, "{days}");
}

#[test]
fn a_budget_that_is_used_up_says_so_and_what_lies_before_the_period_does_not_count() {
    let mut counted = vec![Counted { at: day(-100), all: 1_000_000, good: 1_000_000 }];
    counted.extend((0..3).map(|i| Counted { at: day(i), all: 100, good: 90 }));
    let budget = error_budget(&objective(30.0, 7.0), &counted).unwrap();
    assert!(near(budget.consumed.value, 10.0));
    assert_eq!(budget.exhausted, Some(day(2)));
    assert!(budget.consumed.low.unwrap() > 1.0 && budget.consumed.high.unwrap() < 30.0);
}

#[test]
fn runs_that_differ_make_the_interval_wider() {
    let width = |good: [u64; 4]| {
        let counted: Vec<Counted> =
            good.iter().zip(0..).map(|(good, i)| Counted { at: day(i), all: 1000, good: *good }).collect();
        let compliance = error_budget(&objective(30.0, 7.0), &counted).unwrap().compliance;
        compliance.high.unwrap() - compliance.low.unwrap()
    };
    assert!(width([1000, 1000, 1000, 880]) > 3.0 * width([970; 4]));
}

#[test]
fn nothing_counted_is_no_budget() {
    assert_eq!(error_budget(&objective(30.0, 7.0), &[]), None);
    assert_eq!(error_budget(&objective(30.0, 7.0), &[Counted { at: day(0), all: 0, good: 0 }]), None);
}

#[test]
fn windows_are_as_many_as_the_period_holds_and_no_more_than_a_thousand() {
    let counted = [Counted { at: day(0), all: 1, good: 1 }];
    assert_eq!(error_budget(&objective(30.0, 7.0), &counted).unwrap().windows.len(), 5);
    assert_eq!(error_budget(&objective(30.0, 90.0), &counted).unwrap().windows.len(), 1);
    let many = error_budget(&objective(3650.0, 0.01), &counted).unwrap().windows.len();
    assert!((999..=1001).contains(&many), "{many}");
}
