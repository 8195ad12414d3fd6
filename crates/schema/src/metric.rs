//! The names of what is measured, with their units.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A unit, for showing and for field names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Nanos,
    /// Tokens.
    Tokens,
    /// Tokens per second.
    TokensPerSecond,
}

macro_rules! metrics {
    ($($variant:ident, $key:literal, $short:literal, $heading:literal, $unit:ident, $higher:literal, $doc:literal;)*) => {
        /// A quantity with one value per request (ITL: per gap). Definitions as in the design; the
        /// serialised name carries the unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Metric { $(#[doc = $doc] #[serde(rename = $key)] $variant,)* }

        impl Metric {
            /// All of them, in the order reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name on disk, with its unit: `ttft_ns`.
            pub const fn key(self) -> &'static str { match self { $(Self::$variant => $key),* } }

            /// Name in flags and SLOs, without a unit: `ttft`.
            pub const fn short(self) -> &'static str { match self { $(Self::$variant => $short),* } }

            /// Heading for people: `TTFT`.
            pub const fn heading(self) -> &'static str { match self { $(Self::$variant => $heading),* } }

            /// Its unit.
            pub const fn unit(self) -> Unit { match self { $(Self::$variant => Unit::$unit),* } }

            /// Whether more is better.
            pub const fn higher_is_better(self) -> bool { match self { $(Self::$variant => $higher),* } }

            /// What it is, in one line.
            pub const fn definition(self) -> &'static str { match self { $(Self::$variant => $doc),* } }
        }
    };
}

metrics! {
    Ttft, "ttft_ns", "ttft", "TTFT", Nanos, false, "Arrival of the first event with generated content − start.";
    TtftFromSchedule, "ttft_from_schedule_ns", "ttft_from_schedule", "TTFT from schedule", Nanos, false, "Arrival of the first event with generated content − scheduled: free of coordinated omission.";
    TtftVisible, "ttft_visible_ns", "ttft_visible", "TTFT visible", Nanos, false, "Arrival of the first answer text, after reasoning, − start.";
    E2e, "e2e_ns", "e2e", "E2E", Nanos, false, "Arrival of the last content event − start.";
    Itl, "itl_ns", "itl", "ITL", Nanos, false, "Gap between consecutive content events; an event with k tokens counts once.";
    Tpot, "tpot_ns", "tpot", "TPOT", Nanos, false, "(Last − first content arrival) ÷ (output tokens − 1), one value per request.";
    OutputSpeed, "output_speed_tokens_per_s", "output_speed", "Output speed", TokensPerSecond, true, "1 ÷ TPOT: tokens per second as one user sees it.";
    Jitter, "jitter_ns", "jitter", "Jitter", Nanos, false, "Standard deviation of the ITL of one request.";
    Stall, "stall_ns", "stall", "Stall", Nanos, false, "The longest gap between content events of one request.";
    OutputTokens, "output_tokens", "output_tokens", "Output tokens", Tokens, true, "Generated tokens, reasoning included.";
    InputTokens, "input_tokens", "input_tokens", "Input tokens", Tokens, false, "Prompt tokens, cached ones included.";
    Connect, "connect_ns", "connect", "Connect", Nanos, false, "DNS, TCP and TLS of requests that needed a new connection.";
    ScheduleLag, "schedule_lag_ns", "schedule_lag", "Schedule lag", Nanos, false, "start − scheduled − connect: our own lateness in sending.";
    ClientLag, "client_lag_ns", "client_lag", "Client lag", Nanos, false, "User-space read − kernel arrival of content events: our own lateness in reading.";
    SendLag, "send_lag_ns", "send_lag", "Send lag", Nanos, false, "Kernel transmit time of the request − start: what our own stack adds before the wire.";
    ServerQueue, "server_queue_ns", "server_queue", "Server queue", Nanos, false, "Waiting for a place, by the server's word.";
    ServerPrefill, "server_prefill_ns", "server_prefill", "Server prefill", Nanos, false, "Reading the prompt, by the server's word.";
    ServerDecode, "server_decode_ns", "server_decode", "Server decode", Nanos, false, "Generating, by the server's word.";
    ServerTtft, "server_ttft_ns", "server_ttft", "Server TTFT", Nanos, false, "The server's own TTFT, or queue + load + prefill where it gives only those.";
    ServerTotal, "server_total_ns", "server_total", "Server total", Nanos, false, "All of it, by the server's clock.";
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.heading())
    }
}

/// A name that is no metric.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is not a metric")]
#[diagnostic(
    code(schema::metric),
    help("use one of ttft, ttft_from_schedule, ttft_visible, e2e, itl, tpot, output_speed, jitter, stall")
)]
pub struct MetricError(pub String);

impl FromStr for Metric {
    type Err = MetricError;

    fn from_str(text: &str) -> Result<Self, MetricError> {
        let found = Self::ALL.iter().find(|m| m.short() == text || m.key() == text);
        found.copied().ok_or_else(|| MetricError(text.chars().take(80).collect()))
    }
}
