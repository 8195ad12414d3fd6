//! HTTP/1.1 by hand: reading a request within bounds, writing a head and chunks exactly as meant.

use std::io;
use std::mem::MaybeUninit;

use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::socket::Socket;

/// Bytes a request's head may have.
pub(crate) const HEAD_LIMIT: usize = 64 << 10;
/// Bytes a request's body may have.
pub(crate) const BODY_LIMIT: usize = 16 << 20;
/// Headers a request may have.
const HEADER_LIMIT: usize = 100;
/// Bytes read ahead while an answer is under way.
const AHEAD_LIMIT: usize = 64 << 10;
/// What an idle connection's buffer may keep.
const IDLE_BUFFER: usize = 4 << 10;

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) keep_alive: bool,
    pub(crate) key: Option<SecretString>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no request.
#[derive(Debug)]
pub(crate) enum NoRequest {
    /// The client closed or the connection broke.
    Gone,
    /// It is not HTTP, or more than we take: answered with this status, then closed.
    Bad(u16),
}

impl From<io::Error> for NoRequest {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Debug)]
struct Head {
    request: Request,
    bytes: usize,
    framing: Framing,
    expects_continue: bool,
}

/// Reads one request; `buffer` holds what came beyond the last one.
pub(crate) async fn read_request<S: Socket>(socket: &mut S, buffer: &mut Vec<u8>) -> Result<Request, NoRequest> {
    let head = loop {
        if let Some(head) = parse_head(buffer)? {
            break head;
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(NoRequest::Bad(431));
        }
        read_more(socket, buffer).await?;
    };
    buffer.drain(..head.bytes);
    if head.expects_continue {
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let mut request = head.request;
    request.body = match head.framing {
        Framing::Length(length) if length > BODY_LIMIT => return Err(NoRequest::Bad(413)),
        Framing::Length(length) => {
            while buffer.len() < length {
                read_more(socket, buffer).await?;
            }
            buffer.drain(..length).collect()
        }
        Framing::Chunked => read_chunks(socket, buffer).await?,
    };
    buffer.shrink_to(IDLE_BUFFER);
    Ok(request)
}

/// Waits until the client closes, resets, or has sent more than it may before our answer is done.
pub(crate) async fn client_gone<S: Socket>(socket: &mut S, buffer: &mut Vec<u8>) {
    while buffer.len() < AHEAD_LIMIT && read_more(socket, buffer).await.is_ok() {}
}

async fn read_more<S: Socket>(socket: &mut S, buffer: &mut Vec<u8>) -> Result<(), NoRequest> {
    buffer.reserve(IDLE_BUFFER);
    match socket.read_buf(buffer).await? {
        0 => Err(NoRequest::Gone),
        _ => Ok(()),
    }
}

/// The head at the start of `buffer`, once it is all there.
fn parse_head(buffer: &[u8]) -> Result<Option<Head>, NoRequest> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADER_LIMIT];
    let mut parsed = httparse::Request::new(&mut []);
    let bytes = match parsed.parse_with_uninit_headers(buffer, &mut headers) {
        Ok(httparse::Status::Complete(bytes)) if bytes > HEAD_LIMIT => return Err(NoRequest::Bad(431)),
        Ok(httparse::Status::Complete(bytes)) => bytes,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(NoRequest::Bad(431)),
        Err(_) => return Err(NoRequest::Bad(400)),
    };
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(NoRequest::Bad(400));
    };
    if version == 0 {
        return Err(NoRequest::Bad(505));
    }
    let path = target.split('?').next().unwrap_or_default();
    let mut head = Head {
        request: Request {
            method: method.to_owned(),
            path: path.to_owned(),
            keep_alive: true,
            key: None,
            body: Vec::new(),
        },
        bytes,
        framing: Framing::Length(0),
        expects_continue: false,
    };
    for header in parsed.headers.iter() {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        head.note(header.name, value)?;
    }
    Ok(Some(head))
}

impl Head {
    fn note(&mut self, name: &str, value: &str) -> Result<(), NoRequest> {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        if is("content-length") {
            let length = value.parse().map_err(|_| NoRequest::Bad(400))?;
            if self.framing != Framing::Chunked {
                self.framing = Framing::Length(length);
            }
        } else if is("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(NoRequest::Bad(501));
            }
            self.framing = Framing::Chunked;
        } else if is("connection") {
            self.request.keep_alive = !value.eq_ignore_ascii_case("close");
        } else if is("expect") {
            self.expects_continue = value.eq_ignore_ascii_case("100-continue");
        } else if is("authorization") {
            self.request.key = value.strip_prefix("Bearer ").map(SecretString::from);
        } else if is("x-api-key") {
            self.request.key = Some(SecretString::from(value));
        }
        Ok(())
    }
}

