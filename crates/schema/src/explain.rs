//! One recording read under the definitions of several tools: which figure moves, by how much, and why.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::Unit;
use crate::target::TargetName;

macro_rules! tools {
    ($($variant:ident, $key:literal, $heading:literal, $version:literal, $doc:literal;)*) => {
        /// Whose definitions a recording is read under.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Tool { $(#[doc = $doc] #[serde(rename = $key)] $variant,)* }

        impl Tool {
            /// All of them, in the order reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name on disk.
            pub const fn key(self) -> &'static str { match self { $(Self::$variant => $key),* } }

            /// What people call it.
            pub const fn heading(self) -> &'static str { match self { $(Self::$variant => $heading),* } }

            /// Which version its definitions were read in.
            pub const fn version(self) -> &'static str { match self { $(Self::$variant => $version),* } }
        }
    };
}

tools! {
    VllmBench, "vllm-bench", "vLLM bench", "main", "`vllm bench serve`.";
    GuideLlm, "guidellm", "GuideLLM", "0.7.3", "`guidellm benchmark`.";
    AiPerf, "aiperf", "AIPerf", "0.13", "`aiperf profile`.";
    InferencePerf, "inference-perf", "inference-perf", "0.6.1", "`inference-perf`, of Kubernetes.";
    GenAiBench, "genai-bench", "genai-bench", "main", "`genai-bench benchmark`.";
    LlmPerf, "llmperf", "llmperf", "main", "Ray's `llmperf`.";
}

macro_rules! quantities {
    ($($variant:ident, $key:literal, $heading:literal, $unit:ident, $doc:literal;)*) => {
        /// A figure that tools print. The serialised name carries the unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Quantity { $(#[doc = $doc] #[serde(rename = $key)] $variant,)* }

        impl Quantity {
            /// All of them, in the order reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name on disk, with its unit.
            pub const fn key(self) -> &'static str { match self { $(Self::$variant => $key),* } }

            /// Heading for people.
            pub const fn heading(self) -> &'static str { match self { $(Self::$variant => $heading),* } }

            /// Its unit.
            pub const fn unit(self) -> Unit { match self { $(Self::$variant => Unit::$unit),* } }
        }
    };
}

quantities! {
    TtftMean, "ttft_mean_ns", "TTFT mean", Nanos, "Mean time to the first token.";
    TtftP50, "ttft_p50_ns", "TTFT p50", Nanos, "Median time to the first token.";
    TtftP95, "ttft_p95_ns", "TTFT p95", Nanos, "95th percentile of the time to the first token.";
    ItlMean, "itl_mean_ns", "ITL mean", Nanos, "Mean of what is called inter-token latency.";
    ItlP50, "itl_p50_ns", "ITL p50", Nanos, "Median of what is called inter-token latency.";
    TpotMean, "tpot_mean_ns", "TPOT mean", Nanos, "Mean of what is called time per output token.";
    TpotP50, "tpot_p50_ns", "TPOT p50", Nanos, "Median of what is called time per output token.";
    OutputTokens, "output_tokens_mean", "Output tokens", Tokens, "Mean output tokens of a request.";
    OutputTokensPerS, "output_tokens_per_s", "Output tokens/s", TokensPerSecond, "Output tokens per second, all requests together.";
}

/// One thing in which definitions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Which requests count: with or without the start-up.
    Requests,
    /// When the clock of a request starts: before connecting, or on a ready connection.
    Start,
    /// Which events carry a token: any, those with content, those with an answer.
    Events,
    /// Who stamps an arrival: the kernel, or the program once it has read it.
    Clock,
    /// What ends an answer: its last token, or the end of its stream.
    End,
    /// What counts as an output token, and by whose word.
    Tokens,
    /// What inter-token latency is.
    Itl,
    /// What time per output token is.
    Tpot,
    /// Which answers are left out.
    Drops,
    /// Over which time a rate is taken.
    Window,
}

/// A rule that moves a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Which.
    pub rule: Rule,
    /// What it does to our figure when nothing else is changed: theirs ÷ ours − 1; absent when ours is zero, or it
    /// leaves nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
    /// Why, in one sentence without a full stop, with what the recording shows of it.
    pub why: String,
}

/// One figure as one tool would print it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// Which.
    pub quantity: Quantity,
    /// In the quantity's unit; absent where the tool prints none, or the sample does not carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// This ÷ ours − 1; absent without both, or when ours is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<f64>,
    /// What moves it, the largest first; empty when it does not move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
}

/// All figures under one tool's definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Whose definitions.
    pub tool: Tool,
    /// One a [`Quantity`], in their order.
    pub figures: Vec<Figure>,
    /// What stands in for what the recording does not hold, and where versions of the tool differ: one sentence each,
    /// without a full stop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One target's recording under several definitions. All are of the same requests, so a difference between them is
/// one of definition alone and has no interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Explanation {
    /// Whose recording.
    pub target: TargetName,
    /// The run it is of.
    pub run: String,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// Completed requests, start-up included.
    pub requests: u64,
    /// The same figures by our definitions.
    pub ours: Vec<Figure>,
    /// One a [`Tool`], in their order.
    pub readings: Vec<Reading>,
}
