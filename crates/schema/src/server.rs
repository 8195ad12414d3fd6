//! What servers say of themselves on their metrics pages, in one vocabulary whatever the engine.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::Metric;
use crate::text::Untrusted;
use crate::units::{Moment, Nanos};

/// A histogram as Prometheus exposes it, cumulative since the server's start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// Upper bounds of the buckets in the metric's base unit, ascending, without the infinite one.
    pub bounds: Vec<f64>,
    /// Values at or below each bound, cumulative.
    pub counts: Vec<u64>,
    /// All values.
    pub count: u64,
    /// Their sum, in the metric's base unit.
    pub sum: f64,
}

/// One GPU at one instant.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GpuSample {
    /// Its number or UUID, as the exporter says.
    pub gpu: String,
    /// Share of the time a kernel ran, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<f64>,
    /// Watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<f64>,
    /// Joules since the driver was loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_j: Option<f64>,
    /// Bytes of its memory in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_used_bytes: Option<u64>,
}

macro_rules! counters {
    ($($variant:ident, $key:literal, $doc:literal;)*) => {
        /// A quantity that only grows while a server lives.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Counter { $(#[doc = $doc] #[serde(rename = $key)] $variant,)* }
    };
}

counters! {
    PromptTokens, "prompt_tokens", "Prompt tokens, cached ones included where the engine counts them.";
    GeneratedTokens, "generated_tokens", "Tokens generated.";
    PrefixQueriedTokens, "prefix_queried_tokens", "Prompt tokens looked up in the prefix cache.";
    PrefixHitTokens, "prefix_hit_tokens", "Prompt tokens found there.";
    Preemptions, "preemptions", "Requests put back into the queue for want of memory.";
    Requests, "requests", "Requests ended.";
    PrefillSeconds, "prefill_seconds", "Seconds spent reading prompts, where only their sum is known.";
    DecodeSeconds, "decode_seconds", "Seconds spent generating, where only their sum is known.";
}

/// One reading of a target's metrics.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServerSample {
    /// Arrival of the page on the run's time axis.
    pub at_ns: Moment,
    /// From asking to the whole page.
    pub took_ns: Nanos,
    /// Whose vocabulary it was: `vllm`, `sglang`, `tgi`, `llamacpp`, `trtllm`. Empty: none we know.
    pub engine: String,
    /// Why the page could not be read, where it could not; then there is nothing else in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Untrusted>,
    /// Requests being worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<f64>,
    /// Requests waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// Share of the KV cache in use, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_usage: Option<f64>,
    /// What only grows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<Counter, f64>,
    /// Distributions by the metric they correspond to: TTFT (`server_ttft_ns`), queue, prefill, decode, total
    /// (`server_total_ns`), ITL (`itl_ns`) and TPOT (`tpot_ns`); nanoseconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub histograms: BTreeMap<Metric, Histogram>,
    /// GPUs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuSample>,
}

/// A gauge over the measured time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// Time average.
    pub mean: f64,
    /// Largest value seen.
    pub max: f64,
}

/// One quantity by both clocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BothSides {
    /// What is compared, by the client's name.
    pub metric: Metric,
    /// The client's mean, base unit.
    pub client_mean: f64,
    /// The client's median.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_p50: Option<f64>,
    /// The server's mean over the same time.
    pub server_mean: f64,
    /// The server's median, as fine as its buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_p50: Option<f64>,
    /// Values behind the server's figures.
    pub server_n: u64,
    /// What the difference consists of, in words and numbers.
    pub why: String,
}

/// A time by the server's clock alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerTime {
    /// Values behind it.
    pub n: u64,
    /// Mean, nanoseconds.
    pub mean: f64,
    /// Median, as fine as the server's buckets; absent where it lies in the first of them or beyond the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<f64>,
}

/// A target by its own account, over the measured time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerSide {
    /// Whose vocabulary.
    pub engine: String,
    /// Readings.
    pub samples: u64,
    /// Readings that failed.
    pub failed: u64,
    /// Requests being worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<Level>,
    /// Requests waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Level>,
    /// Share of the KV cache in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv_usage: Option<Level>,
    /// Growth of the counters over the measured time.
    pub counters: BTreeMap<Counter, f64>,
    /// Prefix-cache hits ÷ tokens looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_hit_share: Option<f64>,
    /// Share of the time the GPUs ran a kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_busy: Option<Level>,
    /// Watts, all GPUs together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_power_w: Option<Level>,
    /// Joules of all GPUs over the measured time ÷ output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joules_per_output_token: Option<f64>,
    /// Times by the server's clock: queue, prefill, decode and whatever else it exposes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub times: BTreeMap<Metric, ServerTime>,
    /// Their clock beside ours.
    pub both_sides: Vec<BothSides>,
    /// What a reader must know: a restart, other traffic on the server, a page that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
