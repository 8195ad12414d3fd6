//! Framing × dialect: the decoder of one streamed answer.

use schema::target::Dialect;

use crate::frame::{Ending, Frame};
use crate::json::JsonError;

/// Bytes that are not the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum WireError {
    /// An event or a body that is not JSON.
    #[error("event {index} of the {dialect} answer is not JSON")]
    #[diagnostic(
        code(wire::not_json),
        help("run `speed-kings inspect` on this target and check that its URL is the streaming endpoint")
    )]
    NotJson {
        /// Number of the event, from 0.
        index: u64,
        /// The protocol expected.
        dialect: Dialect,
        /// Where it stops being JSON.
        #[source]
        source: JsonError,
    },
    /// An event larger than its bound.
    #[error("event {index} of the {dialect} answer is larger than {limit} bytes")]
    #[diagnostic(code(wire::too_large), help("raise the limit if this server is known to send such events"))]
    EventTooLarge {
        /// Number of the event, from 0.
        index: u64,
        /// The protocol expected.
        dialect: Dialect,
        /// The bound in bytes.
        limit: usize,
    },
    /// An event or a body that is not UTF-8.
    #[error("event {index} of the {dialect} answer is not UTF-8, from its byte {offset} on")]
    #[diagnostic(
        code(wire::not_utf8),
        help("check that nothing between here and the server compresses or rewrites the answer")
    )]
    NotUtf8 {
        /// Number of the event, from 0.
        index: u64,
        /// The protocol expected.
        dialect: Dialect,
        /// First byte that is not UTF-8, within the event's text.
        offset: usize,
    },
    /// A list of models that is none.
    #[error("the answer is not a list of models")]
    #[diagnostic(code(wire::not_models), help("check that the URL is the server's model endpoint, often `/v1/models`"))]
    NotModels {
        /// Where it stops being JSON, if it does.
        #[source]
        source: Option<JsonError>,
    },
}

/// Decodes one streamed answer, fed piece by piece.
#[derive(Debug)]
pub struct Decoder {
    dialect: Dialect,
    limit: usize,
}

impl Decoder {
    /// A decoder for one answer. An event longer than `event_bytes_limit` is an error, and no more
    /// than that is ever buffered.
    pub fn new(dialect: Dialect, event_bytes_limit: usize) -> Self {
        Self { dialect, limit: event_bytes_limit }
    }

    /// Decodes what `bytes` completes, calling `sink` once a frame, in order. Comments and
    /// keep-alives give nothing. After an error the decoder is spent.
    pub fn feed(&mut self, _bytes: &[u8], _sink: impl FnMut(Frame<'_>)) -> Result<(), WireError> {
        let _ = (self.dialect, self.limit);
        todo!()
    }

    /// The body has ended: decodes a last event that lacks its line end, unless it is cut off.
    pub fn finish(&mut self, _sink: impl FnMut(Frame<'_>)) -> Result<Ending, WireError> {
        todo!()
    }
}
