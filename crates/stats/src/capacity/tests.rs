use schema::projection::Assumed;
use schema::summary::{Estimate, Trust};

use super::*;
use crate::fixture::{plan, price, record, target};
use crate::{Measured, summarise};

fn point(level: f64, slo: Option<SloStatus>) -> CurvePoint {
    let rate = Estimate { value: level, low: Some(level * 0.9), high: Some(level * 1.1) };
    CurvePoint {
        level,
        steps: vec![0],
        attempted: 100,
        completed: 100,
        offered_requests_per_s: level,
        requests_per_s: rate,
        output_tokens_per_s: rate,
        goodput_requests_per_s: None,
        mean_in_flight: 1.0,
        ttft_p50_ns: None,
        ttft_p95_ns: None,
        tpot_p50_ns: None,
        tpot_p95_ns: None,
        slo,
        saturated: None,
        trust: Trust::Trustworthy,
    }
}

/// A run whose target answers with 10 input and 2 output tokens, and carries 8 requests/s for certain and 10 at most.
fn searched(points: Vec<CurvePoint>) -> (Plan, Summary) {
    let priced = Target { price: Some(price()), ..target("a") };
    let plan = plan(vec![priced]);
    let records: Vec<_> = (0..50).map(|i| record(i * 10, &[100, 200])).collect();
    let mut summary = summarise(&plan, &Measured::records(&records));
    let curve = Curve {
        target: "a".parse().unwrap(),
        simulated: false,
        axis: Axis::Rate,
        points,
        law: None,
        answer: None,
        stands_for: None,
    };
    summary.curves = vec![curve];
    (plan, summary)
}

fn usual() -> Vec<CurvePoint> {
    vec![
        point(4.0, Some(SloStatus::Met)),
        point(8.0, Some(SloStatus::Met)),
        point(9.0, Some(SloStatus::Undecided)),
        point(10.0, Some(SloStatus::Missed)),
        point(12.0, Some(SloStatus::Met)),
    ]
}

/// A mean of 20 requests a second, 60 at the peak.
fn demand() -> Assumptions {
    Assumptions {
        requests_per_day: Some(Assumed::given(1_728_000.0)),
        peak_factor: Some(Assumed::given(3.0)),
        ..Assumptions::default()
    }
}

fn of(points: Vec<CurvePoint>, assumptions: &Assumptions) -> Projected {
    let (plan, summary) = searched(points);
    capacity(&plan, &summary, assumptions, &[1.5]).unwrap()
}

#[track_caller]
fn figure(projected: &Projected, name: &str) -> Estimate {
    let all = &projected.targets[0].projections;
    all.iter().find(|p| p.figure == name).unwrap_or_else(|| panic!("no {name} in {all:#?}")).estimate
}

fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value, low: Some(low), high: Some(high) }
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn replicas_carry_the_peak_at_what_one_certainly_carries() {
    let found = of(usual(), &demand());
    assert_near(figure(&found, "peak demand").value, 60.0);
    assert_eq!(figure(&found, "one replica carries"), estimate(8.0, 8.0, 10.0));
    // 60 ÷ 8 = 7.5, at best 60 ÷ 10 = 6.
    assert_eq!(figure(&found, "replicas"), estimate(8.0, 6.0, 8.0));
    assert!((figure(&found, "headroom at the peak").value - (64.0 / 60.0 - 1.0)).abs() < 1e-12);
    assert_near(figure(&found, "replicas, demand 20 % higher").value, 9.0);
    assert_near(figure(&found, "replicas, capacity 20 % lower").value, 10.0);
}

#[test]
fn what_a_level_of_concurrency_carries_is_as_uncertain_as_it_was_measured() {
    let (plan, mut summary) = searched(usual());
    summary.curves[0].axis = Axis::Concurrency;
    let found = capacity(&plan, &summary, &demand(), &[]).unwrap();
    let one = figure(&found, "one replica carries");
    assert_eq!((one.value, one.low, one.high), (8.0, Some(8.0 * 0.9), Some(10.0 * 1.1)));
    // 60 ÷ 7.2 = 8.3, at best 60 ÷ 11 = 5.5.
    assert_eq!(figure(&found, "replicas"), estimate(8.0, 6.0, 9.0));
}

