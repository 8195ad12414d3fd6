//! What the head of a response says beside its status.

use jiff::Timestamp;
use schema::record::{ServerTiming, Usage};
use schema::text::Untrusted;
use schema::units::Nanos;

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// After this long.
    In(Nanos),
    /// At this instant of wall time.
    At(Timestamp),
}

impl RetryAfter {
    /// The wait it means at `now`; zero when it has passed.
    pub fn from_now(self, now: Timestamp) -> Nanos {
        match self {
            Self::In(wait) => wait,
            Self::At(then) => Nanos(u64::try_from(then.duration_since(now).as_nanos()).unwrap_or(0)),
        }
    }
}

/// Facts found in response headers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct HeaderFacts {
    /// Timings: Fireworks, OpenAI, TGI.
    pub timing: ServerTiming,
    /// Token counts: Fireworks, TGI.
    pub usage: Usage,
    /// When to come back.
    pub retry_after: Option<RetryAfter>,
    /// The server's id of the request.
    pub request_id: Option<Untrusted>,
}

/// Reads `(name, value)` pairs; names in any case.
pub fn read_headers<'a>(_headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> HeaderFacts {
    todo!()
}
