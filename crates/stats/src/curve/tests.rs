use std::collections::BTreeMap;

use schema::plan::{Arrival, Load, WhenFull};
use schema::record::Outcome;
use schema::summary::{SloStatus, Summary};

use super::*;
use crate::fixture::{ms, plan, record, target};
use crate::{Measured, summarise};

/// A target that answers ten requests a second: below that at once, above it later and later.
fn step(number: u32, rate: u64, seconds: u64) -> (Step, Vec<Record>) {
    let began = u64::from(number) * 100_000;
    let requests = rate * seconds;
    let ttft = |i: u64| {
        let (due, served) = (i * 1_000 / rate, i * 100);
        50 + i * 7 % 11 + served.saturating_sub(due)
    };
    let one = |i: u64| {
        let due = began + i * 1_000 / rate;
        Record { index: i, step: number, ..record(due, &[ttft(i), ttft(i) + 40]) }
    };
    let step = Step {
        number,
        target: "a".parse().unwrap(),
        level: rate as f64,
        load: open(rate),
        began_ns: ms(began),
        ended_ns: ms(began + seconds * 1_000),
        cut_short: None,
    };
    (step, (0..requests).map(one).collect())
}

fn open(rate: u64) -> Load {
    let rate_per_s = schema::units::Rate::per_second(rate as f64).unwrap();
    Load::Open { rate_per_s, arrival: Arrival::Constant, max_concurrency: 1_000, when_full: WhenFull::NotSent }
}

fn searching(search: Search) -> Plan {
    let mut plan = plan(vec![target("a")]);
    plan.load = open(1);
    plan.slos = vec!["ttft_p95<200ms".parse().unwrap()];
    plan.search = Some(search);
    plan
}

const FIND: Search = Search::FindMax { axis: Axis::Rate, first: 1.0, highest: None, tolerance: 0.05, trials: 12 };
const SWEEP: Search = Search::Sweep { axis: Axis::Rate, points: 5, highest: None };

fn summary(plan: &Plan, rates: &[u64], change: impl Fn(&mut Step, &mut Vec<Record>)) -> Summary {
    let (mut steps, mut records) = (Vec::new(), Vec::new());
    for (number, rate) in (0..).zip(rates) {
        let (mut step, mut own) = step(number, *rate, 30);
        change(&mut step, &mut own);
        steps.push(step);
        records.extend(own);
    }
    let samples = BTreeMap::new();
    summarise(plan, &Measured { records: &records, steps: &steps, samples: &samples, calibration: None })
}

#[test]
fn the_answer_is_found_and_its_level_stands_for_the_target() {
    let found = summary(&searching(FIND), &[4, 8, 16, 12, 8], |_, _| {});
    let curve = &found.curves[0];
    let levels: Vec<(f64, Option<SloStatus>)> = curve.points.iter().map(|p| (p.level, p.slo)).collect();
    let (met, missed) = (Some(SloStatus::Met), Some(SloStatus::Missed));
    assert_eq!(levels, [(4.0, met), (8.0, met), (12.0, missed), (16.0, missed)]);
    assert_eq!(curve.points[1].steps, [1, 4]);
    // The first requests of each step met an engine that was still empty.
    assert_eq!(curve.points[1].attempted, 476);
    let answer = curve.answer.as_ref().unwrap();
    assert_eq!((answer.low, answer.high, answer.steps), (Some(8.0), Some(12.0), 5));
    assert_eq!(answer.limited_by, Some("ttft_p95<200ms".parse().unwrap()));
    assert_eq!(curve.stands_for, Some(8.0));
    let target = &found.targets[0];
    assert_eq!((target.attempted, target.slos[0].status), (476, SloStatus::Met));
    assert_eq!(target.warnings[0], "these are the figures at 8.00/s, one of 4 levels: the curve shows the others");
}

#[test]
fn a_level_that_cannot_be_kept_up_with_says_so() {
    let found = summary(&searching(SWEEP), &[4, 8, 20], |_, _| {});
    let points = &found.curves[0].points;
    assert_eq!((points[0].saturated.as_ref(), points[1].saturated.as_ref()), (None, None));
    assert!(points[2].saturated.as_ref().unwrap().starts_with("requests in flight grew from"), "{points:?}");
    assert!(found.curves[0].answer.is_none());
    assert_eq!(found.curves[0].stands_for, Some(8.0));
}

