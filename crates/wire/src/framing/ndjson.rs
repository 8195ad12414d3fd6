//! Newline-delimited JSON: one value a line, blank lines passed over.

use memchr::memchr;

use super::{Carry, Event, Step, TooLarge};

/// An NDJSON stream being cut into lines.
#[derive(Debug, Default)]
pub(crate) struct Ndjson {
    carry: Carry,
}

impl Ndjson {
    /// Takes a step into `bytes`: how many it took, and what it found there.
    pub(crate) fn step<'b>(&'b mut self, bytes: &'b [u8], limit: usize) -> Result<(usize, Step<'b>), TooLarge> {
        self.carry.begin();
        let Some(newline) = memchr(b'\n', bytes) else {
            self.carry.keep(bytes, limit)?;
            return Ok((bytes.len(), Step::NeedMore));
        };
        let line = self.carry.complete(&bytes[..=newline], limit)?;
        Ok((newline + 1, parse(line)))
    }

    /// The line left without its end at the end of the body.
    pub(crate) fn last(&mut self) -> Step<'_> {
        self.carry.begin();
        if self.carry.is_empty() {
            return Step::NeedMore;
        }
        self.carry.used_up = true;
        parse(&self.carry.bytes)
    }
}

fn parse(line: &[u8]) -> Step<'_> {
    let data = line.trim_ascii();
    if data.is_empty() { Step::Nothing } else { Step::Event(Event { data, error: false, bytes: line.len() }) }
}

#[cfg(test)]
mod tests;
