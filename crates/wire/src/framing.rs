//! Cutting a stream of bytes into events.

pub(crate) mod ndjson;
pub(crate) mod sse;

/// One event as it was framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event<'b> {
    /// Its text.
    pub(crate) data: &'b [u8],
    /// Whether the framing itself calls it an error.
    pub(crate) error: bool,
    /// Bytes on the wire, line ends included.
    pub(crate) bytes: usize,
}

/// What one step through the bytes found.
#[derive(Debug)]
pub(crate) enum Step<'b> {
    /// An event.
    Event(Event<'b>),
    /// Something that is no event: a comment, a blank line. Go on.
    Nothing,
    /// All bytes are taken.
    NeedMore,
}

/// An event is larger than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Bytes kept from one feed to the next, because their event was not complete.
#[derive(Debug, Default)]
struct Carry {
    bytes: Vec<u8>,
    used_up: bool,
}

impl Carry {
    /// Forgets the event handed out by the step before.
    fn begin(&mut self) {
        if self.used_up {
            self.bytes.clear();
            self.used_up = false;
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Keeps `bytes` for later.
    fn keep(&mut self, bytes: &[u8], limit: usize) -> Result<(), TooLarge> {
        if self.bytes.len() + bytes.len() > limit {
            return Err(TooLarge);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// What was kept, completed by `last`: `last` itself, uncopied, if nothing was.
    fn complete<'b>(&'b mut self, last: &'b [u8], limit: usize) -> Result<&'b [u8], TooLarge> {
        if self.bytes.len() + last.len() > limit {
            return Err(TooLarge);
        }
        if self.bytes.is_empty() {
            return Ok(last);
        }
        self.bytes.extend_from_slice(last);
        self.used_up = true;
        Ok(&self.bytes)
    }
}
