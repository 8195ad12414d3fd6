//! Every setting, once: its flag, its key in YAML, its environment variable, its help and its bounds.
//!
//! A field `max_tokens` is the flag `--max-tokens`, the key `max_tokens` and the variable
//! `SPEED_KINGS_MAX_TOKENS`.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use garde::Validate;
use schema::plan::{Arrival, HttpChoice, Size, Slo};
use schema::target::TargetName;
use schema::units::{Nanos, Rate, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::list::{comma_or_sequence, comma_or_sequence_schema, one_or_sequence, one_or_sequence_schema};
use crate::args::quantity::Quantity;
use crate::args::target::TargetSpec;

/// A simulated engine, by the profile it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MockEngine {
    /// vLLM: OpenAI chat, fast, many at once.
    Vllm,
    /// Text Generation Inference: its own streaming protocol.
    Tgi,
    /// Ollama: NDJSON, few at once.
    Ollama,
    /// A plain OpenAI-compatible server.
    Openai,
}

impl MockEngine {
    /// The provider that talks to it.
    pub(crate) const fn provider(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Tgi => "tgi",
            Self::Ollama => "ollama",
            Self::Openai => "openai-compatible",
        }
    }

    /// What plays it.
    pub(crate) const fn engine(self) -> sim::Engine {
        match self {
            Self::Vllm => sim::Engine::Vllm,
            Self::Tgi => sim::Engine::Tgi,
            Self::Ollama => sim::Engine::Ollama,
            Self::Openai => sim::Engine::OpenAi,
        }
    }

    /// What its target is called: `vllm-sim`.
    pub(crate) fn target_name(self) -> TargetName {
        let stem = if matches!(self, Self::Openai) { "openai" } else { self.provider() };
        format!("{stem}-sim").parse().expect("letters and a dash are a name")
    }
}

impl std::str::FromStr for MockEngine {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false)
            .map_err(|_| format!("`{text}` is no simulated engine: use vllm, tgi, ollama or openai"))
    }
}

/// What may be set for a run. Every layer of configuration fills some of it; what no layer fills has no
/// default and stays out of the plan.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schemars(title = "speed-kings configuration")]
#[garde(allow_unvalidated)]
pub(crate) struct Settings {
    /// Providers to measure, by their ids, or `all` that are ready. `speed-kings list` shows them.
    #[arg(long, value_name = "A,B|all", value_delimiter = ',', help_heading = WHO)]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<String>")]
    pub(crate) providers: Option<Vec<String>>,

    /// One OpenAI-compatible endpoint, with nothing configured.
    #[arg(long, value_name = "URL", help_heading = WHO)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,

    /// Model to ask for: a family such as `gpt-oss-120b`, or a provider's own id.
    #[arg(long, value_name = "MODEL", help_heading = WHO)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,

    /// A target in full, any number of times: `NAME=PROVIDER@URL,model=M`. All but the provider may be left out.
    #[arg(long, value_name = "NAME=PROVIDER@URL,model=M", help_heading = WHO)]
    #[serde(default, deserialize_with = "one_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "one_or_sequence_schema::<TargetSpec>")]
    pub(crate) target: Option<Vec<TargetSpec>>,

