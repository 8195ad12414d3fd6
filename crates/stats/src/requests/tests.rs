use schema::plan::Arrival;
use schema::record::{FailureClass, Limit};

use super::*;
use crate::fixture::{failed, ms, plan, record};

fn refs(records: &[Record]) -> Vec<&Record> {
    records.iter().collect()
}

fn numbered(index: u64, attempt: u32, record: Record) -> Record {
    Record { index, attempt, ..record }
}

#[test]
fn a_request_is_its_last_attempt() {
    let records = [
        numbered(0, 0, failed(0, FailureClass::Overloaded)),
        numbered(1, 0, record(0, &[10, 20])),
        numbered(0, 2, record(900, &[10, 20])),
        numbered(0, 1, failed(300, FailureClass::Overloaded)),
    ];
    let requests = Requests::of(&plan(Vec::new()), &refs(&records));
    let last: Vec<(u64, u32)> = requests.all.iter().map(|r| (r.index, r.attempt)).collect();
    assert_eq!(last, [(1, 0), (0, 2)]);
    assert_eq!((requests.retries(), requests.attempts.len()), (2, 4));
}

/// Two hundred requests, one after the other each 100 ms; the first twelve take four times as long to answer.
fn with_burst() -> Vec<Record> {
    let ttft = |i: u64| if i < 12 { 200 } else { 50 } + i * 7 % 11;
    (0..200).map(|i| numbered(i, 0, record(i * 100, &[ttft(i), ttft(i) + 20]))).collect()
}

#[test]
fn a_start_up_is_told_from_the_steady_requests() {
    let records = with_burst();
    let requests = Requests::of(&plan(Vec::new()), &refs(&records));
    let startup = requests.startup.as_ref().unwrap();
    let cut = usize::try_from(startup.requests).unwrap();
    assert!((10..=15).contains(&cut), "{startup:?}");
    assert_eq!((requests.all.len(), requests.steady.len()), (200, 200 - cut));
    assert_eq!(startup.length_ns, Nanos::from_millis(100 * startup.requests));
    assert!(startup.ttft_p50_ns > 3.0 * startup.steady_ttft_p50_ns, "{startup:?}");
    let begin = ms(100 * startup.requests);
    assert!(requests.steady.iter().all(|r| r.start_ns.unwrap() >= begin));
    assert!(refs(&records).iter().filter_map(|r| requests.span(r)).all(|(start, _)| start >= begin));
}

#[test]
fn a_load_that_changes_by_itself_has_no_start_up() {
    let mut plan = plan(Vec::new());
    plan.load = Load::Crowd { users: 10, waves: 20, every_ns: Nanos::from_secs(1) };
    assert!(Requests::of(&plan, &refs(&with_burst())).startup.is_none());
}

#[test]
fn only_where_requests_wait_for_a_place_is_lateness_a_wait() {
    let late = |by: u64| Record { scheduled_ns: ms(1_000 - by), ..record(1_000, &[10, 20]) };
    let records = [late(0), late(400), late(30)];
    let open = |when_full| Load::Open {
        rate_per_s: "5/s".parse().unwrap(),
        arrival: Arrival::Constant,
        max_concurrency: 8,
        when_full,
    };
    let mut plan = plan(Vec::new());
    let waits = |plan: &Plan| Requests::of(plan, &refs(&records)).waits(plan);
    plan.load = open(WhenFull::NotSent);
    assert_eq!(waits(&plan), []);
    plan.load = open(WhenFull::Wait);
    assert_eq!(waits(&plan), [Nanos::from_millis(400), Nanos::from_millis(30)]);
}

#[test]
fn the_limits_are_those_published_last() {
    let published = |start, remaining| {
        let limit = Limit { limit: Some(100), remaining: Some(remaining), reset_ns: None };
        Record { limits: Some(RateLimits { requests: Some(limit), tokens: None }), ..record(start, &[10, 20]) }
    };
    let records = [published(0, 99), published(2_000, 97), published(1_000, 98), record(3_000, &[10])];
    let limits = Requests::of(&plan(Vec::new()), &refs(&records)).limits().unwrap();
    assert_eq!(limits.requests.unwrap().remaining, Some(97));
}
