//! How a body is cut into pieces: pure, from the bytes that were read to those of the answer.

use std::ops::Range;

use crate::failure::Broken;

/// What is still to come of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// Nothing.
    Over,
    /// So many bytes, more than none.
    Length(u64),
    /// Chunks.
    Chunked(Chunked),
    /// Whatever comes until the server closes.
    UntilClose,
}

/// Where in its chunks a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Before a size.
    Size,
    /// So many bytes before the end of a chunk.
    Data(u64),
    /// Before the end of line that follows a chunk.
    DataEnd,
    /// After the last chunk and so many bytes of lines.
    Trailer(usize),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A piece of the body, behind bytes that only frame it.
    Piece(Range<usize>),
    /// These bytes have been taken in, and more are needed.
    More { bytes: usize },
    /// The body ends with these bytes.
    End { bytes: usize },
}

/// Bytes of a chunk's size with its extensions, and of all lines after the last chunk, at most.
pub(super) const FRAMING_BYTES: usize = 16 << 10;

impl Body {
    /// A body of `length` bytes.
    pub(super) const fn of(length: u64) -> Self {
        if length == 0 { Self::Over } else { Self::Length(length) }
    }

    /// A body in chunks.
    pub(super) const fn chunked() -> Self {
        Self::Chunked(Chunked::Size)
    }

    /// Takes the next step into `bytes`, which follow those that were taken in before.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Broken> {
        let at = match self {
            Self::Over => return Ok(Step::End { bytes: 0 }),
            _ if bytes.is_empty() => return Ok(Step::More { bytes: 0 }),
            Self::UntilClose => return Ok(Step::Piece(0..bytes.len())),
            Self::Length(left) => {
                let taken = part(bytes, *left);
                *self = Self::of(*left - taken as u64);
                return Ok(Step::Piece(0..taken));
            }
            Self::Chunked(at) => at,
        };
        let mut from = 0;
        loop {
            let rest = &bytes[from..];
            let Some(taken) = at.take(rest)? else { return Ok(Step::More { bytes: from }) };
            match taken {
                Taken::Framing(taken) => from += taken,
                Taken::Data(taken) => return Ok(Step::Piece(from..from + taken)),
                Taken::Last(taken) => {
                    *self = Self::Over;
                    return Ok(Step::End { bytes: from + taken });
                }
            }
        }
    }

    /// The server has closed.
    pub(super) const fn end(self) -> Result<(), Broken> {
        match self {
            Self::Over | Self::UntilClose => Ok(()),
            Self::Length(_) | Self::Chunked(_) => Err(Broken::Closed),
        }
    }
}

/// What the next bytes are.
enum Taken {
    Framing(usize),
    Data(usize),
    /// The end of the last line.
    Last(usize),
}

impl Chunked {
    /// `None` when more is needed to tell.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Taken>, Broken> {
        match *self {
            Self::Size => {
                let Some((taken, size)) = size(bytes)? else { return Ok(None) };
                *self = if size == 0 { Self::Trailer(0) } else { Self::Data(size) };
                Ok(Some(Taken::Framing(taken)))
            }
            Self::Data(_) if bytes.is_empty() => Ok(None),
            Self::Data(left) => {
                let taken = part(bytes, left);
                let left = left - taken as u64;
                *self = if left == 0 { Self::DataEnd } else { Self::Data(left) };
                Ok(Some(Taken::Data(taken)))
            }
            Self::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    *self = Self::Size;
                    Ok(Some(Taken::Framing(2)))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err(Broken::Malformed("a chunk is longer than it says".into())),
            },
            Self::Trailer(before) => {
                let end = memchr::memchr(b'\n', bytes).map(|at| at + 1);
                if before + end.unwrap_or(bytes.len()) > FRAMING_BYTES {
                    return Err(Broken::TooLarge("what follows the last chunk"));
                }
                let Some(end) = end else { return Ok(None) };
                *self = Self::Trailer(before + end);
                let is_empty = matches!(&bytes[..end], b"\n" | b"\r\n");
                Ok(Some(if is_empty { Taken::Last(end) } else { Taken::Framing(end) }))
            }
        }
    }
}

