//! Answers that come whole.

use schema::target::Dialect;

use crate::decoder::{WireError, utf8};
use crate::dialect;
use crate::frame::{Frame, Frames};

/// Reads an answer that was not streamed: its first choice, with what belongs to all of it. Blank lines before it
/// (DeepSeek while it waits) are passed over. An error despite a good status is in the frame.
pub fn decode_answer(dialect: Dialect, body: &[u8]) -> Result<Frame<'_>, WireError> {
    let text = utf8(dialect, 0, body.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(body))?;
    let Frames { mut earlier, last } =
        dialect::decode(dialect, text).map_err(|source| WireError::NotJson { index: 0, dialect, source })?;
    let mut frame = match earlier.iter().position(|frame| frame.choice == 0) {
        Some(first) => Frame {
            usage: last.usage,
            timing: last.timing,
            error: last.error,
            end: last.end,
            ..earlier.swap_remove(first)
        },
        None => last,
    };
    frame.bytes = u32::try_from(body.len()).unwrap_or(u32::MAX);
    Ok(frame)
}
