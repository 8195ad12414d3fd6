//! What is kept of one request: instants and counts, nothing derived.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::Events;
use crate::target::TargetName;
use crate::text::Untrusted;
use crate::units::{Moment, Nanos};

/// Limits that a provider publishes with its answers, as they stood at this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RateLimits {
    /// Requests allowed in a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Limit>,
    /// Tokens allowed in a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Limit>,
}

impl RateLimits {
    /// Whether nothing was published.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One published limit. What was not said is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// Allowed in one window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Until it is whole again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_ns: Option<Nanos>,
}

/// A request's place in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InConversation {
    /// Which conversation of its target, in the order they were begun.
    pub conversation: u64,
    /// Its turn, from 0.
    pub turn: u32,
}

/// Whether a request counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Sent to warm connections and engine up; kept, never counted.
    Warmup,
    /// Counted.
    Measured,
}

/// The HTTP version a request went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[serde(rename = "http/1.1")]
    Http1,
    /// HTTP/2.
    #[serde(rename = "h2")]
    Http2,
}

/// Setting a connection up: reported apart, never inside TTFT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ConnectTimes {
    /// Looking the name up; absent for a literal address or a cached answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_ns: Option<Nanos>,
    /// TCP handshake, a proxy's CONNECT included.
    pub tcp_ns: Nanos,
    /// TLS handshake; absent on plain connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ns: Option<Nanos>,
}

impl ConnectTimes {
    /// DNS + TCP + TLS.
    pub fn total(&self) -> Nanos {
        self.dns_ns.unwrap_or_default() + self.tcp_ns + self.tls_ns.unwrap_or_default()
    }
}

/// Token counts as the server reported them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Prompt tokens, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Generated tokens, reasoning included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Prompt tokens taken from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_tokens: Option<u64>,
    /// Generated tokens that were reasoning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_tokens: Option<u64>,
}

/// Where a token count comes from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The server's `usage`.
    ServerUsage,
    /// A local `tokenizer.json`.
    LocalTokenizer,
    /// The engine's tokenize endpoint.
    TokenizeEndpoint,
    /// The number of content events.
    ContentEvents,
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ServerUsage => "server usage",
            Self::LocalTokenizer => "local tokenizer",
            Self::TokenizeEndpoint => "tokenize endpoint",
            Self::ContentEvents => "content events",
        })
    }
}

/// The server's own account of where the time went. Each is what that server means by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerTiming {
    /// Waiting for a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_ns: Option<Nanos>,
    /// Loading the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_ns: Option<Nanos>,
    /// Reading the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefill_ns: Option<Nanos>,
    /// Generating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_ns: Option<Nanos>,
    /// The server's own TTFT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<Nanos>,
    /// All of it, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ns: Option<Nanos>,
}

impl ServerTiming {
    /// Whether the server said anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes what `later` says where it says something.
    pub fn merge(&mut self, later: &Self) {
        let pick = |old: &mut Option<Nanos>, new: Option<Nanos>| *old = new.or(*old);
        pick(&mut self.queue_ns, later.queue_ns);
        pick(&mut self.load_ns, later.load_ns);
        pick(&mut self.prefill_ns, later.prefill_ns);
        pick(&mut self.decode_ns, later.decode_ns);
        pick(&mut self.ttft_ns, later.ttft_ns);
        pick(&mut self.total_ns, later.total_ns);
    }
}

/// Why a server says it stopped generating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// End of text or a stop string.
    Stop,
    /// The output limit or the context's end.
    Length,
    /// A tool is to be called.
    ToolCalls,
    /// Withheld by a filter or refused.
    ContentFilter,
    /// The server says it failed.
    Error,
    /// A reason we have no word for.
    Other,
    /// The stream ended properly without giving one.
    Unsaid,
}

