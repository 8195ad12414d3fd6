//! What the events of each protocol mean.
//!
//! Each dialect reads its streamed events and its whole answers alike: the fields are the same,
//! and a reader that knows both needs no telling which it is given.

mod anthropic;
mod embeddings;
mod ollama;
mod openai;
mod openai_chat;
mod openai_completions;
mod tgi;

use std::borrow::Cow;

use schema::record::{FinishReason, ServerTiming, Usage};
use schema::target::Dialect;
use schema::units::Nanos;

use crate::error;
use crate::frame::{Frame, Frames};
use crate::json::{Json, JsonError};

/// The frames that `text`, one event or one whole answer, stands for.
pub(crate) fn decode(dialect: Dialect, text: &str) -> Result<Frames<'_>, JsonError> {
    match dialect {
        Dialect::OpenaiChat => openai::decode(text, openai_chat::choice),
        Dialect::OpenaiCompletions => openai::decode(text, openai_completions::choice),
        Dialect::Anthropic => anthropic::decode(text).map(Frames::from),
        Dialect::Tgi => tgi::decode(text).map(Frames::from),
        Dialect::OllamaChat | Dialect::OllamaGenerate => ollama::decode(text).map(Frames::from),
        Dialect::OpenaiEmbeddings => embeddings::openai(text).map(Frames::from),
        Dialect::OllamaEmbed => embeddings::ollama(text).map(Frames::from),
    }
}

/// What an event says about the request as a whole.
#[derive(Debug, Default)]
struct Facts {
    usage: Option<Box<Usage>>,
    timing: Option<Box<ServerTiming>>,
    failed: bool,
}

impl Facts {
    fn usage(&mut self) -> &mut Usage {
        self.usage.get_or_insert_default()
    }

    fn timing(&mut self) -> &mut ServerTiming {
        self.timing.get_or_insert_default()
    }

    /// Takes note of a field `error`, which some servers send empty with every event.
    fn error(&mut self, json: &mut Json<'_>) {
        self.failed |= !matches!(json.raw(), "null" | "\"\"" | "{}" | "false");
    }

    /// Puts into `frame` what `text` said beside its content.
    fn complete(self, frame: &mut Frame<'_>, text: &str) {
        frame.usage = self.usage.filter(|usage| **usage != Usage::default());
        frame.timing = self.timing.filter(|timing| !timing.is_empty());
        if self.failed {
            frame.error = Some(Box::new(error::in_stream(text)));
        }
    }
}

/// The most tokens anyone will be believed to have counted in one request.
const COUNT_MAX: f64 = u32::MAX as f64;

/// The longest time anyone will be believed to have spent on one request: about four months.
const SECONDS_MAX: f64 = 1e7;

/// A count; what is negative, absurd or no number is ignored.
fn count(json: &mut Json<'_>) -> Option<u64> {
    json.number_or_text().and_then(plausible_count)
}

/// `number` as a count, unless negative or absurd.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(crate) fn plausible_count(number: f64) -> Option<u64> {
    (0.0..=COUNT_MAX).contains(&number).then_some(number as u64)
}

/// A time in units of `unit` seconds; what is negative, absurd or no number is ignored.
fn time(json: &mut Json<'_>, unit: f64) -> Option<Nanos> {
    json.number_or_text().and_then(|number| plausible_time(number * unit))
}

/// `seconds` as a span, unless negative or absurd.
pub(crate) fn plausible_time(seconds: f64) -> Option<Nanos> {
    (0.0..=SECONDS_MAX).contains(&seconds).then(|| Nanos::from_secs_f64(seconds))
}

const SECONDS: f64 = 1.0;
const MILLIS: f64 = 1e-3;
const NANOS: f64 = 1e-9;

/// Why a server stopped. Empty (TGI's completions, until the end) means that it has not.
fn finish_reason(json: &mut Json<'_>) -> Option<FinishReason> {
    const WORDS: &[(FinishReason, &[&str])] = &[
        (FinishReason::Stop, &["stop", "eos", "eos_token", "stop_sequence", "end_turn"]),
        (FinishReason::Length, &["length", "max_tokens", "model_context_window_exceeded"]),
        (FinishReason::ToolCalls, &["tool_calls", "tool_use", "function_call"]),
        (FinishReason::ContentFilter, &["content_filter", "refusal", "safety"]),
        (FinishReason::Error, &["error", "abort"]),
    ];
    let word = json.string().filter(|word| !word.is_empty())?;
    let known = WORDS.iter().find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(&word)));
    Some(known.map_or(FinishReason::Other, |(reason, _)| *reason))
}

/// Adds `more` at the end of `text`, without copying while there is only one piece.
fn append<'a>(text: &mut Option<Cow<'a, str>>, more: Cow<'a, str>) {
    match text {
        Some(before) if !before.is_empty() => before.to_mut().push_str(&more),
        _ => *text = Some(more),
    }
}

#[cfg(test)]
mod tests;
