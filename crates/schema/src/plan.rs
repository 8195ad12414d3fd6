//! What is to be done: validated, fully resolved, printable. A plan that exists is valid.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::{Metric, Unit};
use crate::target::Target;
use crate::units::{Nanos, Quantile, Rate, Usd};

/// A bound on a metric at a percentile, or on every request: `ttft_p95<200ms`, `output_speed_p5>30`, `e2e<2s`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Slo {
    /// What is bounded.
    pub metric: Metric,
    /// At which percentile; `None`: every single request (what goodput uses too).
    pub quantile: Option<Quantile>,
    /// The bound in the metric's base unit: nanoseconds, tokens, tokens per second. An upper bound
    /// unless the metric is better when higher.
    pub bound: f64,
}

impl Slo {
    /// Whether `value` (base unit) is within the bound.
    pub fn met_by(&self, value: f64) -> bool {
        if self.metric.higher_is_better() { value > self.bound } else { value < self.bound }
    }
}

/// Text that is not an SLO.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not an SLO: {why}")]
#[diagnostic(code(schema::slo), help("write it like `ttft_p95<200ms`, `tpot_p99<30ms` or `output_speed_p10>40`"))]
pub struct SloError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Slo {
    type Err = SloError;

    fn from_str(text: &str) -> Result<Self, SloError> {
        let fail = |why: String| SloError { text: text.chars().take(80).collect(), why };
        let at = text.find(['<', '>']).ok_or_else(|| fail("it has no `<` or `>`".into()))?;
        let (name, bound) = (text[..at].trim(), text[at + 1..].trim().trim_start_matches('='));
        let (metric, quantile) = match name.rsplit_once('_') {
            Some((metric, q)) if q.starts_with('p') && q[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                (metric, Some(q.parse::<Quantile>().map_err(|e| fail(e.to_string()))?))
            }
            _ => (name, None),
        };
        let metric: Metric = metric.parse().map_err(|e: crate::metric::MetricError| fail(e.to_string()))?;
        if metric.higher_is_better() != text[at..].starts_with('>') {
            let sign = if metric.higher_is_better() { '>' } else { '<' };
            return Err(fail(format!("`{}` is bounded with `{sign}`", metric.short())));
        }
        let bound = match metric.unit() {
            Unit::Nanos => bound.parse::<Nanos>().map_err(|e| fail(e.to_string()))?.0 as f64,
            Unit::Tokens | Unit::TokensPerSecond => bound
                .trim_end_matches("tokens/s")
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|b| b.is_finite() && *b >= 0.0)
                .ok_or_else(|| fail(format!("`{bound}` is not a number")))?,
        };
        Ok(Self { metric, quantile, bound })
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric.short())?;
        if let Some(q) = self.quantile {
            write!(f, "_{q}")?;
        }
        f.write_str(if self.metric.higher_is_better() { ">" } else { "<" })?;
        match self.metric.unit() {
            Unit::Nanos if self.bound >= 1e9 => write!(f, "{}s", self.bound / 1e9),
            Unit::Nanos if self.bound >= 1e6 => write!(f, "{}ms", self.bound / 1e6),
            Unit::Nanos => write!(f, "{}us", self.bound / 1e3),
            Unit::Tokens | Unit::TokensPerSecond => write!(f, "{}", self.bound),
        }
    }
}

impl TryFrom<String> for Slo {
    type Error = SloError;
    fn try_from(text: String) -> Result<Self, SloError> {
        text.parse()
    }
}

impl From<Slo> for String {
    fn from(slo: Slo) -> Self {
        slo.to_string()
    }
}

/// How arrivals of an open loop are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// Equal gaps.
    Constant,
    /// Exponential gaps, as from many independent users.
    #[default]
    Poisson,
}

/// How requests are timed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// A new request when a slot is free.
    Closed {
        /// Slots.
        concurrency: u32,
    },
    /// Arrivals at a rate, whatever happens.
    Open {
        /// Offered requests per second, for each target.
        rate_per_s: Rate,
        /// Spacing.
        arrival: Arrival,
        /// Requests in flight at most; a slot that finds no place is recorded as not sent.
        max_concurrency: u32,
    },
}

/// When a target has been measured enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// After this many requests.
    Requests(u64),
    /// After this long (summed over the target's blocks); requests in flight may finish within the grace period.
    DurationNs(Nanos),
}

/// One prompt, ready to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Prompt {
    /// Optional system message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The user's message.
    pub user: String,
    /// Output limit of this prompt; `None`: the workload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

/// Built-in prompt sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A question of about 40 tokens.
    #[default]
    Short,
    /// A task with context, about 500 tokens.
    Medium,
    /// A long document with a question, about 4,000 tokens.
    Long,
}

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "short" => Ok(Self::Short),
            "medium" => Ok(Self::Medium),
            "long" => Ok(Self::Long),
            _ => Err(format!("`{text}` is not a prompt size: use short, medium or long")),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
        })
    }
}

