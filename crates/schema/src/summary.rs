//! Numbers made of records, by `stats`; shown by `report`, kept by `store`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::curve::Curve;
use crate::metric::Metric;
use crate::plan::Slo;
use crate::record::{FailureClass, FinishReason, RateLimits, TokenSource};
use crate::server::ServerSide;
use crate::target::TargetName;
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
    /// What a reader must know when comparing: unlike token sources, unlike lengths.
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

macro_rules! criteria {
    ($($variant:ident, $key:literal, $heading:literal, $best:literal, $higher:literal, $doc:literal;)*) => {
        /// What targets are ranked by. The serialised name carries the unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub enum Criterion { $(#[doc = $doc] #[serde(rename = $key)] $variant,)* }

        impl Criterion {
            /// All of them, in the order reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Heading for people: `TTFT p50`.
            pub const fn heading(self) -> &'static str { match self { $(Self::$variant => $heading),* } }

            /// What the first of the ranking has: `fastest TTFT p50`.
            pub const fn best(self) -> &'static str { match self { $(Self::$variant => $best),* } }

            /// Whether more is better.
            pub const fn higher_is_better(self) -> bool { match self { $(Self::$variant => $higher),* } }
        }
    };
}

criteria! {
    TtftP50, "ttft_p50_ns", "TTFT p50", "fastest TTFT p50", false, "Median TTFT.";
    TtftP95, "ttft_p95_ns", "TTFT p95", "fastest TTFT p95", false, "95th percentile of TTFT.";
    TpotP50, "tpot_p50_ns", "TPOT p50", "fastest TPOT p50", false, "Median TPOT.";
    E2eP50, "e2e_p50_ns", "E2E p50", "fastest E2E p50", false, "Median E2E.";
    OutputTokensPerS, "output_tokens_per_s", "Output tokens/s", "most output tokens/s", true, "Output tokens per second, all streams together; closed loop only, as an open loop carries what it is offered.";
    SuccessRate, "success_rate", "Success rate", "highest success rate", true, "completed ÷ (attempted − rate-limited), 0 to 1.";
    CostPer1kRequests, "cost_per_1k_requests_usd", "Cost per 1k requests", "lowest cost per 1k requests", false, "US dollars for a thousand completed requests.";
}

/// How two targets are told apart. Each takes requests (or blocks) as independent: it speaks for the
/// conditions of this run and not for another day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Mann–Whitney U of the requests' values, with tie correction: whether the requests of one are
    /// faster more often than not.
    MannWhitney,
    /// The intervals, widened to hold for all targets at once with 95 %, do not overlap. Conservative: a
    /// small difference needs more requests than a test would.
    Intervals,
    /// Welch's t of the means, or of the rates over blocks.
    Welch,
    /// Fisher's exact test of completed and other requests.
    Fisher,
}

/// One target in the order of one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// Who.
    pub target: TargetName,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// Values behind the estimate: requests, or blocks for a rate.
    pub n: u64,
    /// What was measured, in the criterion's unit; absent when there is not enough data to rank it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// How two targets differ, and whether that is certain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairVerdict {
    /// The one with the better estimate.
    pub better: TargetName,
    /// The other.
    pub worse: TargetName,
    /// A simulated target against a real one: says nothing about the real one.
    pub simulated_with_real: bool,
    /// The worse estimate ÷ the better − 1; absent when the better is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// Share of pairs of one request each in which the better target's is better, ties counting half;
    /// 0.5 is no difference. Mann–Whitney only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superiority: Option<f64>,
    /// Two-sided p-value; absent where intervals are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The same after Holm's correction over all pairs of the criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// Whether the difference is certain: at most one run in twenty in which nothing differs calls any
    /// pair of a criterion certain.
    pub certain: bool,
}

/// What the ranking by one criterion comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RankVerdict {
    /// One is certainly better than every other that has enough data.
    Leader(TargetName),
    /// The first, and those that are not certainly worse.
    TooCloseToCall(Vec<TargetName>),
    /// Fewer than two targets can be ranked.
    NotEnoughData,
}

/// All targets ranked by one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranking {
    /// By what.
    pub criterion: Criterion,
    /// How they are told apart.
    pub test: Test,
    /// Best first; those without enough data last.
    pub standings: Vec<Standing>,
    /// Every pair with enough data: the first with each below it, then the second…
    pub pairs: Vec<PairVerdict>,
    /// What it comes to.
    pub verdict: RankVerdict,
}

/// The targets of a run against each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// [`crate::FORMAT_VERSION`].
    pub format_version: u32,
    /// The run's name.
    pub name: String,
    /// Whether any target was simulated.
    pub simulated: bool,
    /// One ranking a criterion that at least one target has values for.
    pub rankings: Vec<Ranking>,
    /// What a reader must know when comparing: simulated with real, unlike lengths, a client at its limit.
    pub warnings: Vec<String>,
}
