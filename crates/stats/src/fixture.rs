//! Plans, targets and records for tests. Instants are milliseconds here.

use schema::event::{Event, EventKind, Stamp};
use schema::plan::{Load, Plan, PromptSource, Size, Stop, TransportPlan, Workload};
use schema::record::{Failure, FailureClass, FinishReason, Outcome, Phase, Record, TokenCounts, TokenSource};
use schema::target::{AuthScheme, Dialect, Encoding, Price, Target};
use schema::units::{Moment, Nanos};

pub(crate) fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

pub(crate) fn target(name: &str) -> Target {
    Target {
        name: name.parse().unwrap(),
        provider: "vllm".into(),
        model: "model".into(),
        url: "http://localhost:8000/v1/chat/completions".parse().unwrap(),
        dialect: Dialect::OpenaiChat,
        encoding: Encoding::default(),
        auth: AuthScheme::None,
        key_variable: None,
        headers: Vec::new(),
        price: None,
        metrics_url: None,
        simulated: false,
    }
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
    Plan {
        name: "test".into(),
        targets,
        workload: Workload::plain(PromptSource::BuiltIn(Size::Short), 64),
        load: Load::Closed { concurrency: 8 },
        stop: Stop::Requests(10),
        grace_ns: Nanos::from_secs(30),
        warmup: 0,
        blocks: 1,
        seed: 1,
        slos: Vec::new(),
        budget_usd: None,
        transport: TransportPlan::default(),
        keep_text: false,
        out: "results".into(),
        search: None,
        until: None,
        retry: None,
        respect_limits: false,
        drop_after: 0,
        scrape_ns: None,
        gpu_metrics: None,
        judging: schema::plan::Judging::default(),
        side_by_side: false,
    }
}

pub(crate) fn event(arrival: Moment, kind: EventKind) -> Event {
    Event { arrival, lag_ns: 20_000, bytes: 250, tokens: 0, kind, stamp: Stamp::Kernel, shared_read: false }
}

/// A completed request of target `a` that started at `start` and whose text arrived so long after,
/// one token an event.
pub(crate) fn record(start: u64, after: &[u64]) -> Record {
    let content = after.iter().map(|&gap| event(ms(start + gap), EventKind::Text));
    Record {
        index: 0,
        target: "a".parse().unwrap(),
        phase: Phase::Measured,
        block: 0,
        step: 0,
        attempt: 0,
        prompt_tokens: None,
        conversation: None,
        limits: None,
        prompt: 0,
        max_tokens: 64,
        forced_length: false,
        scheduled_ns: ms(start),
        connect: None,
        http: None,
        start_ns: Some(ms(start)),
        sent_ns: None,
        first_byte_ns: None,
        headers_ns: None,
        end_ns: Some(ms(start + after.last().copied().unwrap_or(1))),
        status: Some(200),
        request_id: None,
        request_bytes: 100,
        response_bytes: 1_000,
        reads: 1,
        events: content.collect(),
        usage: None,
        tokens: Some(TokenCounts { input: Some(10), output: after.len() as u64, source: TokenSource::ServerUsage }),
        server: None,
        output_hash: None,
        output: None,
        outcome: Outcome::Complete { finish: FinishReason::Stop },
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
