//! One HTTP connection, driven by whoever waits for its answer.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use schema::plan::{HttpChoice, TransportPlan};
use schema::record::{Failure, HttpVersion};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep};

use crate::http1::Http1;
use crate::http2::Http2;
use crate::io::Io;
use crate::socket::SharedLedger;

/// A request without its body: the same for all that are sent to a target. It may hold a key.
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    /// As HTTP/1.1 writes it, without the empty line.
    pub(crate) lines: Vec<u8>,
}

impl Ask {
    /// As it is, by another method.
    pub(crate) fn by(self, method: Method) -> Self {
        Self::new(method, self.uri, self.headers)
    }

    pub(crate) fn new(method: Method, uri: Uri, headers: HeaderMap) -> Self {
        let mut lines = format!("{method} {uri} HTTP/1.1\r\n").into_bytes();
        for (name, value) in &headers {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value.as_bytes());
            lines.extend_from_slice(b"\r\n");
        }
        Self { method, uri, headers, lines }
    }
}

/// The head of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The words beside it; HTTP/2 has none.
    pub reason: Option<&'a str>,
    pub(crate) headers: Headers<'a>,
}

impl<'a> Head<'a> {
    /// Its headers as they came, names in any case. They are as trustworthy as whoever answered.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.headers.iter()
    }
}

/// Its headers, wherever they are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Headers<'a> {
    Parsed(&'a [httparse::Header<'a>]),
    Map(&'a HeaderMap),
}

impl<'a> Headers<'a> {
    /// All of them, names in any case.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let (parsed, map) = match self {
            Self::Parsed(parsed) => (Some(parsed), None),
            Self::Map(map) => (None, Some(map)),
        };
        let parsed = parsed.into_iter().flatten().map(|header| (header.name, header.value));
        parsed.chain(map.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_bytes())))
    }
}

enum Protocol {
    Http1(Http1),
    Http2(Http2),
}

/// A ready connection. Whoever holds it drives it, through [`Connection::drive`].
pub(crate) struct Connection {
    protocol: Protocol,
    ledger: SharedLedger,
    /// Outlives requests: setting it anew costs more than letting it go off early.
    timer: Pin<Box<Sleep>>,
}

/// What a wait on the connection brought.
pub(crate) enum Waited<T> {
    /// What was waited for.
    Ready(T),
    /// The timer went off first.
    Tick,
}

impl Connection {
    /// The HTTP handshake over `io`.
    pub(crate) async fn open(io: Io, plan: &TransportPlan) -> hyper::Result<Self> {
        let ledger = io.ledger().clone();
        let protocol = match plan.http {
            HttpChoice::Http1 => Protocol::Http1(Http1::new(io, plan.sizes.head_bytes as usize)),
            HttpChoice::Http2 => Protocol::Http2(Http2::open(io, plan.sizes.head_bytes).await?),
        };
        Ok(Self { protocol, ledger, timer: Box::pin(tokio::time::sleep_until(Instant::now())) })
    }

    pub(crate) const fn version(&self) -> HttpVersion {
        match self.protocol {
            Protocol::Http1(_) => HttpVersion::Http1,
            Protocol::Http2(_) => HttpVersion::Http2,
        }
    }

    pub(crate) const fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }

    /// Puts a request on the connection; it leaves when the connection is driven.
    pub(crate) fn send(&mut self, ask: &Ask, body: &Bytes) {
        match &mut self.protocol {
            Protocol::Http1(http) => http.send(ask, body),
            Protocol::Http2(http) => http.send(ask, body),
        }
    }

    /// The head of the answer, as `read` takes it.
    pub(crate) fn poll_head<T>(
        &mut self,
        cx: &mut Context<'_>,
        read: impl FnMut(Head<'_>) -> T,
    ) -> Poll<Result<T, Failure>> {
        match &mut self.protocol {
            Protocol::Http1(http) => http.poll_head(cx, read),
            Protocol::Http2(http) => http.poll_head(cx, read),
        }
    }

    /// Whether there is another [piece](Self::piece) of the answer's body. No more than one read is taken in, and
    /// none as long as something of the one before is left.
    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        match &mut self.protocol {
            Protocol::Http1(http) => http.poll_piece(cx),
            Protocol::Http2(http) => http.poll_piece(cx),
        }
    }

    /// The latest piece of the body.
    pub(crate) fn piece(&self) -> &[u8] {
        match &self.protocol {
            Protocol::Http1(http) => http.piece(),
            Protocol::Http2(http) => http.piece(),
        }
    }

    /// The timer of the waits to come goes off at `instant`, or earlier if it was set so before.
    pub(crate) fn wake_by(&mut self, instant: Instant) {
        if self.timer.deadline() > instant {
            self.wake_at(instant);
        }
    }

    /// The timer of the waits to come goes off at `instant`.
    pub(crate) fn wake_at(&mut self, instant: Instant) {
        self.timer.as_mut().reset(instant);
    }

    /// Waits for `wanted`, until the timer goes off.
    pub(crate) async fn drive<T>(
        &mut self,
        mut wanted: impl FnMut(&mut Self, &mut Context<'_>) -> Poll<T>,
    ) -> Waited<T> {
        std::future::poll_fn(|cx| {
            if let Poll::Ready(got) = wanted(self, cx) {
                return Poll::Ready(Waited::Ready(got));
            }
            // What always has more to read uses up its turn, and must not take the timer's with it.
            pin!(unconstrained(self.timer.as_mut())).poll(cx).map(|()| Waited::Tick)
        })
        .await
    }

    /// Whether another request may go out on it later, as far as is known without asking the system.
    pub(crate) fn outlives_answer(&self) -> bool {
        match &self.protocol {
            Protocol::Http1(http) => http.outlives_answer(),
            Protocol::Http2(http) => http.outlives_answer(),
        }
    }

    /// Whether another request can go out on it now. Notices when the other side has closed.
    pub(crate) fn is_reusable(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        match &mut self.protocol {
            Protocol::Http1(http) => http.is_reusable(&mut cx),
            Protocol::Http2(http) => http.is_reusable(&mut cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::ready;
    use std::time::Duration;

    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::coop::consume_budget;

    use super::*;
    use crate::clock::Clock;
    use crate::socket::Socket;

    #[tokio::test]
    async fn one_that_always_has_more_to_read_does_not_keep_the_timer_from_going_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let socket = Socket::new(tcp, Clock::start(), true).unwrap();
        let mut connection = Connection::open(Io::Plain(socket), &TransportPlan::default()).await.unwrap();
        connection.wake_at(Instant::now() + Duration::from_millis(1));
        // Reads as long as its turn lasts, and gives up in the end.
        let mut turns = 0;
        let flood = |_: &mut Connection, cx: &mut Context<'_>| {
            turns += 1;
            if turns == 100_000 {
                return Poll::Ready(());
            }
            loop {
                ready!(pin!(consume_budget()).poll(cx));
            }
        };
        assert!(matches!(connection.drive(flood).await, Waited::Tick));
    }
}
