//! The other side of a connection by a script, and what is read of it: for tests and for the fuzzer.

use std::collections::VecDeque;
use std::task::Waker;

use schema::record::FailureClass;

use super::body::FRAMING_BYTES;
use super::*;

/// The other side of a connection, by a script.
pub(super) struct Script {
    pub(super) portions: VecDeque<Vec<u8>>,
    /// What comes again and again after the portions.
    pub(super) refrain: Vec<u8>,
    /// Whether it closes at last; else it says no more.
    pub(super) closes: bool,
    /// Whether each portion is waited for, and whether that has been done.
    pub(super) hesitates: bool,
    pub(super) hesitated: bool,
    /// Bytes of the request that it takes.
    pub(super) appetite: usize,
    pub(super) handed: usize,
}

impl Script {
    pub(super) fn new(portions: impl IntoIterator<Item = Vec<u8>>, closes: bool) -> Self {
        let portions = portions.into_iter().filter(|portion| !portion.is_empty()).collect();
        let appetite = usize::MAX;
        Self { portions, refrain: Vec::new(), closes, hesitates: false, hesitated: false, appetite, handed: 0 }
    }
}

/// More than any answer here takes.
const ENOUGH: usize = 1 << 20;

impl AsyncRead for Script {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.hesitated = self.hesitates && !self.hesitated && !self.portions.is_empty();
        if self.hesitated {
            return Poll::Pending;
        }
        let mut portion = self.portions.pop_front().unwrap_or_else(|| self.refrain.clone());
        if portion.is_empty() {
            return if self.closes { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let later = portion.split_off(portion.len().min(buf.remaining()));
        if !later.is_empty() {
            self.portions.push_front(later);
        }
        self.handed += portion.len();
        assert!(self.handed < ENOUGH, "it reads without end");
        buf.put_slice(&portion);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let taken = data.len().min(self.appetite);
        self.appetite -= taken;
        if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is whole.
    Whole {
        /// Whether another request may go out on its connection.
        is_reusable: bool,
    },
    Failed(FailureClass),
    /// It waits for more.
    Waiting,
}

type Fields = Vec<(String, Vec<u8>)>;

/// What was read of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Status and headers.
    pub(super) head: Option<(u16, Fields)>,
    pub(super) body: Vec<u8>,
    pub(super) end: End,
}

pub(super) const HEAD_BYTES: usize = SMALLEST_HEAD_LIMIT;

pub(super) fn request() -> Ask {
    Ask::new(http::Method::POST, "/v1".parse().expect("it is a path"), http::HeaderMap::new())
}

pub(super) fn connection(script: Script) -> Http1<Script> {
    let mut http = Http1::new(script, HEAD_BYTES);
    http.send(&request(), &Bytes::from_static(b"{}"));
    http
}

/// `poll` until it is ready: `None` when it waits for what does not come.
fn wait<T>(
    http: &mut Http1<Script>,
    mut poll: impl FnMut(&mut Http1<Script>, &mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let polled = poll(http, &mut cx);
        assert!(http.buffer.len() < HEAD_BYTES.max(FRAMING_BYTES) + LARGEST_READ, "it holds {}", http.buffer.len());
        match polled {
            Poll::Ready(ready) => return Some(ready),
            Poll::Pending if http.io.hesitated => {}
            Poll::Pending => return None,
        }
    }
}

pub(super) fn follow(http: &mut Http1<Script>) -> Seen {
    let read = |head: Head<'_>| {
        (head.status, head.headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect())
    };
    let mut seen = Seen { head: None, body: Vec::new(), end: End::Waiting };
    match wait(http, |http, cx| http.poll_head(cx, read)) {
        None => return seen,
        Some(Err(failure)) => return Seen { end: End::Failed(failure.class), ..seen },
        Some(Ok(head)) => seen.head = Some(head),
    }
    loop {
        match wait(http, Http1::poll_piece) {
            None => return seen,
            Some(Err(failure)) => return Seen { end: End::Failed(failure.class), ..seen },
            Some(Ok(true)) => {
                assert!(!http.piece().is_empty(), "a piece without bytes");
                seen.body.extend_from_slice(http.piece());
            }
            Some(Ok(false)) => break,
        }
    }
    // What comes of itself has come by the time that another request is due.
    http.io.hesitates = false;
    let is_reusable = http.is_reusable(&mut Context::from_waker(Waker::noop()));
    Seen { end: End::Whole { is_reusable }, ..seen }
}

/// What is read of `bytes` that come in portions of these sizes, over and over.
pub(super) fn seen(bytes: &[u8], sizes: &[usize], closes: bool, hesitates: bool) -> Seen {
    let (mut portions, mut rest, mut sizes) = (Vec::new(), bytes, sizes.iter().copied().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at(sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        portions.push(now.to_vec());
        rest = later;
    }
    follow(&mut connection(Script { hesitates, ..Script::new(portions, closes) }))
}

/// More than any bound.
const PAST_BOUNDS: usize = FRAMING_BYTES + HEAD_BYTES;

/// However its bytes come, an answer is the same. Of the first four bytes of `input` one says how it ends, and three
/// in what portions it comes; the rest is the answer, whose last bytes are repeated until they pass every bound, where
/// the first byte says of how many.
///
/// # Panics
/// When it is not the same, or is held or read without bounds.
pub fn check_answer(input: &[u8]) {
    let Some(([manner, portions @ ..], answer)) = input.split_first_chunk::<4>() else { return };
    let (closes, hesitates, refrain) = (manner & 1 != 0, manner & 2 != 0, usize::from(manner >> 2).min(answer.len()));
    let times = PAST_BOUNDS.checked_div(refrain).unwrap_or(0);
    let answer = [answer, &answer[answer.len() - refrain..].repeat(times)].concat();
    let [short, middle, long] = portions.map(usize::from);
    let sizes = [short, 1, middle * 16, long * 256];
    assert_eq!(seen(&answer, &sizes, closes, hesitates), seen(&answer, &[], closes, false));
}
