//! One target, its idle connections, and the one way to time a request.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};
use http::{Method, Uri};
use schema::event::Event;
use schema::plan::HttpChoice;
use schema::record::{ConnectTimes, Failure, FailureClass, InConversation, Outcome, Partial, Phase, Record};
use schema::target::{AuthScheme, Credentialed, Dialect, Target};
use schema::units::{Moment, Nanos};
use secrecy::{ExposeSecret, SecretString};
use wire::Frame;

use crate::connection::{Ask, Connection, Head};
use crate::connector::{Connector, Endpoint, SetupError};
use crate::exchange::Exchange;
use crate::socket::Read;

/// Servers commonly close connections after five idle seconds; ours are given up a little earlier.
const IDLE_LIMIT: Nanos = Nanos::from_secs(4);

/// A server that closes a connection this soon after an answer never meant to keep it.
const AT_ONCE: Nanos = Nanos::from_secs(1);

/// Connections opened at once while warming.
const WARMING_WIDTH: usize = 64;

/// How often a wait looks up to see whether it was cancelled.
pub(crate) const LOOK_UP: Duration = Duration::from_millis(250);

/// One request to be sent: its body and its place in the run.
#[derive(Debug, Clone)]
pub struct Order {
    /// Number within target and phase.
    pub index: u64,
    /// Whether it counts.
    pub phase: Phase,
    /// Its interleaving block.
    pub block: u32,
    /// Its step of a search.
    pub step: u32,
    /// Which attempt at this request.
    pub attempt: u32,
    /// Which prompt.
    pub prompt: u32,
    /// Tokens the prompt was made of, where that was counted.
    pub prompt_tokens: Option<u32>,
    /// Its place in a conversation.
    pub conversation: Option<InConversation>,
    /// Output limit asked for.
    pub max_tokens: u32,
    /// Whether that length was forced.
    pub forced_length: bool,
    /// When it was due.
    pub scheduled: Moment,
    /// The encoded body.
    pub body: Bytes,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Whether generated text is kept.
    pub keep_text: bool,
}

/// Someone who is told what happens to a request while it happens. Called between socket reads: be quick.
pub trait Watch {
    /// No kept connection is free: one is being made.
    fn connecting(&mut self) {}

    /// The request has been handed to a ready connection, about now; [`Self::answering`] knows its `start` exactly.
    fn sent(&mut self, _about: Moment) {}

    /// The head of the answer is there: the request's `start`, and the HTTP status.
    fn answering(&mut self, _start: Moment, _status: u16) {}

    /// The head of the answer as it came, before [`Self::answering`].
    fn head(&mut self, _head: Head<'_>) {}

    /// A piece of the answer's body as it came, without what frames it (chunks, HTTP/2, TLS): the read that brought it,
    /// and which read of the request that was. A frame that it completes is told after it.
    fn piece(&mut self, _bytes: &[u8], _read: Read, _number: u32) {}

    /// A frame arrived, already stamped.
    fn frame(&mut self, _event: &Event, _frame: &Frame<'_>) {}

    /// About twice a second while a stream goes on: the events since the last call, to be kept in case
    /// the process dies.
    fn partial(&mut self, _part: Partial) {}
}

/// Watches nothing.
impl Watch for () {}

/// What goes out before a request's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    /// The method.
    pub method: String,
    /// The path with its query; over HTTP/2 the whole URL.
    pub target: String,
    /// The headers in their order; without a value: it is a key.
    pub headers: Vec<(String, Option<String>)>,
}

struct Idle {
    connection: Box<Connection>,
    since: Moment,
}

impl Idle {
    /// Whether another request can go out on it `now`, as far as can be told.
    fn works(&mut self, now: Moment) -> bool {
        now - self.since < IDLE_LIMIT && self.connection.is_reusable()
    }
}

/// One target's connections, on one thread.
pub struct Client {
    connector: Connector,
    target: Target,
    endpoint: Endpoint,
    ask: Ask,
    cancel: Arc<AtomicBool>,
    idle: RefCell<Vec<Idle>>,
    /// Requests that met a kept connection which the server had closed.
    stale: Cell<u64>,
    /// Whether the server has been caught closing connections right after its answers.
    closes_at_once: Cell<bool>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("target", &self.target.name).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for one target. Setting `cancel` ends what is in flight as [`Outcome::Cancelled`],
    /// within a quarter of a second.
    pub fn new(connector: Connector, who: &Credentialed, cancel: Arc<AtomicBool>) -> Result<Self, SetupError> {
        let target = who.target.clone();
        let endpoint = Endpoint::of(&target.url)?;
        if endpoint.tls {
            connector.tls()?;
        }
        let no_host = || SetupError::NoHost(target.url.clone());
        let uri = match connector.plan().http {
            HttpChoice::Http1 => path_and_query(&target.url),
            HttpChoice::Http2 => target.url.as_str().to_owned(),
        };
        let uri: Uri = uri.parse().map_err(|_| no_host())?;
        let headers = request_headers(&target, who.key.as_ref(), connector.plan().http).ok_or_else(no_host)?;
        Ok(Self {
            connector,
            target,
            endpoint,
            ask: Ask::new(Method::POST, uri, headers),
            cancel,
            idle: RefCell::default(),
            stale: Cell::new(0),
            closes_at_once: Cell::new(false),
        })
    }

