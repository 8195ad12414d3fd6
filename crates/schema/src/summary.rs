//! Numbers made of records, by `stats`; shown by `report`, kept by `store`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::comparison::Comparison;
use crate::conversation::Conversations;
use crate::curve::Curve;
use crate::insight::Insight;
use crate::metric::Metric;
use crate::plan::Slo;
use crate::record::{FailureClass, FinishReason, RateLimits, TokenSource};
use crate::server::ServerSide;
use crate::target::TargetName;
use crate::text::Untrusted;
use crate::units::{Nanos, Usd};

/// A value with its 95 % interval, in the metric's base unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Lower end of the 95 % interval; absent where one cannot be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// A percentile, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Percentile {
    /// The sample supports it.
    Known(Estimate),
    /// It does not.
    Withheld {
        /// Values still needed before it can be given.
        needs_more: u64,
    },
}

impl Percentile {
    /// The estimate, where there is one.
    pub const fn known(&self) -> Option<&Estimate> {
        match self {
            Self::Known(estimate) => Some(estimate),
            Self::Withheld { .. } => None,
        }
    }
}

/// How one metric is distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Values.
    pub n: u64,
    /// Mean.
    pub mean: Estimate,
    /// Standard deviation (n − 1); absent for a single value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<Estimate>,
    /// Smallest.
    pub min: f64,
    /// 50th percentile.
    pub p50: Percentile,
    /// 90th percentile.
    pub p90: Percentile,
    /// 95th percentile.
    pub p95: Percentile,
    /// 99th percentile.
    pub p99: Percentile,
    /// Largest.
    pub max: f64,
}

/// Whether an SLO was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SloStatus {
    /// Met, and the interval lies within the bound.
    Met,
    /// Missed, and the interval lies beyond the bound.
    Missed,
    /// The interval spans the bound, or there are too few values.
    Undecided,
}

/// One SLO and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloVerdict {
    /// The bound.
    pub slo: Slo,
    /// What was measured, in the metric's base unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Estimate>,
    /// Share of attempted requests that met the bound one by one; failed and unsent ones did not.
    pub share: f64,
    /// The verdict.
    pub status: SloStatus,
    /// The verdict in words, with what more data would be needed.
    pub why: String,
}

/// Amounts per second over the measured window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Throughput {
    /// Length of the measured window: the blocks' spans, first start to last end, added up.
    pub window_ns: Nanos,
    /// Requests offered per second: scheduled ÷ window (open loop only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_requests_per_s: Option<f64>,
    /// Completed requests per second.
    pub requests_per_s: Estimate,
    /// Output tokens per second, all streams together.
    pub output_tokens_per_s: Estimate,
    /// Input tokens per second; absent when no count is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens_per_s: Option<f64>,
    /// Mean number of requests in flight (time average).
    pub mean_in_flight: f64,
    /// Requests per second that met every SLO; absent without SLOs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goodput_requests_per_s: Option<f64>,
}

/// What it cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// All measured requests; failed ones that reported usage included.
    pub total_usd: Usd,
    /// Warm-up requests.
    pub warmup_usd: Usd,
    /// Per thousand completed requests.
    pub per_1k_requests_usd: Usd,
    /// Output tokens for a dollar; absent when it cost nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_per_usd: Option<f64>,
    /// 95 % interval of the cost of one completed request, US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_request_usd: Option<Estimate>,
}

/// A check that must hold between numbers that were measured apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossCheck {
    /// What is compared: `little's law`, `token sums`, `client TTFT ≥ server TTFT`.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// Both sides, in words and numbers.
    pub detail: String,
}

/// How far the figures can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The client was not the limit and the sample supports what is printed.
    Trustworthy,
    /// The sample is too small for what was asked.
    TooFewSamples,
    /// The client, not the server, shaped the figures.
    ClientLimited,
    /// Nothing completed.
    NoData,
}

impl Trust {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Trustworthy => "trustworthy",
            Self::TooFewSamples => "too few samples",
            Self::ClientLimited => "client-limited",
            Self::NoData => "no data",
        }
    }
}

/// A verdict on the run itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// The verdict.
    pub trust: Trust,
    /// Why, one sentence each, numbers included.
    pub reasons: Vec<String>,
}

/// The beginning of a measurement that was not yet like the rest: found by MSER-5 (White, 1997) in the TTFT of
/// completed requests, in order of their start, and kept out of every distribution and rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Startup {
    /// Requests that it holds.
    pub requests: u64,
    /// From the first request's start to the first of the steady ones'.
    pub length_ns: Nanos,
    /// Median TTFT of its requests, nanoseconds.
    pub ttft_p50_ns: f64,
    /// Median TTFT of the steady ones.
    pub steady_ttft_p50_ns: f64,
}

