//! The columns: a name with its unit, and where in a record its cells are found.

use std::borrow::Cow;

use parquet::basic::Type as Physical;
use schema::event::{Event, EventKind, Stamp};
use schema::record::{Limit, Outcome, RateLimits, ServerTiming, Usage};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use serde::Serialize;

use super::Row;
use super::levels::Shape;

/// One column.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) cells: Cells,
}

/// How a column's cells are found.
pub(super) enum Cells {
    Int(fn(&Row<'_>) -> i64),
    MaybeInt(fn(&Row<'_>) -> Option<i64>),
    Flag(fn(&Row<'_>) -> bool),
    Text(for<'a> fn(&Row<'a>) -> Cow<'a, str>),
    MaybeText(for<'a> fn(&Row<'a>) -> Option<Cow<'a, str>>),
    /// One value an event.
    EventInt(fn(&Event) -> i64),
    EventFlag(fn(&Event) -> bool),
    EventWord(fn(&Event) -> &'static str),
    /// A list of texts, where there is one.
    Pieces(for<'a> fn(&Row<'a>) -> Option<&'a [Untrusted]>),
}

impl Cells {
    pub(super) const fn shape(&self) -> Shape {
        match self {
            Self::Int(_) | Self::Flag(_) | Self::Text(_) => Shape::Required,
            Self::MaybeInt(_) | Self::MaybeText(_) => Shape::Optional,
            Self::EventInt(_) | Self::EventFlag(_) | Self::EventWord(_) => Shape::List,
            Self::Pieces(_) => Shape::OptionalList,
        }
    }

    pub(super) const fn physical(&self) -> Physical {
        match self {
            Self::Int(_) | Self::MaybeInt(_) | Self::EventInt(_) => Physical::INT64,
            Self::Flag(_) | Self::EventFlag(_) => Physical::BOOLEAN,
            Self::Text(_) | Self::MaybeText(_) | Self::EventWord(_) | Self::Pieces(_) => Physical::BYTE_ARRAY,
        }
    }
}

const fn column(name: &'static str, cells: Cells) -> Column {
    Column { name, cells }
}

/// All columns, in the order of the file.
pub(super) const COLUMNS: &[Column] = &[
    column("run_id", Cells::Text(|r| r.run_id.into())),
    column("target", Cells::Text(|r| r.record.target.as_str().into())),
    column("provider", Cells::Text(|r| r.target.provider.as_str().into())),
    column("model", Cells::Text(|r| r.target.model.as_str().into())),
    column("simulated", Cells::Flag(|r| r.target.simulated)),
    column("phase", Cells::Text(|r| word(&r.record.phase))),
    column("index", Cells::Int(|r| int(r.record.index))),
    column("block", Cells::Int(|r| r.record.block.into())),
    column("step", Cells::Int(|r| r.record.step.into())),
    column("attempt", Cells::Int(|r| r.record.attempt.into())),
    column("prompt", Cells::Int(|r| r.record.prompt.into())),
    column("prompt_tokens", Cells::MaybeInt(|r| r.record.prompt_tokens.map(i64::from))),
    column("conversation", Cells::MaybeInt(|r| r.record.conversation.map(|c| int(c.conversation)))),
    column("turn", Cells::MaybeInt(|r| r.record.conversation.map(|c| c.turn.into()))),
    column("max_tokens", Cells::Int(|r| r.record.max_tokens.into())),
    column("forced_length", Cells::Flag(|r| r.record.forced_length)),
    column("outcome", Cells::Text(|r| outcome(&r.record.outcome).into())),
    column("finish_reason", Cells::MaybeText(|r| finish_reason(&r.record.outcome))),
    column("failure_class", Cells::MaybeText(|r| failure(&r.record.outcome).map(|f| word(&f.class)))),
    column("failure_message", Cells::MaybeText(|r| failure(&r.record.outcome).map(|f| f.message.raw().into()))),
    column("retry_after_ns", Cells::MaybeInt(|r| span(failure(&r.record.outcome).and_then(|f| f.retry_after_ns)))),
    column("status", Cells::MaybeInt(|r| r.record.status.map(i64::from))),
    column("http", Cells::MaybeText(|r| r.record.http.as_ref().map(word))),
    column("request_id", Cells::MaybeText(|r| r.record.request_id.as_ref().map(|id| id.raw().into()))),
    column("scheduled_ns", Cells::Int(|r| int(r.record.scheduled_ns.0))),
    column("connect_dns_ns", Cells::MaybeInt(|r| span(r.record.connect.and_then(|c| c.dns_ns)))),
    column("connect_tcp_ns", Cells::MaybeInt(|r| span(r.record.connect.map(|c| c.tcp_ns)))),
    column("connect_tls_ns", Cells::MaybeInt(|r| span(r.record.connect.and_then(|c| c.tls_ns)))),
    column("start_ns", Cells::MaybeInt(|r| instant(r.record.start_ns))),
    column("sent_ns", Cells::MaybeInt(|r| instant(r.record.sent_ns))),
    column("first_byte_ns", Cells::MaybeInt(|r| instant(r.record.first_byte_ns))),
    column("headers_ns", Cells::MaybeInt(|r| instant(r.record.headers_ns))),
    column("end_ns", Cells::MaybeInt(|r| instant(r.record.end_ns))),
    column("request_bytes", Cells::Int(|r| int(r.record.request_bytes))),
    column("response_bytes", Cells::Int(|r| int(r.record.response_bytes))),
    column("reads", Cells::Int(|r| r.record.reads.into())),
    column("input_tokens", Cells::MaybeInt(|r| r.record.tokens.and_then(|t| t.input).map(int))),
    column("output_tokens", Cells::MaybeInt(|r| r.record.tokens.map(|t| int(t.output)))),
    column("output_tokens_source", Cells::MaybeText(|r| r.record.tokens.map(|t| word(&t.source)))),
    column("usage_input_tokens", Cells::MaybeInt(|r| usage(r, |u| u.input_tokens))),
    column("usage_output_tokens", Cells::MaybeInt(|r| usage(r, |u| u.output_tokens))),
    column("usage_cached_input_tokens", Cells::MaybeInt(|r| usage(r, |u| u.cached_input_tokens))),
    column("usage_reasoning_tokens", Cells::MaybeInt(|r| usage(r, |u| u.reasoning_tokens))),
    column("server_queue_ns", Cells::MaybeInt(|r| server(r, |s| s.queue_ns))),
    column("server_load_ns", Cells::MaybeInt(|r| server(r, |s| s.load_ns))),
    column("server_prefill_ns", Cells::MaybeInt(|r| server(r, |s| s.prefill_ns))),
    column("server_decode_ns", Cells::MaybeInt(|r| server(r, |s| s.decode_ns))),
    column("server_ttft_ns", Cells::MaybeInt(|r| server(r, |s| s.ttft_ns))),
    column("server_total_ns", Cells::MaybeInt(|r| server(r, |s| s.total_ns))),
    column("limit_requests_remaining", Cells::MaybeInt(|r| remaining(r, |l| l.requests))),
    column("limit_tokens_remaining", Cells::MaybeInt(|r| remaining(r, |l| l.tokens))),
    column("output_hash", Cells::MaybeText(|r| r.record.output_hash.as_deref().map(Cow::from))),
    column("event_arrival_ns", Cells::EventInt(|e| int(e.arrival.0))),
    column("event_client_lag_ns", Cells::EventInt(|e| e.lag_ns.into())),
    column("event_bytes", Cells::EventInt(|e| e.bytes.into())),
    column("event_tokens", Cells::EventInt(|e| e.tokens.into())),
    column("event_kind", Cells::EventWord(|e| kind(e.kind))),
    column("event_stamp", Cells::EventWord(|e| stamp(e.stamp))),
    column("event_shared_read", Cells::EventFlag(|e| e.shared_read)),
    column("output", Cells::Pieces(|r| r.record.output.as_deref())),
];

/// A count or an instant; beyond 292 years it stays there.
fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn span(span: Option<Nanos>) -> Option<i64> {
    span.map(|s| int(s.0))
}

fn instant(moment: Option<Moment>) -> Option<i64> {
    moment.map(|m| int(m.0))
}

fn usage(row: &Row<'_>, count: fn(Usage) -> Option<u64>) -> Option<i64> {
    row.record.usage.and_then(count).map(int)
}

fn server(row: &Row<'_>, part: fn(ServerTiming) -> Option<Nanos>) -> Option<i64> {
    span(row.record.server.and_then(part))
}

fn remaining(row: &Row<'_>, limit: fn(RateLimits) -> Option<Limit>) -> Option<i64> {
    row.record.limits.and_then(limit)?.remaining.map(int)
}

/// A word of the record format, spelled as in its JSON.
fn word(value: &impl Serialize) -> Cow<'static, str> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word.into(),
        _ => "".into(),
    }
}

const fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Complete { .. } => "complete",
        Outcome::Failed(_) => "failed",
        Outcome::NotSent => "not_sent",
        Outcome::Cancelled => "cancelled",
        Outcome::Interrupted => "interrupted",
    }
}

fn finish_reason(outcome: &Outcome) -> Option<Cow<'_, str>> {
    match outcome {
        Outcome::Complete { finish } => Some(word(finish)),
        _ => None,
    }
}

const fn failure(outcome: &Outcome) -> Option<&schema::record::Failure> {
    match outcome {
        Outcome::Failed(failure) => Some(failure),
        _ => None,
    }
}

const fn kind(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Text => "text",
        EventKind::Reasoning => "reasoning",
        EventKind::ToolCall => "tool_call",
        EventKind::Embedding => "embedding",
        EventKind::Other => "other",
    }
}

const fn stamp(stamp: Stamp) -> &'static str {
    match stamp {
        Stamp::Kernel => "kernel",
        Stamp::User => "user",
    }
}
