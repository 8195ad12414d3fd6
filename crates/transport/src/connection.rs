//! One HTTP connection, driven by whoever waits for its answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use schema::plan::{HttpChoice, TransportPlan};
use schema::record::HttpVersion;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use crate::socket::{SharedLedger, Socket};

/// Plain or TLS, above the stamped socket.
#[derive(Debug)]
pub(crate) enum Io {
    /// As it is.
    Plain(Socket),
    /// Under rustls.
    Tls(Box<TlsStream<Socket>>),
}

impl Io {
    fn ledger(&self) -> &SharedLedger {
        match self {
            Self::Plain(socket) => socket.ledger(),
            Self::Tls(stream) => stream.get_ref().0.ledger(),
        }
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = match this {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_read(cx, buf),
        };
        if buf.filled().len() > before {
            this.ledger().lock().answered();
        }
        polled
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, data),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Self::Tls(io) => Pin::new(io.as_mut()).poll_shutdown(cx),
        }
    }
}

type Body = Full<Bytes>;
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// HTTP/2's helper tasks, polled in place instead of spawned, so that nothing reads the socket behind
/// our back.
#[derive(Clone, Default)]
struct InPlace(Arc<Mutex<Vec<Task>>>);

impl InPlace {
    fn take(&self) -> Vec<Task> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for InPlace {
    fn execute(&self, task: F) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(task));
    }
}

enum Protocol {
    Http1 { sender: http1::SendRequest<Body>, driver: Box<http1::Connection<TokioIo<Io>, Body>> },
    Http2 { sender: http2::SendRequest<Body>, driver: Task, new_tasks: InPlace, tasks: Vec<Task> },
}

/// A ready connection. Whoever holds it drives it, through [`Connection::drive`].
pub(crate) struct Connection {
    protocol: Protocol,
    ledger: SharedLedger,
    over: bool,
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
        let head = plan.sizes.head_bytes as usize;
        let io = TokioIo::new(io);
        let protocol = match plan.http {
            HttpChoice::Http1 => {
                let (sender, driver) =
                    http1::Builder::new().writev(false).max_buf_size(head.max(8192)).handshake(io).await?;
                Protocol::Http1 { sender, driver: Box::new(driver) }
            }
            HttpChoice::Http2 => {
                let new_tasks = InPlace::default();
                let (sender, driver) = http2::Builder::new(new_tasks.clone())
                    .max_header_list_size(plan.sizes.head_bytes)
                    .handshake(io)
                    .await?;
                let driver: Task = Box::pin(async move {
                    // Its error reaches the request in flight.
                    drop(driver.await);
                });
                Protocol::Http2 { sender, driver, new_tasks, tasks: Vec::new() }
            }
        };
        Ok(Self { protocol, ledger, over: false })
    }

    pub(crate) const fn version(&self) -> HttpVersion {
        match self.protocol {
            Protocol::Http1 { .. } => HttpVersion::Http1,
            Protocol::Http2 { .. } => HttpVersion::Http2,
        }
    }

    pub(crate) const fn ledger(&self) -> &SharedLedger {
        &self.ledger
    }

    /// Puts a request on the connection; it leaves when the connection is driven.
    pub(crate) fn send(
        &mut self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>> + Send>> {
        match &mut self.protocol {
            Protocol::Http1 { sender, .. } => Box::pin(sender.send_request(request)),
            Protocol::Http2 { sender, .. } => Box::pin(sender.send_request(request)),
        }
    }

    /// Lets the connection work for as long as it has something to do.
    fn turn(&mut self, cx: &mut Context<'_>) {
        if self.over {
            return;
        }
        match &mut self.protocol {
            Protocol::Http1 { driver, .. } => self.over = Pin::new(driver.as_mut()).poll(cx).is_ready(),
            Protocol::Http2 { driver, new_tasks, tasks, .. } => loop {
                self.over |= driver.as_mut().poll(cx).is_ready();
                tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
                let mut fresh = new_tasks.take();
                if fresh.is_empty() || self.over {
                    break;
                }
                tasks.append(&mut fresh);
            },
        }
    }

    /// Waits for `wanted`, working the connection meanwhile, until `timer` goes off. `wanted` is asked
    /// before and after each turn, so the socket is never read past what `wanted` has taken.
    ///
    /// Over HTTP/1 nothing but a turn can bring what is wanted, so it need not wake anyone: that spares each piece
    /// of a body two rounds of waking ourselves.
    pub(crate) async fn drive<T>(
        &mut self,
        mut timer: Pin<&mut tokio::time::Sleep>,
        mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Waited<T> {
        let turns_alone = matches!(self.protocol, Protocol::Http1 { .. });
        std::future::poll_fn(|cx| {
            let waker = if turns_alone { Waker::noop() } else { cx.waker() };
            let mut asking = Context::from_waker(waker);
            if let Poll::Ready(got) = wanted(&mut asking) {
                return Poll::Ready(Waited::Ready(got));
            }
            self.turn(cx);
            if let Poll::Ready(got) = wanted(&mut asking) {
                return Poll::Ready(Waited::Ready(got));
            }
            timer.as_mut().poll(cx).map(|()| Waited::Tick)
        })
        .await
    }

    /// Whether another request can go out on it now. Gives the connection one turn to notice that the
    /// other side has closed.
    pub(crate) async fn is_reusable(&mut self) -> bool {
        std::future::poll_fn(|cx| {
            self.turn(cx);
            let ready = match &mut self.protocol {
                Protocol::Http1 { sender, .. } => sender.poll_ready(cx),
                Protocol::Http2 { sender, .. } => sender.poll_ready(cx),
            };
            Poll::Ready(!self.over && matches!(ready, Poll::Ready(Ok(()))))
        })
        .await
    }
}