    /// The same client, whose requests go out as GETs: to see what a server says to that.
    #[must_use]
    pub fn by_get(mut self) -> Self {
        self.ask = self.ask.by(Method::GET);
        self
    }

    /// The target.
    pub const fn target(&self) -> &Target {
        &self.target
    }

    /// What goes out before the body of `order`, for people who look: as HTTP/1.1 writes it, or what HTTP/2 packs.
    /// The key is not in it.
    pub fn letterhead(&self, order: &Order) -> Letterhead {
        let text = |value: &HeaderValue| {
            (!value.is_sensitive()).then(|| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut headers: Vec<_> =
            self.ask.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        if !order.body.is_empty() {
            headers.push((CONTENT_LENGTH.as_str().to_owned(), Some(order.body.len().to_string())));
        }
        Letterhead { method: self.ask.method.to_string(), target: self.ask.uri.to_string(), headers }
    }

    /// Opens connections until `wanted` are idle, so that requests need not wait for them. Returns the
    /// set-up times of those opened; stops at the first failure.
    pub async fn warm(&self, wanted: usize) -> Result<Vec<ConnectTimes>, Failure> {
        let mut times = Vec::new();
        let now = self.connector.clock().now();
        self.idle.borrow_mut().retain_mut(|idle| idle.works(now));
        let mut missing = wanted.saturating_sub(self.idle.borrow().len());
        while missing > 0 {
            let batch = (0..missing.min(WARMING_WIDTH)).map(|_| self.connector.connect(&self.endpoint));
            for opened in futures_util::future::join_all(batch).await {
                let (connection, took) = opened?;
                times.push(took);
                self.keep(Box::new(connection), self.connector.clock().now());
                missing -= 1;
            }
        }
        Ok(times)
    }

    /// Sends one request and tells all that became of it. Never fails: a failure is an outcome.
    ///
    /// Some servers close a connection after an answer without announcing it. A request that met such
    /// a connection reached nobody: it is sent again on a new one, and its record is that of the
    /// sending that counted, with the time lost in its schedule lag.
    pub async fn send(&self, order: &Order, watch: &mut impl Watch) -> Box<Record> {
        let begun = self.connector.clock().now();
        if let Some(Idle { connection, since }) = self.idle_connection(begun) {
            let record = self.exchange(order, connection, begun, None, watch).await;
            if !met_closed_connection(&record) {
                return record;
            }
            self.stale.set(self.stale.get() + 1);
            self.closes_at_once.set(self.closes_at_once.get() || begun - since < AT_ONCE);
        }
        watch.connecting();
        match self.new_connection().await {
            Ok((connection, times)) => {
                let begun = self.connector.clock().now();
                self.exchange(order, connection, begun, Some(times), watch).await
            }
            Err(outcome) => self.unsent(order, outcome),
        }
    }

    /// Sends `order` on a ready connection, which took `connect` to make if it is new.
    async fn exchange(
        &self,
        order: &Order,
        mut connection: Box<Connection>,
        begun: Moment,
        connect: Option<ConnectTimes>,
        watch: &mut impl Watch,
    ) -> Box<Record> {
        let mut exchange = self.begin(order, begun, connect);
        let outcome = exchange.run(&mut connection, &self.ask, &self.cancel, watch).await;
        let record = exchange.into_record(Some(&connection), outcome);
        // Whether the server has closed it since is asked when it is needed again.
        if record.outcome.is_complete() && connection.outlives_answer() && !self.closes_at_once.get() {
            self.keep(connection, record.end_ns.unwrap_or(begun));
        }
        record
    }

    fn begin<'a>(&'a self, order: &'a Order, begun: Moment, connect: Option<ConnectTimes>) -> Exchange<'a> {
        Exchange::new(&self.target, order, self.connector.clock(), begun, connect, self.connector.plan())
    }

    /// The record of a request that never met a connection.
    fn unsent(&self, order: &Order, outcome: Outcome) -> Box<Record> {
        self.begin(order, self.connector.clock().now(), None).into_record(None, outcome)
    }

    /// How many requests met a kept connection that the server had closed, and were sent again.
    pub fn stale_connections(&self) -> u64 {
        self.stale.get()
    }

    /// The record of a request that was due but never sent.
    pub fn not_sent(&self, order: &Order) -> Box<Record> {
        self.unsent(order, Outcome::NotSent)
    }

    /// An idle connection that still works `now`, as far as can be told.
    fn idle_connection(&self, now: Moment) -> Option<Idle> {
        loop {
            let mut idle = self.idle.borrow_mut().pop()?;
            if idle.works(now) {
                return Some(idle);
            }
        }
    }

    /// A new connection, or how the wait for it ended.
    async fn new_connection(&self) -> Result<(Box<Connection>, ConnectTimes), Outcome> {
        let connecting = self.connector.connect(&self.endpoint);
        tokio::pin!(connecting);
        loop {
            match tokio::time::timeout(LOOK_UP, connecting.as_mut()).await {
                Ok(made) => {
                    let (connection, times) = made.map_err(Outcome::Failed)?;
                    return Ok((Box::new(connection), times));
                }
                Err(_) if self.cancel.load(Ordering::Relaxed) => return Err(Outcome::Cancelled),
                Err(_) => {}
            }
        }
    }

    fn keep(&self, connection: Box<Connection>, since: Moment) {
        self.idle.borrow_mut().push(Idle { connection, since });
    }
}

fn path_and_query(url: &url::Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// `host` or `host:port`, as it stands in a URL.
pub(crate) fn authority(url: &url::Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether the connection was closed before anything came back: then nobody saw the request.
fn met_closed_connection(record: &Record) -> bool {
    let closed = matches!(&record.outcome, Outcome::Failed(failure) if failure.class == FailureClass::ClosedEarly);
    closed && record.first_byte_ns.is_none()
}

/// What says who we are.
pub(crate) const AGENT: &str = concat!("speed-kings/", env!("CARGO_PKG_VERSION"));

/// The header that presents `key`; its value never shows in debug output.
pub(crate) fn key_header(auth: AuthScheme, key: Option<&SecretString>) -> Option<(HeaderName, HeaderValue)> {
    let key = key?.expose_secret();
    let (name, text) = match auth {
        AuthScheme::None => return None,
        AuthScheme::Bearer => (AUTHORIZATION, format!("Bearer {key}")),
        AuthScheme::XApiKey => (HeaderName::from_static("x-api-key"), key.to_owned()),
    };
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

fn request_headers(target: &Target, key: Option<&SecretString>, http: HttpChoice) -> Option<HeaderMap> {
    let accept = match target.dialect {
        Dialect::OllamaChat | Dialect::OllamaGenerate => "application/x-ndjson",
        embedding if embedding.embeds() => "application/json",
        _ => "text/event-stream",
    };
    let mut headers = HeaderMap::new();
    if http == HttpChoice::Http1 {
        headers.insert(HOST, authority(&target.url)?.parse().ok()?);
    }
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static(accept));
    for (name, value) in &target.headers {
        headers.insert(HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?);
    }
    if let Some((name, value)) = key_header(target.auth, key) {
        headers.insert(name, value);
    }
    Some(headers)
}
