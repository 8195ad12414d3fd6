//! Turns the bytes of an answer into [`Frame`]s, and a prompt into a request body.
//!
//! ```text
//! bytes ─▶ framing (sse, ndjson) ─▶ events ─▶ dialect (openai, anthropic, tgi, ollama, embeddings) ─▶ Frame
//! RequestSpec ─▶ encode ─▶ body
//! head, whole body ─▶ read_headers, decode_answer, decode_error, decode_models
//! metrics page ─▶ prometheus::server_sample ─▶ ServerSample
//! ```
//!
//! No socket and no clock here: the caller owns both, and stamps what it feeds.
//!
//! Invariants: however the bytes are split, the frames are the same; a frame we do not know is one
//! of kind [`Other`](schema::event::EventKind::Other) and never ends the stream; an event that lies
//! whole in the fed bytes is neither copied nor allocated for, beyond what its frame keeps; nothing
//! larger than the limit is ever buffered; no input panics.

mod answer;
mod decoder;
mod dialect;
mod encode;
mod error;
mod frame;
mod framing;
mod headers;
mod json;
mod models;
pub mod prometheus;

pub use answer::decode_answer;
pub use decoder::{Decoder, WireError};
pub use encode::{Message, RequestSpec, Role, encode};
pub use error::{ServerError, classify_status, decode_error};
pub use frame::{Ending, Frame, Vectors};
pub use headers::{HeaderFacts, PublishedLimit, PublishedLimits, RetryAfter, read_headers};
pub use json::{JsonError, Wanted};
pub use models::decode_models;
