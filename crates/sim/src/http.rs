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
/// What an idle connection's buffer may keep, and the least room a read is given.
const IDLE_BUFFER: usize = 4 << 10;

/// What a client has sent and nobody has looked at yet. Heads with keys are in there too, so it is not for printing.
#[derive(Default)]
pub(crate) struct Inbox {
    /// Written over again and again: what a read may fill need not be cleared for it.
    bytes: Vec<u8>,
    /// Where in `bytes` that is.
    start: usize,
    end: usize,
}

impl Inbox {
    fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// The next `count` bytes, which must have come.
    fn take(&mut self, count: usize) -> &[u8] {
        let taken = self.start..self.start + count;
        self.start = taken.end;
        &self.bytes[taken]
    }

    /// Waits for more bytes.
    async fn read_more<S: Socket>(&mut self, socket: &mut S) -> Result<(), NoRequest> {
        self.make_room();
        match socket.read(&mut self.bytes[self.end..]).await? {
            0 => Err(NoRequest::Gone),
            count => {
                self.end += count;
                Ok(())
            }
        }
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.bytes.len() - self.end < IDLE_BUFFER {
            self.bytes.reserve(self.end + IDLE_BUFFER - self.bytes.len());
            self.bytes.resize(self.bytes.capacity(), 0);
        }
    }

    /// Gives back what a long request took.
    fn shrink(&mut self) {
        if self.bytes.len() > IDLE_BUFFER {
            self.bytes.truncate(self.end);
            self.bytes.drain(..self.start);
            (self.start, self.end) = (0, self.bytes.len());
            self.bytes.shrink_to(IDLE_BUFFER);
        }
    }
}

/// A request, read whole.
pub(crate) struct Request<'a> {
    pub(crate) head: &'a Head,
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

/// The head of a request. It may hold a key in plain text, so it is not for printing.
pub(crate) struct Head {
    /// All of it, as it came.
    bytes: Vec<u8>,
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) keep_alive: bool,
    pub(crate) key: Option<SecretString>,
    framing: Framing,
    expects_continue: bool,
}

/// Reads one request; `inbox` holds what came beyond the last one, `latest` its head: most clients send the same one
/// over and over, which need not be parsed again.
pub(crate) async fn read_request<'a, S: Socket>(
    socket: &mut S,
    inbox: &mut Inbox,
    latest: &'a mut Option<Head>,
) -> Result<Request<'a>, NoRequest> {
    while !latest.as_ref().is_some_and(|head| inbox.unread().starts_with(&head.bytes)) {
        if let Some(head) = parse_head(inbox.unread())? {
            *latest = Some(head);
        } else if inbox.unread().len() > HEAD_LIMIT {
            return Err(NoRequest::Bad(431));
        } else {
            inbox.read_more(socket).await?;
        }
    }
    let head = latest.as_ref().expect("the loop ends with one");
    inbox.take(head.bytes.len());
    if head.expects_continue {
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    let body = match head.framing {
        Framing::Length(length) if length > BODY_LIMIT => return Err(NoRequest::Bad(413)),
        Framing::Length(length) => {
            while inbox.unread().len() < length {
                inbox.read_more(socket).await?;
            }
            inbox.take(length).to_vec()
        }
        Framing::Chunked => read_chunks(socket, inbox).await?,
    };
    inbox.shrink();
    Ok(Request { head, body })
}

/// Waits until the client closes, resets, or has sent more than it may before our answer is done.
pub(crate) async fn client_gone<S: Socket>(socket: &mut S, inbox: &mut Inbox) {
    while inbox.unread().len() < AHEAD_LIMIT && inbox.read_more(socket).await.is_ok() {}
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
        bytes: buffer[..bytes].to_vec(),
        method: method.to_owned(),
        path: path.to_owned(),
        keep_alive: true,
        key: None,
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
            self.keep_alive = !value.eq_ignore_ascii_case("close");
        } else if is("expect") {
            self.expects_continue = value.eq_ignore_ascii_case("100-continue");
        } else if is("authorization") {
            self.key = value.strip_prefix("Bearer ").map(SecretString::from);
        } else if is("x-api-key") {
            self.key = Some(SecretString::from(value));
        }
        Ok(())
    }
}