#[test]
fn requests_that_found_no_place_saturate_a_level_and_a_cut_step_gives_its_own_reason() {
    let full = summary(&searching(SWEEP), &[4], |_, records| {
        for record in records.iter_mut().step_by(10) {
            (record.outcome, record.start_ns, record.end_ns) = (Outcome::NotSent, None, None);
        }
    });
    let why = full.curves[0].points[0].saturated.clone().unwrap();
    assert_eq!(why, "11 of 119 requests found all 1000 places taken");
    let cut = summary(&searching(SWEEP), &[4], |step, _| step.cut_short = Some("no end in sight".into()));
    assert_eq!(cut.curves[0].points[0].saturated.as_deref(), Some("no end in sight"));
}

#[test]
fn without_an_answer_a_level_stands_that_can_be_trusted_and_kept_up_with() {
    let mut plan = searching(SWEEP);
    plan.slos.clear();
    assert_eq!(summary(&plan, &[4, 8, 20], |_, _| {}).curves[0].stands_for, Some(8.0));
    let few = summary(&plan, &[4, 8], |step, records| records.truncate(if step.level > 5.0 { 20 } else { 120 }));
    assert_eq!(few.curves[0].stands_for, Some(4.0));
    let only = summary(&plan, &[4], |_, _| {});
    assert_eq!(only.targets[0].warnings[0], "these are the figures at 4.00/s, the only level that was measured");
}

#[test]
fn what_the_client_shaped_decides_nothing_and_fits_no_law() {
    let late = summary(&searching(FIND), &[4, 6, 8, 12, 16], |step, records| {
        for record in records.iter_mut().filter(|_| step.level > 10.0) {
            record.scheduled_ns = record.scheduled_ns - Nanos::from_millis(90);
        }
    });
    let curve = &late.curves[0];
    assert_eq!(curve.points[4].trust, Trust::ClientLimited);
    assert_eq!(curve.law.as_ref().unwrap().points, 3);
    let answer = curve.answer.as_ref().unwrap();
    assert_eq!((answer.low, answer.high), (Some(8.0), None));
    assert!(answer.why.ends_with("the client was the limit from 12.0/s on"), "{}", answer.why);
}

#[test]
fn a_level_measured_in_a_closed_loop_offers_what_it_sends() {
    let found = summary(&searching(SWEEP), &[4, 8], |step, _| {
        if step.number == 0 {
            step.load = Load::Closed { concurrency: 1 };
        }
    });
    let offered = found.curves[0].points[0].offered_requests_per_s;
    assert!((offered - 4.0).abs() < 0.1, "{offered}");
    assert_eq!(found.targets[0].throughput.offered_requests_per_s.map(f64::round), Some(8.0));
}

#[test]
fn what_all_levels_cost_is_told_and_unlike_levels_are_not_compared() {
    let mut plan = searching(SWEEP);
    plan.targets[0].price = Some(crate::fixture::price());
    plan.targets.push(target("b"));
    let (mut steps, mut records) = (Vec::new(), Vec::new());
    for (number, rate, name) in [(0, 4, "a"), (1, 8, "a"), (2, 4, "b")] {
        let (mut step, mut own) = step(number, rate, 30);
        step.target = name.parse().unwrap();
        for record in &mut own {
            record.target = step.target.clone();
        }
        steps.push(step);
        records.extend(own);
    }
    let samples = BTreeMap::new();
    let found = summarise(&plan, &Measured { records: &records, steps: &steps, samples: &samples, calibration: None });
    let first = &found.targets[0].warnings[0];
    assert!(first.ends_with("one of 2 levels: the curve shows the others; the whole search cost $0.00504"), "{first}");
    let unlike =
        "the targets' figures are of unlike loads (a at 8.00/s, b at 4.00/s): compare their curves, not latencies";
    assert!(found.warnings.iter().any(|warning| warning == unlike), "{:?}", found.warnings);
}

#[test]
fn without_steps_a_search_is_summed_up_like_any_run() {
    let (_, records) = step(0, 4, 30);
    let found = summarise(&searching(FIND), &Measured::records(&records));
    assert!(found.curves.is_empty());
    assert_eq!(found.targets[0].attempted, 120);
}