/// The line that says how large a chunk is: its bytes, and the size; `None` when more is needed to tell.
fn size(bytes: &[u8]) -> Result<Option<(usize, u64)>, Broken> {
    let within = &bytes[..bytes.len().min(FRAMING_BYTES)];
    let line = memchr::memchr(b'\n', within).map_or(within, |end| &within[..=end]);
    // A line without a digit would parse as the last chunk's.
    if line.first().is_some_and(u8::is_ascii_hexdigit) {
        match httparse::parse_chunk_size(line) {
            Ok(httparse::Status::Complete(parsed)) => return Ok(Some(parsed)),
            // An extension that holds the end of a line ends elsewhere for others.
            Ok(httparse::Status::Partial) if line.ends_with(b"\n") => {}
            Ok(httparse::Status::Partial) if bytes.len() < FRAMING_BYTES => return Ok(None),
            Ok(httparse::Status::Partial) => return Err(Broken::TooLarge("a chunk's size")),
            Err(_) => {}
        }
    } else if line.is_empty() {
        return Ok(None);
    }
    Err(Broken::Malformed("a chunk's size is no number".into()))
}

/// How many of `bytes` belong to the next `left`.
fn part(bytes: &[u8], left: u64) -> usize {
    usize::try_from(left).map_or(bytes.len(), |left| bytes.len().min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body of `bytes`, read in portions of `portion`; how many bytes were left over.
    fn read(mut body: Body, bytes: &str, portion: usize) -> Result<(String, usize), Broken> {
        let (mut buffer, mut unread, mut text) = (Vec::new(), bytes.as_bytes(), Vec::new());
        loop {
            match body.step(&buffer)? {
                Step::Piece(piece) => {
                    assert!(!piece.is_empty(), "a piece without bytes");
                    text.extend_from_slice(&buffer[piece.clone()]);
                    buffer.drain(..piece.end);
                }
                Step::End { bytes } => {
                    return Ok((String::from_utf8(text).unwrap(), buffer.len() - bytes + unread.len()));
                }
                Step::More { bytes } => {
                    buffer.drain(..bytes);
                    if unread.is_empty() {
                        return body.end().map(|()| (String::from_utf8(text).unwrap(), 0));
                    }
                    let (now, later) = unread.split_at(portion.min(unread.len()));
                    buffer.extend_from_slice(now);
                    unread = later;
                }
            }
        }
    }

    #[track_caller]
    fn check(body: Body, bytes: &str, expected: &Result<(&str, usize), Broken>) {
        for portion in [1, 2, 3, 5, 1 << 20] {
            let read = read(body, bytes, portion);
            let read = read.as_ref().map(|(text, left)| (text.as_str(), *left));
            assert_eq!(read, expected.as_ref().copied(), "{bytes:?} by {portion}");
        }
    }

    #[test]
    fn however_the_bytes_are_read_the_body_is_the_same() {
        check(Body::of(0), "next", &Ok(("", 4)));
        check(Body::of(5), "hello", &Ok(("hello", 0)));
        check(Body::of(5), "hello!", &Ok(("hello", 1)));
        check(Body::UntilClose, "hello", &Ok(("hello", 0)));
        check(Body::chunked(), "5\r\nhello\r\n0\r\n\r\n", &Ok(("hello", 0)));
        check(Body::chunked(), "2\r\nhe\r\n003;a=b\r\nllo\r\n0\r\n\r\nHT", &Ok(("hello", 2)));
        check(Body::chunked(), "A\r\n0123456789\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\n", &Ok(("0123456789", 0)));
        check(Body::chunked(), "0\r\n\r\n", &Ok(("", 0)));
    }

    #[test]
    fn a_body_that_breaks_off_is_told_from_one_that_ends() {
        for bytes in ["", "5", "5\r\n", "5\r\nhel", "5\r\nhello", "5\r\nhello\r\n", "0\r\n", "0\r\nx: y\r\n"] {
            check(Body::chunked(), bytes, &Err(Broken::Closed));
        }
        check(Body::of(5), "hell", &Err(Broken::Closed));
    }

    #[test]
    fn what_is_no_chunk_is_malformed() {
        for bytes in
            ["5z\r\nhello\r\n", "x\r\n", "-1\r\n", "5\r\nhello!\r\n", "ffffffffffffffffff\r\n", "\r\n", ";a\r\n"]
        {
            let read = read(Body::chunked(), bytes, 1 << 20);
            assert!(matches!(read, Err(Broken::Malformed(_))), "{bytes:?}: {read:?}");
        }
    }

    #[test]
    fn framing_is_bounded() {
        let long = "x".repeat(FRAMING_BYTES + 1);
        for bytes in [format!("5;{long}"), format!("0\r\n{long}"), format!("0\r\n{}", "x: y\r\n".repeat(4096))] {
            let read = read(Body::chunked(), &bytes, 1 << 20);
            assert!(matches!(read, Err(Broken::TooLarge(_))), "{read:?}");
        }
    }
}
