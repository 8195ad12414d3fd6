//! Reading lines that may be too long, cut off, or not text at all.

use std::io::{self, BufRead, Read};

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Its bytes, without the line feed.
    Whole(&'a [u8]),
    /// The last line of the file, without a line feed.
    Unended(&'a [u8]),
    /// More bytes than a line may have; they were passed over.
    TooLong,
}

/// Lines of a reader, one in memory at a time.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    limit: usize,
    /// Number of the line last returned, from 1.
    pub(crate) number: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub(crate) const fn new(reader: R, limit: usize) -> Self {
        Self { reader, line: Vec::new(), limit, number: 0 }
    }

    /// The next line, or `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let room = self.limit as u64 + 1;
        if self.reader.by_ref().take(room).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if let Some(whole) = self.line.strip_suffix(b"\n") {
            return Ok(Some(Line::Whole(whole)));
        }
        if self.line.len() > self.limit {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Line::TooLong));
        }
        Ok(Some(Line::Unended(&self.line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[Line<'_>]) {
        let mut lines = Lines::new(text.as_bytes(), 4);
        for line in expected {
            assert_eq!(lines.next().unwrap().as_ref(), Some(line));
        }
        assert_eq!(lines.next().unwrap(), None);
        assert_eq!(lines.number, expected.len() as u64);
    }

    #[test]
    fn lines_end_at_line_feeds() {
        check("", &[]);
        check("ab\n\ncd\n", &[Line::Whole(b"ab"), Line::Whole(b""), Line::Whole(b"cd")]);
    }

    #[test]
    fn a_last_line_without_its_end_is_told_apart() {
        check("ab\ncd", &[Line::Whole(b"ab"), Line::Unended(b"cd")]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        check("1234\n12345\n1\n", &[Line::Whole(b"1234"), Line::TooLong, Line::Whole(b"1")]);
        check("123456789", &[Line::TooLong]);
    }
}
