//! From what went wrong underneath to the class it is counted under.

use std::error::Error;
use std::io;

use schema::record::{Failure, FailureClass};
use schema::text::Untrusted;

/// A failure of `class`, told by `error` and its causes.
pub(crate) fn failure(class: FailureClass, error: &dyn Error) -> Failure {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = inner.source();
    }
    said(class, message)
}

/// A failure of `class` in our own words.
pub(crate) fn said(class: FailureClass, message: impl Into<String>) -> Failure {
    Failure { class, message: Untrusted::bounded(message, 1024), retry_after_ns: None }
}

/// A TCP connect that failed.
pub(crate) fn connecting(error: &io::Error) -> Failure {
    let class = match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureClass::ConnectRefused,
        io::ErrorKind::TimedOut => FailureClass::ConnectTimeout,
        _ => FailureClass::ConnectFailed,
    };
    failure(class, error)
}

/// How far an exchange had come when the connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No response head yet.
    Head,
    /// In the body.
    Body,
}

/// An HTTP error in mid-exchange.
pub(crate) fn exchanging(error: &hyper::Error, stage: Stage) -> Failure {
    let class = if error.is_parse_too_large() {
        FailureClass::TooLarge
    } else if error.is_parse() || caused_by_bad_bytes(error) {
        FailureClass::Malformed
    } else if stage == Stage::Head {
        FailureClass::ClosedEarly
    } else {
        FailureClass::Truncated
    };
    failure(class, error)
}

/// Whether an I/O error deep inside says that the framing, not the connection, was broken.
fn caused_by_bad_bytes(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput);
        }
        cause = inner.source();
    }
    false
}