/// The ways a request can fail, each its own class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The name could not be resolved.
    Dns,
    /// Nobody listens there.
    ConnectRefused,
    /// The connection could not be made for another reason (unreachable, reset, out of ports).
    ConnectFailed,
    /// The connection was not made within its limit.
    ConnectTimeout,
    /// The proxy refused or failed.
    Proxy,
    /// The TLS handshake failed.
    Tls,
    /// The server closed or reset the connection before it answered.
    ClosedEarly,
    /// No content within the first-token limit.
    FirstTokenTimeout,
    /// A gap between events longer than its limit.
    Stalled,
    /// Longer than the total limit.
    TotalTimeout,
    /// 400, 413, 422 and the like: the request was refused.
    BadRequest,
    /// 401: the key is missing or wrong.
    Unauthorized,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: no such path or model.
    NotFound,
    /// 402, or a 429 that says the quota or credit is used up: waiting does not help.
    QuotaExhausted,
    /// 429: throttled. Neither failure nor latency of the server.
    RateLimited,
    /// 503 or 529: no capacity now.
    Overloaded,
    /// Another 5xx.
    ServerError,
    /// A status that fits no other class, redirects included.
    UnexpectedStatus,
    /// An error object inside a 200 stream.
    ErrorInStream,
    /// Bytes that are not the protocol.
    Malformed,
    /// The stream broke off.
    Truncated,
    /// A proper end with no content at all.
    Empty,
    /// A header, line, event or body larger than its bound.
    TooLarge,
}

impl FailureClass {
    /// No connection came to an answer: nobody is there, or nobody who speaks.
    pub const fn is_unreachable(self) -> bool {
        matches!(
            self,
            Self::Dns
                | Self::ConnectRefused
                | Self::ConnectFailed
                | Self::ConnectTimeout
                | Self::Proxy
                | Self::Tls
                | Self::ClosedEarly
        )
    }

    /// Throttling: counted apart from failures.
    pub const fn is_throttling(self) -> bool {
        matches!(self, Self::RateLimited)
    }

    /// Whether it may pass by itself and at no charge: a server that was not reached, that had no room, or that broke
    /// before it said anything.
    ///
    /// Time limits of ours are none of these, as the server may be at work still; nor is an error inside a stream, which
    /// may well be about the request.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::ConnectRefused
                | Self::ConnectFailed
                | Self::ConnectTimeout
                | Self::ClosedEarly
                | Self::RateLimited
                | Self::Overloaded
                | Self::ServerError
                | Self::Truncated
        )
    }

    /// What a person calls it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Dns => "name not found",
            Self::ConnectRefused => "connection refused",
            Self::ConnectFailed => "connection failed",
            Self::ConnectTimeout => "connection timed out",
            Self::Proxy => "proxy failed",
            Self::Tls => "TLS failed",
            Self::ClosedEarly => "closed before answering",
            Self::FirstTokenTimeout => "no first token in time",
            Self::Stalled => "stalled",
            Self::TotalTimeout => "took too long",
            Self::BadRequest => "request refused",
            Self::Unauthorized => "key missing or wrong",
            Self::Forbidden => "not allowed",
            Self::NotFound => "not found",
            Self::QuotaExhausted => "quota used up",
            Self::RateLimited => "rate limited",
            Self::Overloaded => "overloaded",
            Self::ServerError => "server error",
            Self::UnexpectedStatus => "unexpected status",
            Self::ErrorInStream => "error in stream",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::Empty => "empty answer",
            Self::TooLarge => "too large",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.in_words())
    }
}

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The class it is counted under.
    pub class: FailureClass,
    /// What was said about it, by the server or the system; bounded.
    pub message: Untrusted,
    /// How long the server asked us to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ns: Option<Nanos>,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A proper end with content.
    Complete {
        /// Why the server stopped.
        finish: FinishReason,
    },
    /// It failed.
    Failed(Failure),
    /// Due, but no place was free, or its time was over before it could leave: never sent, and a miss for every SLO.
    NotSent,
    /// We cancelled it, under way or before it left: interrupted, cut short, or over the grace period.
    Cancelled,
    /// In flight when the process died; what had arrived is kept.
    Interrupted,
}

impl Outcome {
    /// Whether its latency counts.
    pub const fn is_complete(&self) -> bool {
        matches!(self, Self::Complete { .. })
    }
}

