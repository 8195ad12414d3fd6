use schema::record::FailureClass;

use super::*;
use crate::fixture::{failed, ms, record};

/// With so long a TTFT, and gaps of 10 ms.
fn request(ttft: u64) -> Record {
    record(0, &[ttft, ttft + 10, ttft + 20, ttft + 30])
}

/// `good` requests with a TTFT of 100 ms, `bad` ones with 300 ms, evenly among them.
fn requests(good: u64, bad: u64) -> Vec<Record> {
    let all = good + bad;
    (0..all).map(|i| request(if i * bad / all == (i + 1) * bad / all { 100 } else { 300 })).collect()
}

#[track_caller]
fn check(slo: &str, records: &[Record], status: SloStatus, why: &str, starved: bool) -> SloVerdict {
    let slo: Slo = slo.parse().unwrap();
    let records: Vec<&Record> = records.iter().collect();
    let (got, is_starved) = verdict(slo, Sample::of(slo.metric, &records).as_ref(), &records);
    assert_eq!(got.status, status, "{}", got.why);
    assert!(got.why.contains(why), "{}", got.why);
    assert_eq!(is_starved, starved, "{}", got.why);
    got
}

#[test]
fn a_percentile_is_met_when_enough_requests_met_it() {
    use SloStatus::{Met, Missed, Undecided};
    let met = check("ttft_p95<200ms", &requests(72, 0), Met, "100.0 % of 72 requests met it (94.9 to 100.0 %)", false);
    assert_eq!(met.measured.unwrap().high, Some(100e6));
    check("ttft_p95<200ms", &requests(71, 0), Undecided, "at least 1 more request would", true);
    check("ttft_p95<200ms", &requests(20, 0), Undecided, "at least 52 more requests", true);
    check("ttft_p95<200ms", &requests(150, 50), Missed, "75.0 % of 200", false);
    check("ttft_p95<200ms", &requests(194, 6), Undecided, "about 257 more requests would tell", true);
    check("ttft_p95<200ms", &requests(190, 10), Undecided, "too close to call", false);
    check("ttft_p95<200ms", &requests(2, 8), Missed, "20.0 % of 10", false);
}

#[test]
fn the_verdict_agrees_with_the_percentiles_interval() {
    for bad in 0..30 {
        let records = requests(200 - bad, bad);
        let refs: Vec<&Record> = records.iter().collect();
        let slo: Slo = "ttft_p95<200ms".parse().unwrap();
        let (verdict, _) = verdict(slo, Sample::of(slo.metric, &refs).as_ref(), &refs);
        let measured = verdict.measured.unwrap();
        let expected = match (slo.met_by(measured.low.unwrap()), slo.met_by(measured.high.unwrap())) {
            (true, true) => SloStatus::Met,
            (false, false) => SloStatus::Missed,
            _ => SloStatus::Undecided,
        };
        assert_eq!(verdict.status, expected, "{bad} of 200 beyond the bound");
    }
}

#[test]
fn failed_and_unsent_requests_are_misses() {
    let mut records = requests(200, 0);
    for at in (0..200).step_by(20) {
        records[at] = failed(0, FailureClass::Stalled);
        records[at + 10] = Record { start_ns: None, outcome: Outcome::NotSent, ..record(0, &[]) };
    }
    let got = check("ttft_p95<200ms", &records, SloStatus::Missed, "90.0 % of 200", false);
    assert!((got.share - 0.9).abs() < 1e-12);
    // What completed was well within.
    assert_eq!(got.measured.unwrap().high, Some(100e6));
    check("itl_p50<20ms", &records, SloStatus::Met, "180 of 200 requests", false);
    check("itl_p95<20ms", &records, SloStatus::Missed, "20 of 200 requests had no gaps", false);
}

#[test]
fn what_we_ended_ourselves_is_a_miss_only_beyond_the_bound() {
    let cancelled = |end| Record { end_ns: Some(ms(end)), outcome: Outcome::Cancelled, ..record(0, &[]) };
    let mut records = requests(100, 0);
    records.push(cancelled(150));
    check("ttft_p95<200ms", &records, SloStatus::Met, "of 100 requests", false);
    records.push(cancelled(250));
    check("ttft_p95<200ms", &records, SloStatus::Undecided, "of 101 requests", true);
}

#[test]
fn speed_is_bounded_from_below() {
    // 10 ms a token: 100 tokens a second.
    check("output_speed_p10>90", &requests(36, 0), SloStatus::Met, "90 % is wanted", false);
    check("output_speed_p10>110", &requests(36, 0), SloStatus::Missed, "0.0 % of 36", false);
}

#[test]
fn a_bound_without_a_percentile_is_for_every_request() {
    check("ttft<200ms", &requests(3, 0), SloStatus::Met, "3 of 3", false);
    let missed = check("ttft<200ms", &requests(300, 1), SloStatus::Missed, "300 of 301", false);
    assert!((missed.measured.unwrap().value - 300e6).abs() < 1.0);
}

#[test]
fn a_metric_that_nobody_reports_stays_open() {
    check("server_ttft_p50<1s", &requests(50, 0), SloStatus::Undecided, "no request has a value of Server TTFT", true);
}

#[test]
fn gaps_are_judged_together() {
    check("itl_p95<20ms", &requests(100, 0), SloStatus::Met, "100 of 100", false);
    check("itl_p95<5ms", &requests(100, 0), SloStatus::Missed, "0 of 100", false);
    check("itl_p95<20ms", &requests(5, 0), SloStatus::Undecided, "too few gaps or requests", true);
}

#[test]
fn misses_that_come_together_count_for_fewer() {
    let alone = requests(180, 20);
    check("ttft_p80<200ms", &alone, SloStatus::Met, "90.0 % of 200 requests met it (85.1 to 93.4 %); 80 %", false);
    let together: Vec<Record> = (0..200).map(|i| request(if (90..110).contains(&i) { 300 } else { 100 })).collect();
    let got =
        check("ttft_p80<200ms", &together, SloStatus::Undecided, "as neighbours in time resemble each other", true);
    assert!(got.why.contains("would tell"), "{}", got.why);
    // Told apart by when they were due, and not by when they are recorded.
    let shuffled: Vec<Record> = alone
        .iter()
        .enumerate()
        .map(|(i, one)| Record { scheduled_ns: ms(i as u64 * 77 % 200), ..one.clone() })
        .collect();
    check("ttft_p80<200ms", &shuffled, SloStatus::Met, "of 200 requests met it", false);
}

#[test]
fn time_and_not_requests_bounds_what_is_worth_to_show_that_a_bound_is_met() {
    let slo: Slo = "ttft_p90<200ms".parse().unwrap();
    let judged = |states, good, bad| {
        let records = requests(good, bad);
        let refs: Vec<&Record> = records.iter().collect();
        let (verdict, times) = verdict_with(Care { tail: 0.025, states }, slo, &refs);
        (verdict.status, times)
    };
    assert_eq!(judged(f64::INFINITY, 500, 0), (SloStatus::Met, 1.0));
    assert_eq!(judged(60.0, 500, 0), (SloStatus::Met, 1.0));
    let (status, times) = judged(20.0, 500, 0);
    assert_eq!(status, SloStatus::Undecided);
    assert!((2.0..2.3).contains(&times), "36 are needed, and 20 are worth 17.5 as they are few: {times}");
    assert_eq!(judged(20.0, 250, 250).0, SloStatus::Missed);
    assert!(judged(20.0, 450, 50).1.is_infinite());
}