async fn read_chunks<S: Socket>(socket: &mut S, buffer: &mut Vec<u8>) -> Result<Vec<u8>, NoRequest> {
    let mut body = Vec::new();
    loop {
        let (start, size) = loop {
            match httparse::parse_chunk_size(buffer) {
                Ok(httparse::Status::Complete((start, size))) => {
                    break (start, usize::try_from(size).unwrap_or(usize::MAX));
                }
                Ok(httparse::Status::Partial) if buffer.len() < HEAD_LIMIT => read_more(socket, buffer).await?,
                _ => return Err(NoRequest::Bad(400)),
            }
        };
        if body.len().saturating_add(size) > BODY_LIMIT {
            return Err(NoRequest::Bad(413));
        }
        // The chunk's own line end, or the empty trailer after the last chunk.
        let end = start + size + 2;
        while buffer.len() < end {
            read_more(socket, buffer).await?;
        }
        if &buffer[end - 2..end] != b"\r\n" {
            return Err(NoRequest::Bad(400));
        }
        body.extend_from_slice(&buffer[start..start + size]);
        buffer.drain(..end);
        if size == 0 {
            return Ok(body);
        }
    }
}

/// The words that go with a status.
pub(crate) const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        529 => "Overloaded",
        _ => "Internal Server Error",
    }
}

/// The end of a chunked body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// How a chunk's size is written; TGI's are in upper case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hex {
    Lower,
    Upper,
}

/// One chunk under construction in a buffer that is used again and again.
#[derive(Debug)]
pub(crate) struct Chunk {
    bytes: Vec<u8>,
    hex: Hex,
}

/// Room for the size line in front of the payload: eight digits and the line end.
const SIZE_LINE: usize = 10;

impl Chunk {
    pub(crate) fn new(hex: Hex) -> Self {
        Self { bytes: vec![0; SIZE_LINE], hex }
    }

    /// The payload, emptied, to write into.
    pub(crate) fn start(&mut self) -> &mut Vec<u8> {
        self.bytes.truncate(SIZE_LINE);
        &mut self.bytes
    }

    /// The finished chunk with its framing, and `after` behind it.
    pub(crate) fn finish(&mut self, after: &[u8]) -> &mut [u8] {
        let size = self.bytes.len() - SIZE_LINE;
        let digits: &[u8; 16] = match self.hex {
            Hex::Lower => b"0123456789abcdef",
            Hex::Upper => b"0123456789ABCDEF",
        };
        self.bytes[SIZE_LINE - 2..SIZE_LINE].copy_from_slice(b"\r\n");
        let mut start = SIZE_LINE - 2;
        let mut rest = size;
        while rest > 0 || start == SIZE_LINE - 2 {
            start -= 1;
            self.bytes[start] = digits[rest & 15];
            rest >>= 4;
        }
        self.bytes.extend_from_slice(b"\r\n");
        self.bytes.extend_from_slice(after);
        &mut self.bytes[start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::Plain;

    #[track_caller]
    fn check_chunk(hex: Hex, payload: &[u8], expected: &[u8]) {
        let mut chunk = Chunk::new(hex);
        for _ in 0..2 {
            chunk.start().extend_from_slice(payload);
            assert_eq!(chunk.finish(b""), expected);
        }
    }

    #[test]
    fn a_chunk_has_its_size_before_and_a_line_end_behind() {
        check_chunk(Hex::Lower, b"abc", b"3\r\nabc\r\n");
        check_chunk(Hex::Lower, &[b'x'; 171], &[b"ab\r\n".as_slice(), &[b'x'; 171], b"\r\n"].concat());
        check_chunk(Hex::Upper, &[b'x'; 171], &[b"AB\r\n".as_slice(), &[b'x'; 171], b"\r\n"].concat());
    }

    async fn read(bytes: &[u8]) -> Result<Request, NoRequest> {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(bytes).await.unwrap();
        drop(client);
        read_request(&mut Plain(server), &mut Vec::new()).await
    }

    #[tokio::test]
    async fn a_body_by_length_and_one_in_chunks_are_the_same() {
        let length = read(b"POST /a?b=c HTTP/1.1\r\nContent-Length: 5\r\nX-Api-Key: k\r\n\r\nhello").await.unwrap();
        let chunked = read(
            b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        )
        .await
        .unwrap();
        assert_eq!((length.path.as_str(), length.keep_alive, length.key.is_some()), ("/a", true, true));
        assert_eq!((chunked.path.as_str(), chunked.keep_alive, chunked.key.is_some()), ("/a", false, false));
        assert_eq!(length.body, b"hello");
        assert_eq!(length.body, chunked.body);
    }

    #[track_caller]
    fn check_bad(request: &[u8], expected: u16) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(read(request)) {
            Err(NoRequest::Bad(status)) => assert_eq!(status, expected, "{}", request.escape_ascii()),
            other => panic!("{}: {other:?}", request.escape_ascii()),
        }
    }

    #[test]
    fn what_is_not_a_request_we_take_has_a_status() {
        check_bad(b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400);
        check_bad(b"GET / HTTP/1.0\r\n\r\n", 505);
        check_bad(b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400);
        check_bad(b"POST / HTTP/1.1\r\nContent-Length: 17000000\r\n\r\n", 413);
        check_bad(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501);
        check_bad(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", 413);
        check_bad(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz", 400);
        check_bad(&[b"GET / HTTP/1.1\r\nA: ".as_slice(), &b"a".repeat(HEAD_LIMIT)].concat(), 431);
        check_bad(&[b"GET / HTTP/1.1\r\n".as_slice(), &b"A: b\r\n".repeat(101), b"\r\n"].concat(), 431);
    }

    #[tokio::test]
    async fn a_client_that_leaves_early_is_simply_gone() {
        for part in [&b""[..], b"GET / HT", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel"] {
            assert!(matches!(read(part).await, Err(NoRequest::Gone)));
        }
    }
}