#[test]
fn what_is_kept_in_hand_takes_more_replicas() {
    let assumptions =
        Assumptions { utilisation: Some(Assumed::given(0.5)), spare_replicas: Some(Assumed::given(1.0)), ..demand() };
    assert_near(figure(&of(usual(), &assumptions), "replicas").value, 16.0);
}

#[test]
fn ranges_of_assumptions_widen_the_answer_and_are_told_with_their_source() {
    let counted = Assumed { value: 3.0, low: Some(2.0), high: Some(4.0), source: Some("counted in May".into()) };
    let found = of(usual(), &Assumptions { peak_factor: Some(counted), ..demand() });
    assert_eq!(figure(&found, "replicas"), estimate(8.0, 4.0, 10.0));
    let names: Vec<_> = found.assumptions.iter().map(|a| (a.name.as_str(), a.source.as_str())).collect();
    assert_eq!(names[..2], [("requests_per_day", "given by you"), ("peak_factor", "counted in May")]);
    assert!(names.contains(&("utilisation", "none given: all that a replica carries is used")), "{names:?}");
}

#[test]
fn money_goes_by_the_hour_by_the_token_and_by_what_if() {
    let assumptions = Assumptions { replica_usd_per_hour: Some(Assumed::given(2.0)), ..demand() };
    let found = of(usual(), &assumptions);
    let month = figure(&found, "cost a month");
    assert_eq!((month.value, month.low), (8.0 * 2.0 * 730.0, Some(6.0 * 2.0 * 730.0)));
    assert_near(figure(&found, "cost a month at 1.5 USD/hour").value, 8.0 * 1.5 * 730.0);
    // 10 input and 2 output tokens at 1 and 2 dollars a million are 14 millionths of a dollar.
    let tokens = figure(&found, "cost a month by the token").value;
    assert!((tokens - 14e-6 * 1_728_000.0 * 365.0 / 12.0).abs() < 1e-6, "{tokens}");
    let longer = Assumptions { output_tokens: Some(Assumed::given(4.0)), ..demand() };
    let tokens = figure(&of(usual(), &longer), "cost a month by the token").value;
    assert!((tokens - 18e-6 * 1_728_000.0 * 365.0 / 12.0).abs() < 1e-6, "{tokens}");
}

#[test]
fn longer_requests_take_what_one_replica_carries_down_by_the_worse_ratio() {
    let assumptions =
        Assumptions { input_tokens: Some(Assumed::given(10.0)), output_tokens: Some(Assumed::given(4.0)), ..demand() };
    let found = of(usual(), &assumptions);
    assert_eq!(figure(&found, "one replica carries"), estimate(4.0, 4.0, 10.0));
    assert!(found.targets[0].notes[0].starts_with("lengths other than"), "{:?}", found.targets[0].notes);
}

#[test]
fn without_slos_it_is_the_highest_throughput_and_says_so() {
    let found = of(vec![point(4.0, None), point(6.0, None)], &demand());
    let one = figure(&found, "one replica carries");
    assert_eq!((one.value, one.low), (6.0, Some(6.0 * 0.9)));
    assert!(found.targets[0].notes[0].starts_with("no SLO was set"));
}

#[test]
fn where_nothing_was_certain_there_is_no_plan() {
    let found = of(vec![point(4.0, Some(SloStatus::Undecided)), point(6.0, Some(SloStatus::Missed))], &demand());
    assert_eq!(found.targets[0].projections.len(), 1);
    assert!(found.targets[0].notes[0].contains("nothing to plan with"));
    let (plan, summary) = searched(usual());
    assert_eq!(capacity(&plan, &summary, &Assumptions::default(), &[]), None);
}
