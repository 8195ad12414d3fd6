//! What all definitions read: the completed requests, with what is needed of each.

use std::collections::BTreeMap;

use schema::event::{Event, EventKind};
use schema::plan::Plan;
use schema::record::{Record, TokenSource};
use schema::target::Target;
use schema::units::{Moment, Nanos};

use super::definition::{Carriers, Clock, Tokens};
use crate::requests::{self, BlockKey, Requests};
use crate::{values, window};

/// An event without content in a frame of so few bytes holds no JSON worth the name: it is the end marker
/// (`data: [DONE]` with its line ends).
const END_MARKER_BYTES: u32 = 20;

/// The recording of one target.
pub(super) struct Material<'a> {
    pub(super) target: &'a Target,
    /// Completed requests, start-up included.
    pub(super) all: Vec<&'a Record>,
    /// Completed requests of the steady part.
    pub(super) steady: Vec<&'a Record>,
    /// Length of the steady part, as our rates take it.
    pub(super) steady_window: Nanos,
    /// From the first request to the last response, block by block.
    pub(super) whole_window: Nanos,
}

impl<'a> Material<'a> {
    /// Of one target's measured records.
    pub(super) fn of(plan: &'a Plan, target: &'a Target, measured: &[&'a Record]) -> Self {
        let requests = Requests::of(plan, measured);
        let completed =
            |records: &[&'a Record]| records.iter().copied().filter(|r| r.outcome.is_complete()).collect::<Vec<_>>();
        Self {
            target,
            all: completed(&requests.all),
            steady: completed(&requests.steady),
            steady_window: window::throughput(plan, &requests).window_ns,
            whole_window: whole_window(measured),
        }
    }

    /// Whether the server was asked for a last event with nothing but its token counts.
    fn asks_for_usage(&self) -> bool {
        self.target.encoding.stream_options
    }

    /// The events of `record` that carry a token, to whom it is `carriers`.
    pub(super) fn events(&self, record: &Record, carriers: Carriers) -> Vec<Event> {
        match carriers {
            Carriers::Content => record.events.content().collect(),
            Carriers::Answer => record.events.iter().filter(|e| e.kind == EventKind::Text).collect(),
            Carriers::Any => self.events_with_choices(record),
        }
    }

    /// All but the end marker and, where it was asked for, the last event after the content, which holds the token
    /// counts and no `choices`.
    fn events_with_choices(&self, record: &Record) -> Vec<Event> {
        let holds_json = |event: &Event| event.kind.is_content() || event.bytes > END_MARKER_BYTES;
        let mut events: Vec<Event> = record.events.iter().filter(holds_json).collect();
        let has_usage = self.asks_for_usage() && record.usage.is_some();
        if has_usage && events.last().is_some_and(|event| !event.kind.is_content()) {
            events.pop();
        }
        events
    }
}

/// When an event arrived, by whose clock, in nanoseconds of the run.
pub(super) fn arrival(event: Event, clock: Clock) -> Moment {
    match clock {
        Clock::Kernel => event.arrival,
        Clock::Program => event.arrival + Nanos(u64::from(event.lag_ns)),
    }
}

/// Output tokens; `None` where none were counted.
pub(super) fn output_tokens(record: &Record, tokens: Tokens) -> Option<u64> {
    let counted = record.tokens?;
    Some(match tokens {
        Tokens::All => counted.output,
        Tokens::Answer => counted.output.saturating_sub(reasoning_tokens(record, counted.output)),
        Tokens::AllOrPieces if counted.source == TokenSource::ServerUsage => counted.output,
        Tokens::AllOrPieces => record.events.content().count() as u64,
    })
}

/// Tokens of `output` that were reasoning: by the server's word, else by its share of the content events.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn reasoning_tokens(record: &Record, output: u64) -> u64 {
    let content = record.events.content().count();
    let reasoning = record.events.content().filter(|e| e.kind == EventKind::Reasoning).count();
    if reasoning == 0 {
        return 0;
    }
    let by_server = record.usage.and_then(|usage| usage.reasoning_tokens).filter(|&n| n > 0);
    by_server.unwrap_or_else(|| (output as f64 * reasoning as f64 / content as f64).round() as u64).min(output)
}

/// Blocks are apart in time: what lies between them belongs to other targets, and no tool would have seen it.
fn whole_window(measured: &[&Record]) -> Nanos {
    let mut blocks: BTreeMap<BlockKey, (Moment, Moment)> = BTreeMap::new();
    for record in measured {
        let Some((start, end)) = values::span(record) else { continue };
        let block = blocks.entry(requests::block(record)).or_insert((start, end));
        *block = (block.0.min(start), block.1.max(end));
    }
    blocks.values().fold(Nanos::ZERO, |sum, (first, last)| sum + (*last - *first))
}