    /// Simulated engines, built in, over real sockets: vllm, tgi, ollama (all three when none is named) or openai.
    #[arg(
        long,
        value_name = "ENGINES", hide_possible_values = true,
        value_delimiter = ',',
        num_args = 0..=1,
        default_missing_value = "vllm,tgi,ollama",
        require_equals = true,
        help_heading = WHO
    )]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<MockEngine>")]
    pub(crate) mock: Option<Vec<MockEngine>>,

    /// Prices in place of the built-in ones: a JSON file.
    #[arg(long, value_parser = parse_path, value_name = "FILE", help_heading = WHO)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prices: Option<PathBuf>,

    /// Measured requests for each target. Excludes `duration`.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MOST_REQUESTS))]
    pub(crate) requests: Option<u64>,

    /// How long each target is measured, in place of a number of requests.
    #[arg(long, value_name = "30s", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<Quantity<Nanos>>,

    /// Requests for each target before anything counts.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(max = 1_000_000))]
    pub(crate) warmup: Option<u64>,

    /// Closed loop: requests in flight at each target. Excludes `rate`.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100_000))]
    pub(crate) concurrency: Option<u32>,

    /// Open loop: requests offered to each target, whatever happens.
    #[arg(long, value_name = "5/s", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Quantity<Rate>>,

    /// How arrivals of an open loop are spaced: constant or poisson.
    #[arg(long, value_name = "constant|poisson", value_parser = parse_arrival, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrival: Option<Arrival>,

    /// Open loop: requests in flight at most; one that finds no place is recorded as not sent.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100_000))]
    pub(crate) max_concurrency: Option<u32>,

    /// Blocks each target's requests are divided into; targets take turns block by block, in random order.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 10_000))]
    pub(crate) blocks: Option<u32>,

    /// How long requests in flight may take after the end.
    #[arg(long, value_name = "30s", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grace: Option<Quantity<Nanos>>,

    /// Seed of everything random. A new one for each run if none is given; the run records it.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,

    /// Built-in prompts: short (about 40 tokens), medium (500) or long (4,000).
    #[arg(long, value_name = "short|medium|long", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<Size>,

    /// One prompt of your own, for every request.
    #[arg(long, value_name = "TEXT", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1))]
    pub(crate) prompt: Option<String>,

    /// Prompts from a file: one a line, or JSONL objects with `prompt`, `system`, `max_tokens`.
    #[arg(long, value_parser = parse_path, value_name = "FILE", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_file: Option<PathBuf>,

    /// Output tokens asked for, at most.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000_000))]
    pub(crate) max_tokens: Option<u32>,

    /// Make answers exactly that long, where the target can.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) force_length: Option<bool>,

    /// Keep prompt caches out of the measurement: every prompt begins differently.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) defeat_cache: Option<bool>,

    /// Sampling temperature, where the target takes one.
    #[arg(long, value_name = "T", value_parser = parse_temperature, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 5.0))]
    pub(crate) temperature: Option<f64>,

    /// Whether answers are streamed.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<bool>,

    /// A bound to be met, any number of times or with commas: `ttft_p95<200ms`. Exit status 3 unless it is
    /// met; too few requests to tell is not met.
    #[arg(long, value_name = "SLO", value_delimiter = ',', value_parser = parse_slo, help_heading = BOUNDS)]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<Slo>")]
    pub(crate) slo: Option<Vec<Slo>>,

    /// Stop before more than this is spent.
    #[arg(long, value_name = "2usd", help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<Quantity<Usd>>,

    /// HTTP version: http1 (the finest time stamps) or http2.
    #[arg(long, value_name = "http1|http2", value_parser = parse_http, help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<HttpChoice>,

    /// Limit for DNS, TCP and TLS together.
    #[arg(long, value_name = "10s", help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connect_timeout: Option<Quantity<Nanos>>,

    /// Limit for the first generated content.
    #[arg(long, value_name = "2m", help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_token_timeout: Option<Quantity<Nanos>>,

    /// Limit between two events of an answer.
    #[arg(long, value_name = "1m", help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gap_timeout: Option<Quantity<Nanos>>,

    /// Limit for a request from start to end.
    #[arg(long, value_name = "10m", help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total_timeout: Option<Quantity<Nanos>>,

    /// Do not verify TLS certificates. The run records it.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) insecure: Option<bool>,

    /// Trust the Mozilla roots that come with the program, not the system's.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bundled_roots: Option<bool>,

    /// Ask the kernel for no time stamps: for comparison only.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = CONNECTION)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_space_stamps: Option<bool>,

    /// What the run is called; its folder is named after it.
    #[arg(long, value_name = "NAME", help_heading = RESULTS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 100))]
    pub(crate) name: Option<String>,

    /// Folder that holds the runs.
    #[arg(long, value_parser = parse_path, value_name = "DIR", help_heading = RESULTS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) out: Option<PathBuf>,

    /// Keep the generated text in the records.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = RESULTS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keep_text: Option<bool>,
}

/// Requests that one target is measured with at most.
pub(crate) const MOST_REQUESTS: u64 = 100_000_000;

const WHO: &str = "Who is measured";
const LOAD: &str = "Load";
const WORKLOAD: &str = "Workload";
const BOUNDS: &str = "Bounds";
const CONNECTION: &str = "Connection";
const RESULTS: &str = "Results";

/// Keys of which one at most can hold; the highest layer that has one of them silences the others below it.
pub(crate) const RIVALS: [&[&str]; 3] =
    [&["requests", "duration"], &["concurrency", "rate"], &["size", "prompt", "prompt_file"]];

/// Keys that name who is measured: they add up within a layer, and a layer that has one of them silences
/// those below it.
pub(crate) const WHO_KEYS: [&str; 4] = ["providers", "url", "target", "mock"];

impl Settings {
    /// Every key, in the order the help shows them.
    pub(crate) fn keys() -> Vec<String> {
        let command = Self::augment_args(clap::Command::new(""));
        command.get_arguments().map(|arg| arg.get_id().to_string()).collect()
    }
}

/// The flag of a key: `--max-tokens` of `max_tokens`.
pub(crate) fn flag_of(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// The environment variable of a key: `SPEED_KINGS_MAX_TOKENS` of `max_tokens`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}

/// What every environment variable of ours begins with.
pub(crate) const PREFIX: &str = "SPEED_KINGS_";

/// Settings are written down as text: a path that is none is refused.
#[expect(clippy::unnecessary_wraps, reason = "what a parser of flags looks like")]
fn parse_path(text: &str) -> Result<PathBuf, Infallible> {
    Ok(text.into())
}

fn parse_temperature(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|t: &f64| t.is_finite()).ok_or_else(|| "use a number, such as 0.7".to_owned())
}

fn parse_arrival(text: &str) -> Result<Arrival, String> {
    text.parse().map_err(|error: schema::plan::ArrivalError| error.to_string())
}

fn parse_http(text: &str) -> Result<HttpChoice, String> {
    match text {
        "http1" => Ok(HttpChoice::Http1),
        "http2" => Ok(HttpChoice::Http2),
        _ => Err("use http1 or http2".to_owned()),
    }
}

fn parse_slo(text: &str) -> Result<Slo, String> {
    text.trim().parse().map_err(|error: schema::plan::SloError| match miette::Diagnostic::help(&error) {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    })
}