/// Token counts of one request, with their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenCounts {
    /// Prompt tokens, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Generated tokens.
    pub output: u64,
    /// Where `output` comes from.
    pub source: TokenSource,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// One request: all that is kept of it. Instants are nanoseconds of the run's monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// Number within its target and phase, from 0, in the order of the schedule.
    pub index: u64,
    /// Whom it asked.
    pub target: TargetName,
    /// Whether it counts.
    pub phase: Phase,
    /// The interleaving block it belongs to; equal numbers of different targets are neighbours in time.
    pub block: u32,
    /// The step of a search it belongs to.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub step: u32,
    /// Which attempt at this request: 0 the first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// Which prompt of the workload.
    pub prompt: u32,
    /// Tokens that its prompt was made of, where that was counted here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<u32>,
    /// Its place in a conversation, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<InConversation>,
    /// Output limit asked for.
    pub max_tokens: u32,
    /// Whether the output length was forced to be exactly that.
    pub forced_length: bool,
    /// When the load model wanted it to start; the same for every attempt at it.
    pub scheduled_ns: Moment,
    /// The connection's set-up, when a new one was needed after `scheduled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<ConnectTimes>,
    /// What it went over; absent when it never got that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpVersion>,
    /// Just before its first byte was handed to the transport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ns: Option<Moment>,
    /// The kernel's transmit time of the request's last byte, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ns: Option<Moment>,
    /// Arrival of the first byte of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_ns: Option<Moment>,
    /// Arrival of the complete response head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers_ns: Option<Moment>,
    /// When it was over: stream ended, failed or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ns: Option<Moment>,
    /// HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The server's id of the request, for its support desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Untrusted>,
    /// Bytes of the request body.
    pub request_bytes: u64,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
    /// Socket reads that brought the answer.
    pub reads: u32,
    /// Every streamed piece.
    pub events: Events,
    /// Token counts as the server reported them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Token counts as reports use them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<TokenCounts>,
    /// The server's own timings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerTiming>,
    /// The limits its answer published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<RateLimits>,
    /// A 64-bit FNV-1a hash of the generated text, in hex: equal answers are equal here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_hash: Option<String>,
    /// The generated text, one piece an event, where keeping it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Vec<Untrusted>>,
    /// How it ended.
    pub outcome: Outcome,
}

impl Record {
    /// A measured request that was due at `scheduled_ns` and never sent: what is known of one before anything happens.
    pub fn not_sent(target: TargetName, index: u64, scheduled_ns: Moment) -> Self {
        Self {
            index,
            target,
            phase: Phase::Measured,
            block: 0,
            step: 0,
            attempt: 0,
            prompt: 0,
            prompt_tokens: None,
            conversation: None,
            max_tokens: 0,
            forced_length: false,
            scheduled_ns,
            connect: None,
            http: None,
            start_ns: None,
            sent_ns: None,
            first_byte_ns: None,
            headers_ns: None,
            end_ns: None,
            status: None,
            request_id: None,
            request_bytes: 0,
            response_bytes: 0,
            reads: 0,
            events: Events::default(),
            usage: None,
            tokens: None,
            server: None,
            limits: None,
            output_hash: None,
            output: None,
            outcome: Outcome::NotSent,
        }
    }
}

/// A part of a request still in flight, written about twice a second so that a crash loses no more.
/// Parts of one request concatenate; the finished [`Record`] replaces them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Partial {
    /// As in [`Record`].
    pub index: u64,
    /// As in [`Record`].
    pub target: TargetName,
    /// As in [`Record`].
    pub phase: Phase,
    /// As in [`Record`].
    pub block: u32,
    /// As in [`Record`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub step: u32,
    /// As in [`Record`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// As in [`Record`].
    pub prompt: u32,
    /// As in [`Record`].
    pub scheduled_ns: Moment,
    /// As in [`Record`].
    pub start_ns: Moment,
    /// The events since the part before.
    pub events: Events,
}
