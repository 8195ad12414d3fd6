use schema::event::{Event, EventKind};
use schema::record::{ServerTiming, TokenCounts, TokenSource, Usage};

use super::*;
use crate::fixture::{edit, event, ms, plan, record};

/// Each law's name and whether it holds, for these records in a closed loop with eight places.
fn laws(records: &[Record]) -> Vec<CrossCheck> {
    let (plan, records): (_, Vec<&Record>) = (plan(Vec::new()), records.iter().collect());
    let requests = Requests::of(&plan, &records);
    all(&plan, &window::throughput(&plan, &requests), &requests)
}

#[track_caller]
fn check(records: &[Record], name: &str, holds: bool, detail: &str) {
    let laws = laws(records);
    let law = laws.iter().find(|law| law.name == name).expect("the law is looked at");
    assert_eq!(law.holds, holds, "{}", law.detail);
    assert!(law.detail.contains(detail), "{}", law.detail);
}

/// Four requests, two at once, each a second long with eleven tokens.
fn sound() -> Vec<Record> {
    let tokens: Vec<u64> = (0..=10).map(|i| i * 100).collect();
    [0, 0, 1_000, 1_000].map(|start| record(start, &tokens)).to_vec()
}

#[test]
fn a_sound_run_breaks_no_law() {
    let laws = laws(&sound());
    assert!(laws.iter().all(|law| law.holds), "{laws:?}");
    let names: Vec<&str> = laws.iter().map(|law| law.name.as_str()).collect();
    assert_eq!(names, ["Little's law", "peak in flight", "arrivals in order", "output limit", "parts make E2E"]);
    check(&sound(), "Little's law", true, "2.000 requests/s × 1.0000 s = 2.000 in flight; measured 2.000 of 8 places");
}

#[test]
fn laws_about_nothing_are_not_listed() {
    assert_eq!(laws(&[]), []);
}

#[test]
fn content_after_the_end_breaks_littles_law_and_the_order() {
    let mut records = sound();
    for record in &mut records {
        record.end_ns = Some(record.start_ns.unwrap() + Nanos::from_millis(500));
    }
    check(&records, "Little's law", false, "measured");
    check(&records, "arrivals in order", false, "0 of 4");
}

#[test]
fn more_in_flight_than_places_is_noticed() {
    let records: Vec<Record> = (0..9).map(|_| record(0, &[50, 100])).collect();
    check(&records, "peak in flight", false, "9 at once, 8 allowed");
    check(&records, "Little's law", false, "9.000 of 8 places");
}

#[test]
fn arrivals_before_the_start_or_out_of_order_are_noticed() {
    let mut early = sound();
    edit(&mut early[2], |events| events[0].arrival = ms(990));
    check(&early, "arrivals in order", false, "3 of 4");
    let mut swapped = sound();
    edit(&mut swapped[0], |events| events.swap(2, 3));
    check(&swapped, "arrivals in order", false, "3 of 4");
}

#[test]
fn a_server_slower_than_the_client_saw_is_noticed() {
    let timed = |ttft, total| {
        let mut records = sound();
        edit(&mut records[0], |events| events[0].arrival = ms(80));
        records[0].server =
            Some(ServerTiming { ttft_ns: Some(Nanos(ttft)), total_ns: Some(Nanos(total)), ..ServerTiming::default() });
        records
    };
    check(&timed(80_900_000, 1_000_900_000), "server TTFT ≤ client TTFT", true, "1 of 1");
    check(&timed(81_100_000, 1_000_000_000), "server TTFT ≤ client TTFT", false, "0 of 1");
    check(&timed(80_000_000, 1_001_100_000), "server total ≤ client total", false, "0 of 1");
}

#[test]
fn token_sums_are_compared_where_every_event_has_a_count() {
    let counted = |usage| {
        let mut record = record(0, &[10, 20]);
        let counted = |at, tokens| Event { tokens, ..event(ms(at), EventKind::Text) };
        record.events = vec![counted(10, 3), counted(20, 4)].into();
        record.usage = Some(Usage { output_tokens: Some(usage), ..Usage::default() });
        record
    };
    check(&[counted(7), counted(8)], "token sums", true, "2 of 2");
    check(&[counted(7), counted(6)], "token sums", false, "1 of 2");
    let mut unknown = counted(6);
    edit(&mut unknown, |events| events[1].tokens = 0);
    assert!(laws(&[unknown]).iter().all(|law| law.name != "token sums"));
}

#[test]
fn an_output_beyond_its_limit_is_noticed() {
    let long = |output| Record {
        tokens: Some(TokenCounts { input: None, output, source: TokenSource::ServerUsage }),
        ..record(0, &[10, 20])
    };
    check(&[long(65)], "output limit", true, "1 of 1");
    check(&[long(66)], "output limit", false, "0 of 1");
}
