//! A JSON reader that walks a text once and allocates nothing.

/// Where a text stops being JSON, and what was missing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {wanted} at byte {offset}")]
pub struct JsonError {
    /// Byte offset in the text.
    pub offset: usize,
    /// What would have been right.
    pub wanted: &'static str,
}
