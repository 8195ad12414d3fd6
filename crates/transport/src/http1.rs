//! HTTP/1.1: one request out, one answer in, and nothing between the socket's read and whoever looks at it.
//!
//! Reading goes as far as what was asked for and no further: a piece of a body is handed out with the read that
//! brought it, and the socket is read again only when nothing of it is left.

mod body;
mod head;
#[cfg(any(test, fuzzing))]
mod script;

use std::cell::RefCell;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use schema::record::Failure;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::connection::{Ask, Head};
use crate::failure::{Broken, Stage, breaking};
use crate::io::Io;
use crate::socket::LARGEST_READ;
use body::{Body, Step};
#[cfg(any(test, fuzzing))]
pub use script::check_answer;

/// The least that a head may be; a smaller bound would refuse what every server sends.
const SMALLEST_HEAD_LIMIT: usize = 8 << 10;

/// Memory that a connection takes over from one request to the next, in each direction.
const IDLE_BYTES: usize = 16 << 10;

thread_local! {
    /// Where bytes land first, so that no connection holds memory for more than it was sent.
    static LANDING: RefCell<Box<[u8]>> = RefCell::new(vec![0; LARGEST_READ].into());
}

/// A connection with at most one request on it.
pub(crate) struct Http1<I = Io> {
    io: I,
    /// Bytes of a head at most.
    head_bytes: usize,
    /// The request, and how much of it has left.
    request: Vec<u8>,
    sent: usize,
    /// Whether all of it has left, from beneath the encryption too.
    is_flushed: bool,
    /// What was read; what is before `taken` has been looked at.
    buffer: Vec<u8>,
    taken: usize,
    /// Bytes of what came before the head.
    announced: usize,
    /// The latest piece of the body.
    piece: Range<usize>,
    body: Body,
    /// Whether the server keeps the connection after this answer.
    is_kept: bool,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Http1<I> {
    pub(crate) fn new(io: I, head_bytes: usize) -> Self {
        Self {
            io,
            head_bytes: head_bytes.max(SMALLEST_HEAD_LIMIT),
            request: Vec::new(),
            sent: 0,
            is_flushed: true,
            buffer: Vec::new(),
            taken: 0,
            announced: 0,
            piece: 0..0,
            body: Body::Over,
            is_kept: true,
        }
    }

    /// Puts a request on the connection, which has to be [reusable](Self::is_reusable).
    pub(crate) fn send(&mut self, ask: &Ask, body: &Bytes) {
        self.request.clear();
        self.request.shrink_to(IDLE_BYTES);
        self.buffer.clear();
        self.buffer.shrink_to(IDLE_BYTES);
        (self.sent, self.taken, self.announced, self.is_flushed) = (0, 0, 0, false);
        self.request.reserve(ask.lines.len() + body.len() + 48);
        self.request.extend_from_slice(&ask.lines);
        if !body.is_empty() {
            self.request.extend_from_slice(b"content-length: ");
            self.request.extend_from_slice(itoa::Buffer::new().format(body.len()).as_bytes());
            self.request.extend_from_slice(b"\r\n");
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body);
        // Unless the answer's head says more.
        self.body = Body::Over;
        self.is_kept = false;
    }

    /// Sends what has not left yet, and waits for the head of the answer: a server may refuse before it has all.
    pub(crate) fn poll_head<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(Head<'_>) -> T,
    ) -> Poll<Result<T, Failure>> {
        // A request that could not be sent may have been answered nevertheless.
        let trouble = self.write(cx).err();
        loop {
            let unread = &self.buffer[self.taken..];
            let parsed = head::parse(unread, self.head_bytes, |head, body, is_kept| (read(head), body, is_kept));
            match parsed.map_err(|broken| broken.at(Stage::Head))? {
                head::Parsed::Head { bytes, read: (read, body, is_kept) } => {
                    self.taken += bytes;
                    (self.body, self.is_kept) = (body, is_kept);
                    return Poll::Ready(Ok(read));
                }
                head::Parsed::Informational { bytes } => {
                    self.taken += bytes;
                    self.announced += bytes;
                    if self.announced > self.head_bytes {
                        return Poll::Ready(Err(Broken::TooLarge("what comes before the head").at(Stage::Head)));
                    }
                }
                head::Parsed::Incomplete => match ready!(self.read(cx)) {
                    Ok(0) => {
                        let closed = || Broken::Closed.at(Stage::Head);
                        return Poll::Ready(Err(trouble.map_or_else(closed, |error| breaking(&error, Stage::Head))));
                    }
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(Err(breaking(&trouble.unwrap_or(error), Stage::Head))),
                },
            }
        }
    }

    /// Whether there is another piece of the body.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        // A server that refuses the rest of a request still says why.
        drop(self.write(cx));
        loop {
            let unread = &self.buffer[self.taken..];
            match self.body.step(unread).map_err(|broken| broken.at(Stage::Body))? {
                Step::Piece(piece) => {
                    self.piece = self.taken + piece.start..self.taken + piece.end;
                    self.taken = self.piece.end;
                    return Poll::Ready(Ok(true));
                }
                Step::End { bytes } => {
                    self.taken += bytes;
                    return Poll::Ready(Ok(false));
                }
                Step::More { bytes } => {
                    self.taken += bytes;
                    match ready!(self.read(cx)) {
                        Ok(0) => {
                            let ended = std::mem::replace(&mut self.body, Body::Over).end();
                            self.is_kept = false;
                            return Poll::Ready(ended.map(|()| false).map_err(|broken| broken.at(Stage::Body)));
                        }
                        Ok(_) => {}
                        Err(error) => return Poll::Ready(Err(breaking(&error, Stage::Body))),
                    }
                }
            }
        }
    }

    /// The latest piece of the body.
    pub(crate) fn piece(&self) -> &[u8] {
        &self.buffer[self.piece.clone()]
    }

    /// Whether another request may go out later, by what has been read: the answer was taken in to its end, and the
    /// server neither said that it would close, nor anything that nobody asked for.
    pub(crate) fn outlives_answer(&self) -> bool {
        self.is_kept && self.body == Body::Over && self.is_flushed && self.taken == self.buffer.len()
    }

    /// Whether another request can go out now: it [may](Self::outlives_answer), and the server has neither closed nor
    /// said more.
    pub(crate) fn is_reusable(&mut self, cx: &mut Context<'_>) -> bool {
        self.is_kept = self.outlives_answer() && self.read(cx).is_pending();
        self.is_kept
    }

    /// Hands the system what it takes of the request.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.is_flushed {
            return Ok(());
        }
        while self.sent < self.request.len() {
            match Pin::new(&mut self.io).poll_write(cx, &self.request[self.sent..]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => self.sent += n,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(()),
            }
        }
        if let Poll::Ready(flushed) = Pin::new(&mut self.io).poll_flush(cx) {
            flushed?;
            self.is_flushed = true;
        }
        Ok(())
    }

    /// Reads once; how many bytes that brought.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        LANDING.with_borrow_mut(|landing| {
            let mut landed = ReadBuf::new(landing);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut landed))?;
            self.buffer.extend_from_slice(landed.filled());
            Poll::Ready(Ok(landed.filled().len()))
        })
    }
}

#[cfg(test)]
mod tests;
