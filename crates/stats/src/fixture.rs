//! Plans, targets and records for tests. Instants are milliseconds here.

use schema::event::{Event, EventKind, Stamp};
use schema::plan::{Load, Plan, PromptSource, Size, Stop, Workload};
use schema::record::{Failure, FailureClass, FinishReason, Outcome, Record, TokenCounts, TokenSource};
use schema::target::{Price, Target};
use schema::units::Moment;

pub(crate) fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

pub(crate) fn target(name: &str) -> Target {
    Target::plain(name.parse().unwrap(), "vllm", "model", "http://localhost:8000".parse().unwrap())
}

/// One dollar a million input tokens, a tenth cached, two dollars output.
pub(crate) fn price() -> Price {
    Price {
        input_per_mtok_usd: "1usd".parse().unwrap(),
        output_per_mtok_usd: "2usd".parse().unwrap(),
        cached_input_per_mtok_usd: Some("0.1usd".parse().unwrap()),
        as_of: "2026-11-01".parse().unwrap(),
        source: "https://example.com".into(),
        note: None,
    }
}

/// A closed loop with eight places.
pub(crate) fn plan(targets: Vec<Target>) -> Plan {
    let workload = Workload::plain(PromptSource::BuiltIn(Size::Short), 64);
    Plan::plain("test", targets, workload, Load::Closed { concurrency: 8 }, Stop::Requests(10))
}

pub(crate) fn event(arrival: Moment, kind: EventKind) -> Event {
    Event { arrival, lag_ns: 20_000, bytes: 250, tokens: 0, kind, stamp: Stamp::Kernel, shared_read: false }
}

/// A completed request of target `a` that started at `start` and whose text arrived so long after,
/// one token an event.
pub(crate) fn record(start: u64, after: &[u64]) -> Record {
    let content = after.iter().map(|&gap| event(ms(start + gap), EventKind::Text));
    Record {
        max_tokens: 64,
        start_ns: Some(ms(start)),
        end_ns: Some(ms(start + after.last().copied().unwrap_or(1))),
        status: Some(200),
        request_bytes: 100,
        response_bytes: 1_000,
        reads: 1,
        events: content.collect(),
        tokens: Some(TokenCounts { input: Some(10), output: after.len() as u64, source: TokenSource::ServerUsage }),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent("a".parse().unwrap(), 0, ms(start))
    }
}

/// Changes the events of `record`.
pub(crate) fn edit(record: &mut Record, change: impl FnOnce(&mut Vec<Event>)) {
    let mut events: Vec<Event> = record.events.iter().collect();
    change(&mut events);
    record.events = events.into();
}

/// The same, failed so.
pub(crate) fn failed(start: u64, class: FailureClass) -> Record {
    let failure = Failure { class, message: "no".into(), retry_after_ns: None };
    Record { outcome: Outcome::Failed(failure), tokens: None, ..record(start, &[]) }
}
