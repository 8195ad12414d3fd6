//! The head of an answer: pure, from bytes to what it says.

use std::mem::MaybeUninit;

use crate::connection::{Head, Headers};
use crate::failure::Broken;
use crate::http1::body::Body;

/// Headers of one answer at most.
const MOST_HEADERS: usize = 100;

/// What the beginning of an answer is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed<T> {
    /// A head of so many bytes.
    Head { bytes: usize, read: T },
    /// An announcement of so many bytes: the head is still to come.
    Informational { bytes: usize },
    /// Not all of it is there.
    Incomplete,
}

/// Parses the head at the beginning of `bytes`, at most `limit` long. `read` is told what it says, how the body is
/// framed, and whether the server keeps the connection.
pub(super) fn parse<T>(
    bytes: &[u8],
    limit: usize,
    read: impl FnOnce(Head<'_>, Body, bool) -> T,
) -> Result<Parsed<T>, Broken> {
    let mut room = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut answer = httparse::Response::new(&mut []);
    // What is beyond the limit is not looked at, so that it matters nothing how much of it has come already.
    let within = &bytes[..bytes.len().min(limit)];
    let parsed = httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut answer, within, &mut room);
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= limit => return Err(Broken::TooLarge("the head")),
        Ok(httparse::Status::Partial) => return Ok(Parsed::Incomplete),
        Err(httparse::Error::TooManyHeaders) => return Err(Broken::TooLarge("the head")),
        Err(error) => return Err(Broken::Malformed(format!("the answer's head is not HTTP/1: {error}"))),
    };
    let status = answer.code.unwrap_or_default();
    if status < 100 {
        return Err(Broken::Malformed(format!("there is no status {status:03}")));
    }
    if (100..200).contains(&status) && status != SWITCHING {
        return Ok(Parsed::Informational { bytes: length });
    }
    let (body, is_kept) = framing(status, answer.version.unwrap_or_default(), answer.headers)?;
    let read = read(Head { status, reason: answer.reason, headers: Headers::Parsed(answer.headers) }, body, is_kept);
    Ok(Parsed::Head { bytes: length, read })
}

/// A protocol that nobody asked for.
const SWITCHING: u16 = 101;

/// How the body ends, by RFC 9112 section 6.3, and whether the connection outlives it, by section 9.3.
fn framing(status: u16, version: u8, headers: &[httparse::Header<'_>]) -> Result<(Body, bool), Broken> {
    let (mut length, mut coding) = (None, None);
    let (mut is_kept, mut is_closed) = (version > 0, false);
    for header in headers {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let said = header.value.split(|byte| *byte == b',').map(whole_number);
            for said in said {
                let said = said.ok_or_else(|| Broken::Malformed("the content length is no number".into()))?;
                if length.is_some_and(|length| length != said) {
                    return Err(Broken::Malformed("the answer has two content lengths".into()));
                }
                length = Some(said);
            }
        } else if is("transfer-encoding") {
            let last = tokens(header.value).last().map(|last| last.eq_ignore_ascii_case(b"chunked"));
            coding = last.or(coding).or(Some(false));
        } else if is("connection") {
            for token in tokens(header.value) {
                is_closed |= token.eq_ignore_ascii_case(b"close");
                is_kept |= token.eq_ignore_ascii_case(b"keep-alive");
            }
        }
    }
    let body = match (status, coding, length) {
        (SWITCHING | 204 | 304, ..) => Body::Over,
        (_, Some(true), _) => Body::chunked(),
        (_, Some(false), _) | (_, None, None) => Body::UntilClose,
        (_, None, Some(length)) => Body::of(length),
    };
    // Framed in two ways, or in one that its version lacks: where it really ends is anyone's guess.
    let is_doubtful = coding.is_some() && (length.is_some() || version == 0);
    let outlives = status != SWITCHING && body != Body::UntilClose && !is_doubtful;
    Ok((body, is_kept && !is_closed && outlives))
}

