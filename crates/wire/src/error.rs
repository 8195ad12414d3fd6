//! What a server says when it refuses or fails.

use schema::record::FailureClass;
use schema::text::Untrusted;
use schema::units::Nanos;

/// An error in the server's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct ServerError {
    /// What it says; at most 4 KiB.
    pub message: Untrusted,
    /// Its kind (`type`, `error_type`, Google's `status`), cleaned and bounded.
    pub kind: Option<String>,
    /// Its code (`rate_limit_exceeded`, `400`, Google's quota id), cleaned and bounded.
    pub code: Option<String>,
    /// The HTTP status: the response's, or inside a stream the one the body names.
    pub status: Option<u16>,
    /// How long it asks to wait (Google's `retryDelay`).
    pub retry_after: Option<Nanos>,
}

/// Reads the body of an error response, whatever its shape: JSON of any provider, text or HTML.
pub fn decode_error(_status: u16, _body: &[u8]) -> ServerError {
    todo!()
}

/// The class a refused request is counted under: by its status, and by meaning where that says more.
pub fn classify_status(_status: u16, _error: &ServerError) -> FailureClass {
    todo!()
}
