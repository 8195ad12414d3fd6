//! Answers that come whole.

use schema::record::{FinishReason, ServerTiming, Usage};
use schema::target::Dialect;

use crate::decoder::WireError;
use crate::error::ServerError;

/// An answer that was not streamed: its first choice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    /// Answer text.
    pub text: String,
    /// Reasoning text.
    pub reasoning: String,
    /// Whether a tool is called.
    pub tool_call: bool,
    /// Why the server stopped.
    pub finish: FinishReason,
    /// Token counts.
    pub usage: Option<Usage>,
    /// The server's own timings.
    pub timing: Option<ServerTiming>,
    /// An error despite a good status.
    pub error: Option<ServerError>,
}

/// Reads a whole answer. Blank lines before it (`DeepSeek` while it waits) are skipped.
pub fn decode_answer(_dialect: Dialect, _body: &[u8]) -> Result<Answer, WireError> {
    todo!()
}