/// This machine's own floor: the same load shape against the built-in engine, which answers at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    /// The load it was asked to carry, in words.
    pub load: String,
    /// Requests that completed.
    pub requests: u64,
    /// Median TTFT against an engine that answers at once.
    pub ttft_p50_ns: f64,
    /// Its 99th percentile, where the sample carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_p99_ns: Option<f64>,
    /// Median ITL error against the engine's own log of what it wrote when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub itl_error_p50_ns: Option<f64>,
    /// Its 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub itl_error_p99_ns: Option<f64>,
    /// Requests per second that this machine, engine included, can carry in this shape.
    pub most_requests_per_s: f64,
    /// Events per second that it can carry.
    pub most_events_per_s: f64,
}

/// What was said most often of the failures of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureReason {
    /// The words of the server or the system, on one line; bounded.
    pub message: Untrusted,
    /// Failures of which that was said; numbers and ids within it may differ.
    pub requests: u64,
}

/// All numbers of one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetSummary {
    /// Whose.
    pub target: TargetName,
    /// The provider's id.
    pub provider: String,
    /// The model's id at this provider.
    pub model: String,
    /// Measured from a simulated engine: shown as SIMULATED everywhere.
    pub simulated: bool,
    /// Requests that were due in the measured phase.
    pub attempted: u64,
    /// Those that completed.
    pub completed: u64,
    /// completed ÷ (attempted − rate-limited), 0 to 1.
    pub success_rate: f64,
    /// Failures by class.
    pub failures: BTreeMap<FailureClass, u64>,
    /// The most frequent reason of each class of failures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failure_reasons: BTreeMap<FailureClass, FailureReason>,
    /// Due but never sent.
    pub not_sent: u64,
    /// Cancelled by us.
    pub cancelled: u64,
    /// In flight when the process died.
    pub interrupted: u64,
    /// Why completed requests ended.
    pub finish_reasons: BTreeMap<FinishReason, u64>,
    /// Warm-up requests, which count nowhere else.
    pub warmup: u64,
    /// Further attempts at requests that had failed, each a record; latencies are those of the last.
    #[serde(default)]
    pub retries: u64,
    /// Requests of an open loop that waited for a place before they were sent.
    #[serde(default)]
    pub waited: u64,
    /// The start-up burst, where one was found; it counts in no other number but `attempted` and its kin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<Startup>,
    /// The limits the provider published last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<RateLimits>,
    /// By its own account, where it has a metrics page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_side: Option<ServerSide>,
    /// What its requests show beside their figures; absent where none completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insight: Option<Insight>,
    /// One distribution a metric; a metric without values is absent.
    pub metrics: BTreeMap<Metric, Distribution>,
    /// Rates.
    pub throughput: Throughput,
    /// SLOs.
    pub slos: Vec<SloVerdict>,
    /// Output tokens of completed requests.
    pub output_tokens: u64,
    /// Input tokens of completed requests, where known.
    pub input_tokens: u64,
    /// Of these, taken from a cache by the server's word.
    pub cached_input_tokens: u64,
    /// Mean output tokens per content event.
    pub tokens_per_event: f64,
    /// Completed requests whose output length was not the one asked for.
    pub off_length: u64,
    /// Where token counts came from, with how many requests each.
    pub token_sources: BTreeMap<TokenSource, u64>,
    /// Share of content events stamped by the kernel, 0 to 1.
    pub kernel_stamped: f64,
    /// Share of content events that shared a socket read: their gaps are upper bounds of arrival.
    pub shared_reads: f64,
    /// What it cost; absent without a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// What its conversations came to, where facts were told in them and asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversations: Option<Conversations>,
    /// Checks that must hold.
    pub cross_checks: Vec<CrossCheck>,
    /// How far to trust it.
    pub quality: Quality,
    /// What a reader must know besides: stale price, cached prompts, short answers.
    pub warnings: Vec<String>,
}

/// All numbers of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// [`crate::FORMAT_VERSION`].
    pub format_version: u32,
    /// The run's name.
    pub name: String,
    /// Whether any target was simulated.
    pub simulated: bool,
    /// In the plan's order.
    pub targets: Vec<TargetSummary>,
    /// The worst of the targets', with reasons.
    pub quality: Quality,
    /// What a reader must know of all targets. In what they are unlike, the comparison says.
    pub warnings: Vec<String>,
    /// The ranking; absent below two targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// One a target, where levels of load were searched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Curve>,
    /// This machine's own floor, where it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}
