//! One connection: requests in, answers out, until either side has had enough.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::answer;
use crate::ask::Route;
use crate::exchange::{After, Exchange};
use crate::head::Head;
use crate::http::{Inbox, NoRequest, Request, read_request};
use crate::page::{self, Page};
use crate::problem::{Kind, Problem};
use crate::socket::{Plain, Socket};
use crate::state::State;

/// Serves one connection over any stream, TLS for example, as part of the engine that `state` is of
/// ([`crate::Sim::state`]). Receive times are user-space ones here. Ends when the connection does.
pub async fn serve_connection<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S, state: Arc<State>) {
    serve(Plain(stream), state).await;
}

pub(crate) async fn serve<S: Socket>(mut socket: S, state: Arc<State>) {
    let _open = Open::new(&state);
    let (mut inbox, mut latest) = (Inbox::default(), None);
    loop {
        let request = match read_request(&mut socket, &mut inbox, &mut latest).await {
            Ok(request) => request,
            Err(NoRequest::Gone) => return,
            Err(NoRequest::Bad(status)) => return refuse(&mut socket, &state, status).await,
        };
        let keep_alive = request.head.keep_alive;
        match exchange(&mut socket, &mut inbox, &state, request).await {
            Ok(After::Keep) if keep_alive => {}
            // A close that breaks an answer off is the fault itself: nothing more to say.
            Ok(After::Close) | Err(_) => return,
            Ok(After::Keep) => break,
        }
    }
    part(&mut socket).await;
}

/// Answers one request.
async fn exchange<S: Socket>(
    socket: &mut S,
    inbox: &mut Inbox,
    state: &State,
    request: Request<'_>,
) -> io::Result<After> {
    state.requests.fetch_add(1, Ordering::Relaxed);
    let engine = state.config.engine;
    let route = page::generating(engine, &request.head.path).filter(|_| request.head.method == "POST");
    let allowed = is_allowed(state, &request);
    let Some(route) = route else {
        let page = if allowed { page::answer(state, &request) } else { unauthorized(state, Route::Chat) };
        return side_answer(socket, state, &request, page).await;
    };
    let (number, _answering) = state.begin();
    let mut exchange = Exchange::new(socket, inbox, state, number);
    if !allowed {
        return exchange.page(unauthorized(state, route)).await;
    }
    answer::answer(&mut exchange, number, route, request.body).await
}

async fn side_answer<S: Socket>(socket: &mut S, state: &State, request: &Request<'_>, page: Page) -> io::Result<After> {
    let head = Head {
        status: page.status,
        content_type: page.content_type,
        headers: page.headers,
        length: Some(page.body.len()),
        request_id: None,
    };
    let mut bytes = head.bytes(state);
    if request.head.method != "HEAD" {
        bytes.extend_from_slice(&page.body);
    }
    socket.write_all(&bytes).await?;
    socket.flush().await?;
    state.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    Ok(After::Keep)
}

fn is_allowed(state: &State, request: &Request<'_>) -> bool {
    let Some(wanted) = &state.config.require_key else { return true };
    let shown = request.head.key.as_ref().is_some_and(|key| key.expose_secret() == wanted.expose_secret());
    shown || !page::is_guarded(&request.head.path)
}

fn unauthorized(state: &State, route: Route) -> Page {
    let problem = Problem::new(Kind::Unauthorized, "Incorrect API key provided.");
    problem.refusal(state.config.engine, route).into()
}

/// Answers what is no request, and closes.
async fn refuse<S: Socket>(socket: &mut S, state: &State, status: u16) {
    let headers = vec![("connection", "close".to_owned())];
    let head = Head { status, content_type: None, headers, length: Some(0), request_id: None };
    if socket.write_all(&head.bytes(state)).await.is_ok() {
        part(socket).await;
    }
}

/// Longest wait for a client to take leave, and the most it may still say.
const PARTING: Duration = Duration::from_secs(1);
const LAST_WORDS: u64 = 32 << 20;

/// Closes so that the client still reads everything: says goodbye, then listens for its own.
async fn part<S: Socket>(socket: &mut S) {
    if socket.shutdown().await.is_ok() {
        let mut rest = socket.take(LAST_WORDS);
        let mut nowhere = tokio::io::sink();
        let listening = tokio::io::copy(&mut rest, &mut nowhere);
        // However it goes, the connection is over.
        drop(tokio::time::timeout(PARTING, listening).await);
    }
}

/// Counts a connection while it is open.
struct Open<'a>(&'a State);

impl<'a> Open<'a> {
    fn new(state: &'a State) -> Self {
        state.connections.fetch_add(1, Ordering::Relaxed);
        Self(state)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
