use schema::event::{Event, EventKind, Events, Stamp};
use schema::record::{Failure, FailureClass, TokenCounts, TokenSource};
use schema::text::Untrusted;
use schema::units::Moment;

use super::*;

fn target() -> Target {
    serde_json::from_value(serde_json::json!({
        "name": "groq",
        "provider": "groq",
        "model": "=HYPERLINK(1)",
        "url": "http://localhost/",
        "dialect": "openai-chat",
        "encoding": {
            "max_tokens_field": "max_tokens",
            "stream_options": true,
            "temperature": true,
            "seed_field": "none",
            "force_length": "no",
            "cache_defeat": "prefix",
        },
        "auth": "none",
        "simulated": true,
    }))
    .unwrap()
}

fn record() -> Record {
    let event = |at| Event {
        arrival: Moment(at),
        lag_ns: 0,
        bytes: 10,
        tokens: 1,
        kind: EventKind::Text,
        stamp: Stamp::Kernel,
        shared_read: false,
    };
    Record {
        block: 1,
        prompt: 2,
        max_tokens: 2,
        start_ns: Some(Moment(1_000)),
        first_byte_ns: Some(Moment(4_000)),
        end_ns: Some(Moment(9_000)),
        status: Some(200),
        request_id: Some(Untrusted::from("+1")),
        request_bytes: 100,
        response_bytes: 20,
        reads: 2,
        events: [event(5_000), event(8_000)].into_iter().collect::<Events>(),
        tokens: Some(TokenCounts { input: Some(7), output: 2, source: TokenSource::ServerUsage }),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent("groq".parse().unwrap(), 3, Moment(900))
    }
}

/// The cells of one request under their headings, those that are not blank.
fn cells(record: &Record) -> String {
    let text = csv_requests_heading() + &csv_request("=1+1", &target(), record);
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let (headings, row) = (rows.next().unwrap(), rows.next().unwrap());
    assert_eq!(headings.len(), row.len());
    let filled = headings.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    filled.map(|(heading, cell)| format!("{heading}: {cell}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_request_is_a_row_of_facts_and_figures_and_no_formula() {
    insta::assert_snapshot!(cells(&record()));
}

#[test]
fn a_failure_is_told_and_has_no_latency() {
    let failure =
        Failure { class: FailureClass::Unauthorized, message: Untrusted::from("@no\u{1b}[2J"), retry_after_ns: None };
    let failed = Record { outcome: Outcome::Failed(failure), tokens: None, ..record() };
    let told = cells(&failed);
    assert!(told.contains("outcome: failed\ndetail: key missing or wrong\nmessage: '@no"), "{told}");
    assert!(!told.contains('\u{1b}') && !told.contains("\nttft_ns"), "{told}");
}
