use schema::projection::Assumed;
use schema::target::Target;

use super::*;
use crate::fixture::{plan, price, record, target};
use crate::{Measured, summarise};

/// Two targets: answers of `a` take about a second, those of `b` two; the first words come after a tenth of it.
fn projected(assumptions: &Assumptions) -> Projected {
    let priced = |name| Target { price: Some(price()), ..target(name) };
    let plan = plan(vec![priced("a"), priced("b")]);
    let of = |name: &str, whole: u64| -> Vec<Record> {
        let one = |i: u64| {
            let whole = whole + i * 7 % 20;
            Record { index: i, target: name.parse().unwrap(), ..record(i * 3_000, &[whole / 10, whole]) }
        };
        (0..100).map(one).collect()
    };
    let records = [of("a", 1_000), of("b", 2_000)].concat();
    let summary = summarise(&plan, &Measured::records(&records));
    impact(&plan, &summary, &records, assumptions)
}

fn people() -> Assumptions {
    Assumptions {
        users: Some(Assumed::given(100.0)),
        interactions_per_user_per_day: Some(Assumed { low: Some(5.0), high: Some(20.0), ..Assumed::given(10.0) }),
        days_per_year: Some(Assumed::given(200.0)),
        user_usd_per_hour: Some(Assumed::given(36.0)),
        ..Assumptions::default()
    }
}

#[track_caller]
fn figure(projected: &Projected, target: usize, name: &str) -> Estimate {
    let all = &projected.targets[target].projections;
    all.iter().find(|p| p.figure == name).unwrap_or_else(|| panic!("no {name} in {all:#?}")).estimate
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn waiting_is_the_mean_of_what_was_measured_times_how_often() {
    let found = projected(&people());
    let wait = figure(&found, 0, "wait for an answer");
    assert!((wait.value - 1.0095).abs() < 1e-3 && wait.low.unwrap() < wait.value, "{wait:?}");
    let hours = figure(&found, 0, "waiting of all users a year");
    assert!((hours.value - wait.value * 10.0 * 100.0 * 200.0 / 3600.0).abs() < 1e-9, "{hours:?}");
    // The ends take those of the mean and of the interactions together.
    assert!((hours.low.unwrap() - wait.low.unwrap() * 5.0 * 100.0 * 200.0 / 3600.0).abs() < 1e-9, "{hours:?}");
    assert!((figure(&found, 0, "cost of waiting a year").value - hours.value * 36.0).abs() < 1e-9);
    let a_day = figure(&found, 0, "waiting of one user a day");
    assert!((a_day.value - wait.value * 10.0).abs() < 1e-9);
}

#[test]
fn the_slower_is_compared_with_the_one_people_wait_for_least() {
    let found = projected(&people());
    let more = figure(&found, 1, "longer wait than for `a`");
    assert!((more.value - 1.0).abs() < 1e-3 && more.low.unwrap() > 0.99, "{more:?}");
    assert!(found.targets[0].projections.iter().all(|p| !p.figure.contains("than for")));
}

#[test]
fn without_assumptions_only_what_was_measured_is_said() {
    let found = projected(&Assumptions::default());
    let names: Vec<&str> = found.targets[0].projections.iter().map(|p| p.figure.as_str()).collect();
    assert_eq!(names, ["wait for an answer", "answers that begin after 1 s", "answers that begin after 10 s"]);
    assert!(found.assumptions.is_empty(), "{:?}", found.assumptions);
    let late = figure(&found, 1, "answers that begin after 1 s");
    assert!(late.value == 0.0 && late.high.unwrap() > 0.03, "{late:?}");
}

#[test]
fn reading_covers_what_comes_slower_than_the_first_words() {
    let first = projected(&Assumptions { waits_for: Some(WaitsFor::FirstWords), ..Assumptions::default() });
    let reading = projected(&Assumptions { waits_for: Some(WaitsFor::BeyondReading), ..Assumptions::default() });
    let (first, beyond) = (figure(&first, 0, "wait for an answer"), figure(&reading, 0, "wait for an answer"));
    // Two tokens are read in 379 ms; the rest of the second is waiting.
    assert!((beyond.value - (1.0095 - 2.0 * 60.0 / (238.0 * 1.33))).abs() < 1e-3, "{beyond:?}");
    assert!(first.value < 0.11);
    assert_eq!(reading.assumptions[0].source, READING_WORDS_PER_MINUTE.1);
}

#[test]
fn self_hosting_breaks_even_where_both_cost_the_same() {
    let hosted = Assumptions {
        replica_usd_per_hour: Some(Assumed::given(2.0)),
        replicas: Some(Assumed::given(3.0)),
        ..people()
    };
    let found = projected(&hosted);
    assert_near(figure(&found, 0, "cost a year self-hosted").value, 3.0 * 2.0 * 8_760.0);
    // A request of 10 input and 2 output tokens costs 14 millionths of a dollar.
    let even = figure(&found, 0, "break-even").value;
    assert!((even - 3.0 * 2.0 * 24.0 / 14e-6).abs() < 1e-3, "{even}");
    let a_year = figure(&found, 0, "cost a year by the token").value;
    assert!((a_year - 14e-6 * 10.0 * 100.0 * 200.0).abs() < 1e-9, "{a_year}");
}

#[test]
fn a_target_that_answered_nothing_has_no_waiting() {
    let plan = plan(vec![target("a")]);
    let summary = summarise(&plan, &Measured::records(&[]));
    let found = impact(&plan, &summary, &[], &people());
    assert!(found.targets[0].projections.is_empty());
    assert_eq!(found.targets[0].notes.len(), 1);
}
