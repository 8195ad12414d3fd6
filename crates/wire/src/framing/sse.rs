//! Server-sent events, as the HTML standard frames them: lines end in LF, CRLF or CR, a blank line
//! ends an event, `data:` lines are joined, comments and fields we have no use for are passed over.
//!
//! Beyond the standard: a line `error: {…}` is taken for the data of an error event, because
//! llama.cpp wrote its errors so until early 2025.

use memchr::{memchr, memchr2};

use super::{Carry, Event, Step, TooLarge};

/// An SSE stream being cut into events.
#[derive(Debug)]
pub(crate) struct Sse {
    carry: Carry,
    /// Several `data:` lines of one event, joined.
    joined: Vec<u8>,
    /// Whether the next byte begins a line.
    line_start: bool,
    /// Whether the byte before was a CR, so that an LF now belongs to it.
    after_cr: bool,
    /// Whether the stream's first block has been seen, which may begin with a byte order mark.
    begun: bool,
}

impl Default for Sse {
    fn default() -> Self {
        Self { carry: Carry::default(), joined: Vec::new(), line_start: true, after_cr: false, begun: false }
    }
}

impl Sse {
    /// Takes a step into `bytes`: how many it took, and what it found there.
    pub(crate) fn step<'b>(&'b mut self, bytes: &'b [u8], limit: usize) -> Result<(usize, Step<'b>), TooLarge> {
        self.carry.begin();
        if self.carry.is_empty()
            && let Some(event) = plain_event(bytes).filter(|event| event.bytes <= limit)
        {
            (self.begun, self.after_cr) = (true, false);
            return Ok((event.bytes, Step::Event(event)));
        }
        if self.carry.is_empty() && self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            if bytes[0] == b'\n' {
                // The LF of a blank line's CRLF: the event has been handed out at the CR.
                return Ok((1, Step::Nothing));
            }
        }
        let Some(end) = self.end_of_block(bytes) else {
            self.carry.keep(bytes, limit)?;
            return Ok((bytes.len(), Step::NeedMore));
        };
        let block = self.carry.complete(&bytes[..end], limit)?;
        Ok((end, parse(block, &mut self.begun, &mut self.joined)))
    }

    /// The event left without its blank line at the end of the body.
    pub(crate) fn last(&mut self) -> Step<'_> {
        self.carry.begin();
        if self.carry.is_empty() {
            return Step::NeedMore;
        }
        self.carry.used_up = true;
        parse(&self.carry.bytes, &mut self.begun, &mut self.joined)
    }

    /// Index just past the line end of the blank line that ends the block.
    fn end_of_block(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let second_half = std::mem::take(&mut self.after_cr) && byte == b'\n';
            if second_half {
                at += 1;
                continue;
            }
            if self.line_start && matches!(byte, b'\n' | b'\r') {
                self.after_cr = byte == b'\r';
                return Some(at + 1);
            }
            self.line_start = false;
            at += memchr2(b'\n', b'\r', &bytes[at..])? + 1;
            self.line_start = true;
            self.after_cr = bytes[at - 1] == b'\r';
        }
        None
    }
}

/// The event that `bytes` begin with, if it is written as nearly all are: one line of data, a line feed, another.
fn plain_event(bytes: &[u8]) -> Option<Event<'_>> {
    let data = bytes.strip_prefix(b"data: ").filter(|data| data.first().is_some_and(u8::is_ascii_graphic))?;
    let end = memchr2(b'\n', b'\r', data)?;
    let data = data[end..].starts_with(b"\n\n").then_some(&data[..end])?;
    Some(Event { data, error: false, bytes: "data: ".len() + end + "\n\n".len() })
}

/// Reads the lines of one block.
fn parse<'b>(block: &'b [u8], begun: &mut bool, joined: &'b mut Vec<u8>) -> Step<'b> {
    let mut rest = block;
    if !std::mem::replace(begun, true) {
        rest = rest.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(rest);
    }
    let mut data: Option<&[u8]> = None;
    let mut error = false;
    joined.clear();
    while !rest.is_empty() {
        // A CRLF shows as a line and an empty one, and empty lines say nothing within a block.
        let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let (field, value) = split_field(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
        match field {
            b"data" => {}
            b"error" => error = true,
            b"event" => {
                error |= value == b"error";
                continue;
            }
            _ => continue,
        }
        match data {
            None => data = Some(value),
            Some(first) => {
                if joined.is_empty() {
                    joined.extend_from_slice(first);
                }
                joined.push(b'\n');
                joined.extend_from_slice(value);
            }
        }
    }
    let data = if joined.is_empty() { data.unwrap_or_default() } else { joined.as_slice() };
    if data.trim_ascii().is_empty() {
        return Step::Nothing;
    }
    Step::Event(Event { data, error, bytes: block.len() })
}

/// A line's field and its value, without the one space that may begin it. A comment's field is empty.
fn split_field(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = if line.starts_with(b"data:") { Some(4) } else { memchr(b':', line) };
    let Some(colon) = colon else { return (line, b"") };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests;