async fn read_chunks<S: Socket>(socket: &mut S, inbox: &mut Inbox) -> Result<Vec<u8>, NoRequest> {
    let mut body = Vec::new();
    loop {
        let (start, size) = loop {
            match httparse::parse_chunk_size(inbox.unread()) {
                Ok(httparse::Status::Complete((start, size))) => {
                    break (start, usize::try_from(size).unwrap_or(usize::MAX));
                }
                Ok(httparse::Status::Partial) if inbox.unread().len() < HEAD_LIMIT => inbox.read_more(socket).await?,
                _ => return Err(NoRequest::Bad(400)),
            }
        };
        if body.len().saturating_add(size) > BODY_LIMIT {
            return Err(NoRequest::Bad(413));
        }
        // The chunk's own line end, or the empty trailer after the last chunk.
        let end = start + size + 2;
        while inbox.unread().len() < end {
            inbox.read_more(socket).await?;
        }
        let chunk = inbox.take(end);
        if &chunk[end - 2..] != b"\r\n" {
            return Err(NoRequest::Bad(400));
        }
        body.extend_from_slice(&chunk[start..start + size]);
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

/// Bytes that most chunks stay within.
const CHUNK: usize = 512;

impl Chunk {
    pub(crate) fn new(hex: Hex) -> Self {
        let mut bytes = Vec::with_capacity(CHUNK);
        bytes.resize(SIZE_LINE, 0);
        Self { bytes, hex }
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

    /// Path, whether the connection stays, whether there is a key, and the body.
    type Parts = (String, bool, bool, String);

    /// Each request in `bytes`, and why there are no more.
    async fn read(bytes: &[u8]) -> (Vec<Parts>, NoRequest) {
        read_by(1 << 20, bytes).await
    }

    /// The same with at most `room` bytes a read.
    async fn read_by(room: usize, bytes: &[u8]) -> (Vec<Parts>, NoRequest) {
        let (mut client, server) = tokio::io::duplex(room);
        let write = async move {
            // Whoever is refused is not heard to the end.
            drop(client.write_all(bytes).await);
        };
        tokio::join!(write, read_all(Plain(server))).1
    }

    async fn read_all(mut server: impl Socket) -> (Vec<Parts>, NoRequest) {
        let (mut inbox, mut latest) = (Inbox::default(), None);
        let mut requests = Vec::new();
        loop {
            match read_request(&mut server, &mut inbox, &mut latest).await {
                Ok(Request { head, body }) => {
                    let body = String::from_utf8(body).unwrap();
                    requests.push((head.path.clone(), head.keep_alive, head.key.is_some(), body));
                }
                Err(none) => return (requests, none),
            }
        }
    }

    #[tokio::test]
    async fn a_body_by_length_and_one_in_chunks_are_the_same() {
        let length: &[u8] = b"POST /a?b=c HTTP/1.1\r\nContent-Length: 5\r\nX-Api-Key: k\r\n\r\nhello";
        let chunked: &[u8] = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n";
        let (requests, _) = read(&[length, chunked].concat()).await;
        let (path, body) = ("/a".to_owned(), "hello".to_owned());
        assert_eq!(requests, [(path.clone(), true, true, body.clone()), (path, false, false, body)]);
    }

    #[tokio::test]
    async fn a_head_like_the_one_before_is_another_request_all_the_same() {
        let [one, two] = ["hello", "world"].map(|body| format!("POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n{body}"));
        let longer = "POST /a HTTP/1.1\r\nContent-Length: 6\r\n\r\nplanet";
        let elsewhere = "POST /b?c HTTP/1.1\r\nContent-Length: 5\r\n\r\nabove";
        let bytes = format!("{one}{two}{longer}{one}{elsewhere}{two}");
        for room in [1, 7, 1 << 20] {
            let (requests, _) = read_by(room, bytes.as_bytes()).await;
            let said: Vec<_> = requests.iter().map(|(path, _, _, body)| format!("{path} {body}")).collect();
            assert_eq!(said, ["/a hello", "/a world", "/a planet", "/a hello", "/b above", "/a world"], "{room}");
        }
    }

    #[tokio::test]
    async fn a_long_request_gives_back_the_room_it_took() {
        let long = format!("POST /a HTTP/1.1\r\nContent-Length: 100000\r\n\r\n{}GET / HT", "x".repeat(100_000));
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(long.as_bytes()).await.unwrap();
        let (mut inbox, mut latest) = (Inbox::default(), None);
        let request = read_request(&mut Plain(server), &mut inbox, &mut latest).await;
        assert_eq!(request.ok().map(|request| request.body.len()), Some(100_000));
        assert!(inbox.bytes.capacity() <= IDLE_BUFFER, "{}", inbox.bytes.capacity());
        assert!(b"GET / HT".starts_with(inbox.unread()));
    }

    #[track_caller]
    fn check_bad(request: &[u8], expected: u16) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        match runtime.block_on(read(request)) {
            (requests, NoRequest::Bad(status)) if requests.is_empty() => {
                assert_eq!(status, expected, "{}", request.escape_ascii());
            }
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
            assert!(matches!(read(part).await, (requests, NoRequest::Gone) if requests.is_empty()));
        }
    }
}
