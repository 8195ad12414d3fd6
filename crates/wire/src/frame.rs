//! What one event of a stream says.

use std::borrow::Cow;

use schema::event::EventKind;
use schema::record::{FinishReason, ServerTiming, Usage};

use crate::error::ServerError;

/// Vectors that answer a request for embeddings: counted, their numbers passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vectors {
    /// How many there are.
    pub count: u32,
    /// Numbers in the first.
    pub dimensions: u32,
}

impl Vectors {
    /// Counts one of so many numbers.
    pub(crate) fn add(&mut self, dimensions: u32) {
        if self.count == 0 {
            self.dimensions = dimensions;
        }
        self.count = self.count.saturating_add(1);
    }
}

/// One decoded event (an SSE event or an NDJSON line), borrowed from the fed bytes where possible.
/// An event with several choices gives one frame for each, and the last of them carries what
/// belongs to the whole event: its bytes, usage, timing, error and end.
#[derive(Default, Debug, Clone, PartialEq)]
#[must_use]
pub struct Frame<'a> {
    /// Answer text; may be empty, which is not content.
    pub text: Option<Cow<'a, str>>,
    /// Reasoning text; may be empty, which is not content.
    pub reasoning: Option<Cow<'a, str>>,
    /// A piece of a tool call: the function's name, then its arguments.
    pub tool_call: Option<Cow<'a, str>>,
    /// Vectors, where they were asked for.
    pub vectors: Vectors,
    /// Which of the asked-for answers it belongs to, from 0.
    pub choice: u32,
    /// Tokens this frame carried, where the server says so of the frame itself (the length of
    /// `token_ids`; one for TGI). A running `usage` is in `usage`.
    pub tokens: Option<u32>,
    /// Why the server stopped, if it says so here.
    pub finish: Option<FinishReason>,
    /// Token counts, so far or in all.
    pub usage: Option<Box<Usage>>,
    /// The server's own timings.
    pub timing: Option<Box<ServerTiming>>,
    /// An error inside a stream that began well.
    pub error: Option<Box<ServerError>>,
    /// Whether this marks the proper end: `[DONE]`, `message_stop`, `done: true`, TGI's `generated_text`.
    pub end: bool,
    /// Bytes of the event on the wire, line ends included.
    pub bytes: u32,
}

impl Frame<'_> {
    /// What it carried. Text that is empty is not content.
    pub fn kind(&self) -> EventKind {
        let has = |text: &Option<Cow<'_, str>>| text.as_ref().is_some_and(|t| !t.is_empty());
        if has(&self.text) {
            EventKind::Text
        } else if has(&self.reasoning) {
            EventKind::Reasoning
        } else if has(&self.tool_call) {
            EventKind::ToolCall
        } else if self.vectors.count > 0 {
            EventKind::Embedding
        } else {
            EventKind::Other
        }
    }
}

/// How a stream stood when its body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Ending {
    /// Whether an end marker was seen.
    pub ended: bool,
    /// Whether a finish reason was seen. A stream with neither broke off.
    pub finished: bool,
}

/// The frames of one event.
#[derive(Debug, Default)]
pub(crate) struct Frames<'a> {
    /// Those of the choices before the last; mostly none.
    pub(crate) earlier: Vec<Frame<'a>>,
    /// The last choice, with what belongs to the whole event.
    pub(crate) last: Frame<'a>,
}

impl<'a> From<Frame<'a>> for Frames<'a> {
    fn from(last: Frame<'a>) -> Self {
        Self { earlier: Vec::new(), last }
    }
}

impl Frames<'_> {
    /// Calls `sink` with each, and notes in `ending` what they say about the end.
    pub(crate) fn hand_out(self, ending: &mut Ending, sink: &mut impl FnMut(Frame<'_>)) {
        for frame in self.earlier {
            ending.note(&frame);
            sink(frame);
        }
        ending.note(&self.last);
        sink(self.last);
    }
}

impl Ending {
    fn note(&mut self, frame: &Frame<'_>) {
        self.ended |= frame.end;
        self.finished |= frame.finish.is_some();
    }
}