/// Where prompts come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptSource {
    /// A built-in set.
    BuiltIn(Size),
    /// One text, given on the command line.
    Text(String),
    /// A file: one prompt a line, or JSONL objects with `prompt`, and optionally `system` and `max_tokens`.
    File(PathBuf),
}

/// The prompts and the output lengths asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// Where prompts come from.
    pub prompts: PromptSource,
    /// Output limit of every request.
    pub max_tokens: u32,
    /// Whether to force that length where the target can.
    pub force_length: bool,
    /// Whether prompt caches are defeated.
    pub defeat_cache: bool,
    /// Sampling temperature in thousandths, where the target takes one.
    pub temperature_milli: u32,
    /// Whether answers are streamed.
    pub stream: bool,
}

/// Time limits of one request, each its own outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimeLimits {
    /// DNS, TCP and TLS together.
    pub connect_ns: Nanos,
    /// `start` to the first content.
    pub first_token_ns: Nanos,
    /// Between events.
    pub gap_ns: Nanos,
    /// `start` to the end.
    pub total_ns: Nanos,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect_ns: Nanos::from_secs(10),
            first_token_ns: Nanos::from_secs(120),
            gap_ns: Nanos::from_secs(60),
            total_ns: Nanos::from_secs(600),
        }
    }
}

/// Size bounds of one answer: hostile or broken servers end as `too_large`, not as our memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeLimits {
    /// The response head.
    pub head_bytes: u32,
    /// One event, all its lines together.
    pub event_bytes: u32,
    /// The whole body.
    pub body_bytes: u64,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self { head_bytes: 64 << 10, event_bytes: 1 << 20, body_bytes: 64 << 20 }
    }
}

/// Which HTTP version is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HttpChoice {
    /// HTTP/1.1: the finest kernel stamps.
    #[default]
    Http1,
    /// HTTP/2, one stream a connection; by ALPN over TLS, prior knowledge on plain connections.
    Http2,
}

/// How connections are made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TransportPlan {
    /// HTTP version.
    pub http: HttpChoice,
    /// Time limits.
    pub limits: TimeLimits,
    /// Size bounds.
    pub sizes: SizeLimits,
    /// TLS certificates are not verified: `--insecure`, recorded here.
    pub insecure: bool,
    /// Trust the bundled Mozilla roots, not the system's.
    pub bundled_roots: bool,
    /// Proxy for TLS targets, from `HTTPS_PROXY`, without user information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Ask the kernel for no time stamps (comparison only).
    pub user_space_stamps: bool,
}

/// Targets × workload × load, executed once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The run's name; its folder is named after it.
    pub name: String,
    /// Who is asked.
    pub targets: Vec<Target>,
    /// What is asked.
    pub workload: Workload,
    /// When it is asked.
    pub load: Load,
    /// When it is enough, for each target.
    pub stop: Stop,
    /// How long requests in flight may take after that.
    pub grace_ns: Nanos,
    /// Requests per target before anything counts.
    pub warmup: u64,
    /// Blocks each target's requests are divided into; targets take turns block by block in seeded random order.
    pub blocks: u32,
    /// The seed of everything random.
    pub seed: u64,
    /// Bounds to be met.
    #[serde(default)]
    pub slos: Vec<Slo>,
    /// Stop before more than this is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<Usd>,
    /// How connections are made.
    pub transport: TransportPlan,
    /// Whether generated text is kept in the records.
    pub keep_text: bool,
    /// Folder that holds the run directories.
    pub out: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        match (text.parse::<Slo>(), expected) {
            (Ok(slo), Ok(shown)) => assert_eq!(slo.to_string(), shown),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("`{text}` gave {got:?}"),
        }
    }

    #[test]
    fn an_slo_reads_and_prints_alike() {
        check("ttft_p95<200ms", Ok("ttft_p95<200ms"));
        check("tpot_p99 < 30ms", Ok("tpot_p99<30ms"));
        check("e2e<2s", Ok("e2e<2s"));
        check("output_speed_p10>40", Ok("output_speed_p10>40"));
        check("ttft_visible_p50<1s", Ok("ttft_visible_p50<1s"));
        check("ttft_p99.9999<1s", Ok("ttft_p99.9999<1s"));
    }

    #[test]
    fn a_wrong_slo_says_what_is_wrong() {
        check("ttft_p95=200ms", Err("no `<` or `>`"));
        check("ttft_p95<200", Err("`200` is not a time with its unit"));
        check("ttff_p95<200ms", Err("`ttff` is not a metric"));
        check("ttft_p95>200ms", Err("bounded with `<`"));
        check("ttft_p100<1s", Err("not a percentile"));
        check("ttft_p99.99999<1s", Err("not a percentile"));
        check("ttft_p0.00001<1s", Err("not a percentile"));
    }

    #[test]
    fn meeting_a_bound_depends_on_the_metric() {
        assert!("ttft<1s".parse::<Slo>().unwrap().met_by(0.9e9));
        assert!("output_speed>10".parse::<Slo>().unwrap().met_by(11.0));
    }
}
