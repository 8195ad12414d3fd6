use schema::record::Record;

use super::*;
use crate::fixture::{plan, record, target};
use crate::summarise_target;

use SloStatus::{Met, Missed, Undecided};

fn slo() -> Slo {
    "ttft_p95<200ms".parse().unwrap()
}

fn tried(levels: &[(f64, SloStatus)]) -> Vec<Verdict> {
    let one = |&(level, status): &(f64, SloStatus)| {
        let in_the_way = (status != Met).then(slo);
        Verdict { level, steps: 1, status, in_the_way, saturated: false, times: 1.0 }
    };
    levels.iter().map(one).collect()
}

/// Lower end, upper end and why.
#[track_caller]
fn check(levels: &[(f64, SloStatus)], low: Option<f64>, high: Option<f64>, why: &str) {
    let found = answer(Axis::Rate, &[slo()], &tried(levels));
    assert_eq!((found.low, found.high, found.highest), (low, high, low));
    assert_eq!(found.why, why);
    assert_eq!(found.limited_by, high.map(|_| slo()));
    assert_eq!(found.steps, levels.len() as u64);
}

#[test]
fn the_answer_lies_between_the_highest_certain_success_and_the_lowest_certain_miss() {
    check(
        &[(16.0, Missed), (4.0, Met), (14.0, Undecided), (8.0, Met), (15.0, Missed)],
        Some(8.0),
        Some(15.0),
        "certainly met at 8.00/s, certainly missed at 15.0/s",
    );
    check(&[(4.0, Met), (8.0, Met)], Some(8.0), None, "certainly met at 8.00/s, and no level was certainly missed");
    check(&[(1.0, Missed)], None, Some(1.0), "certainly missed at 1.00/s, and no lower level was certainly met");
    check(&[(1.0, Undecided)], None, None, "no level was certainly met or missed");
    check(&[], None, None, "no level was certainly met or missed");
}

#[test]
fn a_success_above_a_certain_miss_counts_for_nothing() {
    check(
        &[(4.0, Met), (6.0, Missed), (8.0, Met)],
        Some(4.0),
        Some(6.0),
        "certainly met at 4.00/s, certainly missed at 6.00/s; met again above that, which is taken for chance",
    );
}

#[test]
fn a_level_that_cannot_be_kept_up_with_is_missed_whatever_the_bounds_say() {
    let mut levels = tried(&[(8.0, Met)]);
    levels.push(Verdict { level: 9.0, steps: 2, status: Missed, in_the_way: None, saturated: true, times: 1.0 });
    let found = answer(Axis::Concurrency, &[slo()], &levels);
    assert_eq!(found.why, "certainly met at 8 at once, the target could not keep up at 9 at once");
    assert_eq!((found.steps, found.limited_by), (3, None));
}

/// Of a hundred requests with that TTFT, due so much before they were sent.
fn verdict(ttft: u64, saturated: bool, late: u64) -> Verdict {
    let mut plan = plan(Vec::new());
    plan.slos = vec![slo()];
    let due = |i: u64| crate::fixture::ms((i * 1_000).saturating_sub(late));
    let records: Vec<Record> =
        (1..=100).map(|i| Record { scheduled_ns: due(i), ..record(i * 1_000, &[ttft, ttft + 10]) }).collect();
    let summary = summarise_target(&plan, &target("a"), &records.iter().collect::<Vec<_>>());
    Verdict::of_summary(&summary, 1.0, 1, saturated, 1.0)
}

#[test]
fn a_verdict_is_that_of_all_bounds_together_unless_the_client_was_the_limit() {
    assert_eq!(verdict(100, false, 0).status, Met);
    assert_eq!((verdict(300, false, 0).status, verdict(300, false, 0).in_the_way), (Missed, Some(slo())));
    assert_eq!(verdict(100, true, 0).status, Missed);
    assert_eq!(verdict(300, false, 40).status, Undecided);
}

#[test]
fn levels_are_written_with_three_digits() {
    assert_eq!(level_in_words(Axis::Rate, 14.236), "14.2/s");
    assert_eq!(level_in_words(Axis::Rate, 0.0625), "0.0625/s");
    assert_eq!(level_in_words(Axis::Rate, 1234.5), "1234/s");
    assert_eq!(level_in_words(Axis::Concurrency, 16.0), "16 at once");
}
