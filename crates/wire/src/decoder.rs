//! Framing × dialect: the decoder of one streamed answer.

use schema::target::Dialect;

use crate::dialect;
use crate::error;
use crate::frame::{Ending, Frame, Frames};
use crate::framing::ndjson::Ndjson;
use crate::framing::sse::Sse;
use crate::framing::{Event, Step, TooLarge};
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
    framing: Framing,
    limit: usize,
    index: u64,
    ending: Ending,
}

#[derive(Debug)]
enum Framing {
    Sse(Sse),
    Ndjson(Ndjson),
}

impl Decoder {
    /// A decoder for one answer. An event longer than `event_bytes_limit` is an error, and no more
    /// than that is ever buffered.
    pub fn new(dialect: Dialect, event_bytes_limit: usize) -> Self {
        let framing = match dialect {
            Dialect::OllamaChat | Dialect::OllamaGenerate => Framing::Ndjson(Ndjson::default()),
            // Never streamed: the whole answer is one line.
            embedding if embedding.embeds() => Framing::Ndjson(Ndjson::default()),
            _ => Framing::Sse(Sse::default()),
        };
        Self { dialect, framing, limit: event_bytes_limit, index: 0, ending: Ending::default() }
    }

    /// Decodes what `bytes` completes, calling `sink` once a frame, in order. Comments and
    /// keep-alives give nothing. After an error the decoder is spent.
    pub fn feed(&mut self, mut bytes: &[u8], mut sink: impl FnMut(Frame<'_>)) -> Result<(), WireError> {
        loop {
            let step = match &mut self.framing {
                Framing::Sse(sse) => sse.step(bytes, self.limit),
                Framing::Ndjson(ndjson) => ndjson.step(bytes, self.limit),
            };
            let (dialect, index, limit) = (self.dialect, self.index, self.limit);
            let (taken, step) = step.map_err(|TooLarge| WireError::EventTooLarge { index, dialect, limit })?;
            bytes = &bytes[taken..];
            match step {
                Step::Event(event) => {
                    let frames = frames(dialect, index, event)?;
                    self.index += 1;
                    frames.hand_out(&mut self.ending, &mut sink);
                }
                Step::Nothing => {}
                Step::NeedMore => return Ok(()),
            }
        }
    }

    /// The body has ended: decodes a last event that lacks its line end. One that does not decode
    /// was cut off: it is dropped, the [`Ending`] tells, and that is no error.
    pub fn finish(&mut self, mut sink: impl FnMut(Frame<'_>)) -> Result<Ending, WireError> {
        let step = match &mut self.framing {
            Framing::Sse(sse) => sse.last(),
            Framing::Ndjson(ndjson) => ndjson.last(),
        };
        if let Step::Event(event) = step
            && let Ok(frames) = frames(self.dialect, self.index, event)
        {
            self.index += 1;
            frames.hand_out(&mut self.ending, &mut sink);
        }
        Ok(self.ending)
    }
}

/// What one event says.
fn frames(dialect: Dialect, index: u64, event: Event<'_>) -> Result<Frames<'_>, WireError> {
    let text = utf8(dialect, index, event.data)?;
    let mut frames = if event.error {
        Frame { error: Some(Box::new(error::in_stream(text))), ..Frame::default() }.into()
    } else if text.trim_ascii() == "[DONE]" {
        Frame { end: true, ..Frame::default() }.into()
    } else {
        dialect::decode(dialect, text).map_err(|source| WireError::NotJson { index, dialect, source })?
    };
    frames.last.bytes = u32::try_from(event.bytes).unwrap_or(u32::MAX);
    Ok(frames)
}

/// The text of event `index`.
pub(crate) fn utf8(dialect: Dialect, index: u64, bytes: &[u8]) -> Result<&str, WireError> {
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes)).map_err(|error| WireError::NotUtf8 {
        index,
        dialect,
        offset: error.valid_up_to(),
    })
}