/// The elements of a list; empty ones do not count (RFC 9110 section 5.6.1.2).
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

fn whole_number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let digits = text.iter().all(u8::is_ascii_digit).then_some(text)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    type Said = Result<Parsed<(u16, Body, bool)>, Broken>;

    fn parse_all(text: &str) -> Said {
        parse(text.as_bytes(), 256, |head, body, is_kept| (head.status, body, is_kept))
    }

    #[track_caller]
    fn check(lines: &str, status: u16, body: Body, is_kept: bool) {
        let text = format!("{lines}\r\n\r\n");
        for cut in 0..text.len() {
            assert_eq!(parse_all(&text[..cut]), Ok(Parsed::Incomplete), "{}", &text[..cut]);
        }
        let head = Parsed::Head { bytes: text.len(), read: (status, body, is_kept) };
        assert_eq!(parse_all(&(text + "more")), Ok(head));
    }

    #[test]
    fn a_head_says_how_its_body_ends_and_whether_the_connection_is_kept() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 5", 200, Body::of(5), true);
        check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5, 5", 200, Body::of(5), true);
        check("HTTP/1.1 200 OK\r\ncontent-length: 0", 200, Body::Over, true);
        check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nConnection: Close", 200, Body::of(5), false);
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked", 200, Body::chunked(), true);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked,\r\nTransfer-Encoding:", 200, Body::chunked(), true);
        check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked", 200, Body::chunked(), false);
        check("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\nconnection: keep-alive", 200, Body::chunked(), false);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: gzip", 200, Body::UntilClose, false);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding:", 200, Body::UntilClose, false);
        check("HTTP/1.1 200 OK\r\ntransfer-encoding: gzip", 200, Body::UntilClose, false);
        check("HTTP/1.1 200 OK", 200, Body::UntilClose, false);
        check("HTTP/1.0 200 OK\r\ncontent-length: 5", 200, Body::of(5), false);
        check("HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: te, keep-alive", 200, Body::of(5), true);
        check("HTTP/1.0 200 OK\r\ncontent-length: 5\r\nconnection: close, keep-alive", 200, Body::of(5), false);
        check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive,, close", 200, Body::of(5), false);
        check("HTTP/1.1 204 No Content", 204, Body::Over, true);
        check("HTTP/1.1 304 Not Modified\r\ncontent-length: 5", 304, Body::Over, true);
        check("HTTP/1.1 101 Switching Protocols", 101, Body::Over, false);
    }

    #[test]
    fn an_announcement_is_no_answer() {
        assert_eq!(parse_all("HTTP/1.1 100 Continue\r\n\r\nHTTP"), Ok(Parsed::Informational { bytes: 25 }));
    }

    #[track_caller]
    fn check_refused(text: &str, is_expected: impl FnOnce(&Broken) -> bool) {
        let said = parse_all(text);
        assert!(matches!(&said, Err(broken) if is_expected(broken)), "{text:?}: {said:?}");
    }

    #[test]
    fn what_is_no_head_and_what_is_too_long_are_told_apart() {
        let is_malformed = |broken: &Broken| matches!(broken, Broken::Malformed(_));
        let is_too_large = |broken: &Broken| matches!(broken, Broken::TooLarge(_));
        check_refused("HTTP/banana OK\r\n\r\n", is_malformed);
        check_refused("\u{16}\u{3}\u{1}", is_malformed);
        check_refused("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", is_malformed);
        check_refused("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n", is_malformed);
        check_refused("HTTP/1.1 200 OK\r\ncontent-length: \r\n\r\n", is_malformed);
        check_refused("HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", is_malformed);
        check_refused(&format!("HTTP/1.1 200 OK\r\na: {}", "x".repeat(300)), is_too_large);
        check_refused(&format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "x".repeat(300)), is_too_large);
        check_refused(&format!("HTTP/1.1 200 OK\r\n{}\r\n", "a:\r\n".repeat(101)), is_too_large);
    }
}
