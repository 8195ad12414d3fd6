//! Answers that come whole.

use schema::record::{FinishReason, ServerTiming, Usage};
use schema::target::Dialect;

use crate::decoder::WireError;
use crate::dialect;
use crate::error::ServerError;
use crate::frame::Vectors;

/// An answer that was not streamed: its first choice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    /// Answer text.
    pub text: String,
    /// Reasoning text.
    pub reasoning: String,
    /// A tool call: the function's name, then its arguments; empty if there is none.
    pub tool_call: String,
    /// Vectors, where they were asked for.
    pub vectors: Vectors,
    /// Why the server stopped.
    pub finish: FinishReason,
    /// Token counts.
    pub usage: Option<Usage>,
    /// The server's own timings.
    pub timing: Option<ServerTiming>,
    /// An error despite a good status.
    pub error: Option<ServerError>,
}

/// Reads a whole answer. Blank lines before it (DeepSeek while it waits) are passed over.
pub fn decode_answer(dialect: Dialect, body: &[u8]) -> Result<Answer, WireError> {
    let body = body.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|error| WireError::NotUtf8 {
        index: 0,
        dialect,
        offset: error.valid_up_to(),
    })?;
    let mut frames =
        dialect::decode(dialect, text).map_err(|source| WireError::NotJson { index: 0, dialect, source })?;
    let first = frames.earlier.iter().position(|frame| frame.choice == 0).map(|at| frames.earlier.swap_remove(at));
    let last = frames.last;
    let (usage, timing, error) = (last.usage.as_deref().copied(), last.timing.as_deref().copied(), last.error.clone());
    let answer = first.unwrap_or(last);
    Ok(Answer {
        text: answer.text.unwrap_or_default().into_owned(),
        reasoning: answer.reasoning.unwrap_or_default().into_owned(),
        tool_call: answer.tool_call.unwrap_or_default().into_owned(),
        vectors: answer.vectors,
        finish: answer.finish.unwrap_or(FinishReason::Unsaid),
        usage,
        timing,
        error: error.map(|error| *error),
    })
}
