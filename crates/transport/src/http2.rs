//! HTTP/2, by hyper.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;
use schema::record::Failure;

use crate::connection::{Ask, Head, Headers};
use crate::failure::{Stage, exchanging};
use crate::io::Io;

type Body = Full<Bytes>;
type Task = Pin<Box<dyn Future<Output = ()>>>;
type Answer = Pin<Box<dyn Future<Output = hyper::Result<Response<Incoming>>>>>;

/// HTTP/2's helper tasks, polled in place instead of spawned, so that nothing reads the socket behind
/// our back.
#[derive(Clone, Default)]
struct InPlace(Rc<RefCell<Vec<Task>>>);

impl InPlace {
    fn take(&self) -> Vec<Task> {
        self.0.take()
    }
}

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for InPlace {
    fn execute(&self, task: F) {
        self.0.borrow_mut().push(Box::pin(task));
    }
}

/// An HTTP/2 connection with at most one request on it.
pub(crate) struct Http2 {
    sender: http2::SendRequest<Body>,
    work: Work,
    answer: Option<Answer>,
    body: Option<Incoming>,
    piece: Bytes,
}

/// What keeps the connection going.
struct Work {
    driver: Task,
    new_tasks: InPlace,
    tasks: Vec<Task>,
    over: bool,
}

impl Work {
    /// Lets the connection work for as long as it has something to do.
    fn turn(&mut self, cx: &mut Context<'_>) {
        while !self.over {
            self.over = self.driver.as_mut().poll(cx).is_ready();
            self.tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            let mut fresh = self.new_tasks.take();
            if fresh.is_empty() {
                break;
            }
            self.tasks.append(&mut fresh);
        }
    }

    /// What `wanted` gives before or after a turn, so that the socket is never read past what it has taken.
    fn until<T>(&mut self, cx: &mut Context<'_>, mut wanted: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        if let Poll::Ready(got) = wanted(cx) {
            return Poll::Ready(got);
        }
        self.turn(cx);
        wanted(cx)
    }
}

impl Http2 {
    pub(crate) async fn open(io: Io, head_bytes: u32) -> hyper::Result<Self> {
        let new_tasks = InPlace::default();
        let (sender, driver) =
            http2::Builder::new(new_tasks.clone()).max_header_list_size(head_bytes).handshake(TokioIo::new(io)).await?;
        let driver: Task = Box::pin(async move {
            // Its error reaches the request in flight.
            drop(driver.await);
        });
        let work = Work { driver, new_tasks, tasks: Vec::new(), over: false };
        Ok(Self { sender, work, answer: None, body: None, piece: Bytes::new() })
    }

    pub(crate) fn send(&mut self, ask: &Ask, body: &Bytes) {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.uri.clone();
        *request.headers_mut() = ask.headers.clone();
        self.body = None;
        self.answer = Some(Box::pin(self.sender.send_request(request)));
    }

    pub(crate) fn poll_head<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(Head<'_>) -> T,
    ) -> Poll<Result<T, Failure>> {
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        let answered = ready!(self.work.until(cx, |cx| answer.as_mut().poll(cx)));
        self.answer = None;
        let response = answered.map_err(|error| exchanging(&error, Stage::Head))?;
        let (parts, body) = response.into_parts();
        self.body = Some(body);
        Poll::Ready(Ok(read(Head {
            status: parts.status.as_u16(),
            reason: None,
            headers: Headers::Map(&parts.headers),
        })))
    }

    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        let Some(body) = &mut self.body else { return Poll::Ready(Ok(false)) };
        loop {
            match ready!(self.work.until(cx, |cx| Pin::new(&mut *body).poll_frame(cx))) {
                None => return Poll::Ready(Ok(false)),
                Some(Err(error)) => return Poll::Ready(Err(exchanging(&error, Stage::Body))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.piece = data;
                        return Poll::Ready(Ok(true));
                    }
                }
            }
        }
    }

    pub(crate) fn piece(&self) -> &[u8] {
        &self.piece
    }

    pub(crate) const fn outlives_answer(&self) -> bool {
        !self.work.over
    }

    pub(crate) fn is_reusable(&mut self, cx: &mut Context<'_>) -> bool {
        self.work.turn(cx);
        let ready = self.sender.poll_ready(cx);
        !self.work.over && matches!(ready, Poll::Ready(Ok(())))
    }
}
