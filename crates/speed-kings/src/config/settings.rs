//! Every setting, once: its flag, its key in YAML, its environment variable, its help and its bounds.
//!
//! A field `max_tokens` is the flag `--max-tokens`, the key `max_tokens` and the variable
//! `SPEED_KINGS_MAX_TOKENS`.

mod engine;
mod keys;
mod written;

use std::path::PathBuf;

use clap::Args;
use garde::Validate;
use schema::comparison::Criterion;
use schema::manifest::Tag;
use schema::plan::{
    AnswerForm, Arrival, Axis, HttpChoice, Lengths, Pause, Precision, Scenario, Size, Slo, StageSpec, Tie, Weights,
    WhenFull,
};
use schema::units::{Nanos, Rate, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::args::list::{comma_or_sequence, comma_or_sequence_schema, one_or_sequence, one_or_sequence_schema};
use crate::args::quantity::Quantity;
use crate::args::target::TargetSpec;
use crate::args::workload::{ColumnsSpec, PixelsSpec};

pub(crate) use engine::MockEngine;
pub(crate) use keys::{PREFIX, RIVALS, WHO_KEYS, flag_of, variable_of};
pub(crate) use written::parse_told;
use written::{
    number_or_name, parse_answer, parse_axis, parse_http, parse_path, parse_positive, parse_share, parse_temperature,
    parse_when_full,
};

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

    /// How arrivals of an open loop are spaced: constant, poisson, or gamma:SHAPE (below 1 bursts, above it more even).
    #[arg(long, value_name = "constant|poisson|gamma:0.5", value_parser = parse_told::<Arrival>, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrival: Option<Arrival>,

    /// Open loop: requests in flight at most; `when_full` says what becomes of one that finds no place.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100_000))]
    pub(crate) max_concurrency: Option<u32>,

    /// What becomes of a request of an open loop that finds no place: not-sent (recorded as that), or wait, its
    /// schedule unmoved.
    #[arg(long, value_name = "not-sent|wait", value_parser = parse_when_full, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when_full: Option<WhenFull>,

    /// Load that changes: stages divided by commas, each `[NAME=]FROM[..TO]@LENGTH`, with rates (`5/s..50/s@1m`) or streams
    /// (`8..64@1m`). Excludes `rate` and `concurrency`.
    #[arg(long, value_name = "STAGE,STAGE", value_delimiter = ',', value_parser = parse_told::<StageSpec>, help_heading = LOAD)]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<StageSpec>")]
    pub(crate) stages: Option<Vec<StageSpec>>,

    /// People who ask, read, think and ask again: how many.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100_000))]
    pub(crate) users: Option<u32>,

    /// Users: from an answer to the next request: `2s`, `uniform:1s..5s`, `lognormal:2s,0.5` or `exponential:2s`.
    #[arg(long, value_name = "PAUSE", value_parser = parse_told::<Pause>, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) think: Option<Pause>,

    /// Users: requests of a session. With `turns`, a session is one conversation.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000_000))]
    pub(crate) session_requests: Option<u32>,

    /// Users: from a session to the next, written like `think`.
    #[arg(long, value_name = "PAUSE", value_parser = parse_told::<Pause>, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session_pause: Option<Pause>,

    /// Users: time over which they arrive.
    #[arg(long, value_name = "30s", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrive_over: Option<Quantity<Nanos>>,

    /// So many requests at one instant.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100_000))]
    pub(crate) crowd: Option<u32>,

    /// Crowd: how many times.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 10_000))]
    pub(crate) waves: Option<u32>,

    /// Crowd: from one wave to the next.
    #[arg(long, value_name = "30s", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wave_every: Option<Quantity<Nanos>>,

    /// Arrivals of a trace (Azure or BurstGPT CSV, Mooncake JSONL), or of an earlier run by its folder.
    #[arg(long, value_name = "FILE|RUN", value_parser = parse_path, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replay: Option<PathBuf>,

    /// Replay: times faster than recorded.
    #[arg(long, value_name = "2", value_parser = parse_positive, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.001, max = 10_000.0))]
    pub(crate) replay_speed: Option<f64>,

    /// Blocks each target's requests are divided into; targets take turns block by block, in random order.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 10_000))]
    pub(crate) blocks: Option<u32>,

    /// Measure all targets at the same time, each block begun at one instant, in place of taking turns.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) side_by_side: Option<bool>,

    /// How long requests in flight may take after the end.
    #[arg(long, value_name = "30s", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) grace: Option<Quantity<Nanos>>,

    /// Seed of everything random. A new one for each run if none is given; the run records it.
    #[arg(long, value_name = "N", help_heading = LOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,

    /// Measure a single stream, the throughput ceiling and points between, over a concurrency or a rate.
    #[arg(long, value_name = "concurrency|rate", value_parser = parse_axis, num_args = 0..=1, default_missing_value = "concurrency", require_equals = true, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sweep: Option<Axis>,

    /// Find the highest rate or concurrency that meets all of `slo`.
    #[arg(long, value_name = "rate|concurrency", value_parser = parse_axis, num_args = 0..=1, default_missing_value = "rate", require_equals = true, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) find_max: Option<Axis>,

    /// How long each step of a search lasts.
    #[arg(long, value_name = "10s", help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<Quantity<Nanos>>,

    /// Steps of a sweep, or the most that `find_max` takes.
    #[arg(long, value_name = "N", help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 3, max = 200))]
    pub(crate) steps: Option<u32>,

    /// Where `find_max` begins: requests per second, or streams.
    #[arg(long, value_name = "1", value_parser = parse_positive, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.001, max = 1_000_000.0))]
    pub(crate) search_from: Option<f64>,

    /// No step above this.
    #[arg(long, value_name = "100", value_parser = parse_positive, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.001, max = 1_000_000.0))]
    pub(crate) search_to: Option<f64>,

    /// How wide the interval of `find_max` may be, relative to its answer.
    #[arg(long, value_name = "0.05", value_parser = parse_positive, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.005, max = 0.5))]
    pub(crate) tolerance: Option<f64>,

    /// Go on until a figure's 95 % interval is that narrow: `2%` (of the median TTFT) or `e2e_p95:5%`. `requests` or
    /// `duration` is the limit; without one it is 10,000 requests.
    #[arg(long, value_name = "2%", value_parser = parse_told::<Precision>, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until_precise: Option<Precision>,

    /// Go on, block by block, until every pair of targets is told apart or ties by these: `ttft_p50` (unless told),
    /// `ttft_p95`, `tpot_p50`, `e2e_p50`, `throughput`, `success`, `cost`… `requests` or `duration` is the limit; without
    /// one it is 10,000 requests a target.
    #[arg(long, value_name = "ttft_p50", value_delimiter = ',', value_parser = parse_told::<Criterion>, num_args = 0..=1, default_missing_value = "ttft_p50", require_equals = true, help_heading = SEARCH)]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<Criterion>")]
    #[garde(length(min = 1))]
    pub(crate) until_decided: Option<Vec<Criterion>>,

    /// Differences up to this count as none: two targets tie when theirs is certainly within it. 3% unless told.
    #[arg(long, value_name = "3%", value_parser = parse_told::<Tie>, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tie: Option<Tie>,

    /// What counts for how much in the overall score: `latency=3,cost=1`; also throughput, consistency, reliability. All
    /// alike unless told.
    #[arg(long, value_name = "latency=3,cost=1", value_parser = parse_told::<Weights>, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weights: Option<Weights>,

    /// Measure the same load against the built-in engine first, and show this machine's own floor beside the result.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = SEARCH)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) calibrate: Option<bool>,

    /// Built-in prompts: short (about 40 tokens), medium (500) or long (4,000).
    #[arg(long, value_name = "short|medium|long", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<Size>,

    /// One prompt of your own, for every request.
    #[arg(long, value_name = "TEXT", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1))]
    pub(crate) prompt: Option<String>,

    /// A built-in scene in place of a set, by its number or its name; `speed-kings demo` lists them. With `turns` the
    /// person in it says more than one thing.
    #[arg(long, value_name = "1..5|NAME", value_parser = parse_told::<Scenario>, help_heading = WORKLOAD)]
    #[serde(default, deserialize_with = "number_or_name", skip_serializing_if = "Option::is_none")]
    pub(crate) scenario: Option<Scenario>,

    /// Prompts from a file: one a line, JSONL, CSV, or ShareGPT's JSON. See `columns`.
    #[arg(long, value_parser = parse_path, value_name = "FILE", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_file: Option<PathBuf>,

    /// Names of the columns or fields in `prompt_file`: `prompt=question,system=context,max_tokens=limit,image=picture`.
    #[arg(long, value_name = "prompt=NAME,…", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<ColumnsSpec>,

    /// Made-up prompts of so many tokens: `512`, `uniform:50..200`, `normal:200,30`, `lognormal:200,0.8` or `file:lengths.txt`.
    /// Exact with `tokenizer`.
    #[arg(long, value_name = "LENGTHS", value_parser = parse_told::<Lengths>, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input_tokens: Option<Lengths>,

    /// Output tokens asked for, drawn for each request; written like `input_tokens`, in place of `max_tokens`.
    #[arg(long, value_name = "LENGTHS", value_parser = parse_told::<Lengths>, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output_tokens: Option<Lengths>,

    /// A `tokenizer.json` of Hugging Face: made-up prompts are exactly as long as asked, and tokens are counted here
    /// where the server does not.
    #[arg(long, value_name = "FILE", value_parser = parse_path, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tokenizer: Option<PathBuf>,

    /// Conversations, `turns` long, that are told so many facts early, two a turn, and asked for them later: retention.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = workload::MOST_FACTS))]
    pub(crate) facts: Option<u32>,

    /// Facts: about how many tokens of other matter each turn between brings.
    #[arg(long, value_name = "TOKENS", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 20, max = workload::MOST_PASSAGE_TOKENS))]
    pub(crate) passage: Option<u32>,

    /// User turns of a conversation at most. Later turns carry the earlier answers; needs a closed loop or users.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000))]
    pub(crate) turns: Option<u32>,

    /// Beginnings that requests share: how many different ones.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100_000))]
    pub(crate) prefix_groups: Option<u32>,

    /// Shared beginnings: tokens of each.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000_000))]
    pub(crate) prefix_tokens: Option<u32>,

    /// Shared beginnings: share of requests that begin with one, 0 to 1; the others begin with as many tokens of their own.
    #[arg(long, value_name = "0.8", value_parser = parse_share, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.0, max = 1.0))]
    pub(crate) prefix_share: Option<f64>,

    /// Made-up pictures with each request, no two alike.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub(crate) images: Option<u32>,

    /// Size of those pictures in pixels.
    #[arg(long, value_name = "512x512", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) image_size: Option<PixelsSpec>,

    /// Form of answer asked for: text, json (JSON mode) or tool (a call of a built-in example tool).
    #[arg(long, value_name = "text|json|tool", value_parser = parse_answer, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<AnswerForm>,

    /// Ask for embeddings, not for text.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) embeddings: Option<bool>,

    /// Output tokens asked for, at most.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000_000))]
    pub(crate) max_tokens: Option<u32>,

    /// Output tokens asked of warm-up requests at most: enough to make an engine ready.
    #[arg(long, value_name = "N", help_heading = WORKLOAD)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000_000))]
    pub(crate) warmup_max_tokens: Option<u32>,

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
    #[arg(long, value_name = "SLO", value_delimiter = ',', value_parser = parse_told::<Slo>, help_heading = BOUNDS)]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<Slo>")]
    pub(crate) slo: Option<Vec<Slo>>,

    /// Stop before more than this is spent.
    #[arg(long, value_name = "2usd", help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<Quantity<Usd>>,

    /// Send again what failed in a way that may pass, so many times. Each attempt is a record of its own.
    #[arg(long, value_name = "N", help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(max = 20))]
    pub(crate) retries: Option<u32>,

    /// Back-off before the first retry; it doubles each time, and half of it is random.
    #[arg(long, value_name = "500ms", help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after: Option<Quantity<Nanos>>,

    /// Back-off at most. A longer wait asked for by the server ends the attempts.
    #[arg(long, value_name = "30s", help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retry_most: Option<Quantity<Nanos>>,

    /// Stay below the limits a provider publishes with its answers, and wait as long as it asks.
    #[arg(long, value_name = "BOOL", hide_possible_values = true, num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) respect_limits: Option<bool>,

    /// Drop a target after so many failures in a row as if it were down; 0: never. Unless given: 20, or twice the requests
    /// in flight if that is more.
    #[arg(long, value_name = "N", help_heading = BOUNDS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(max = 1_000_000))]
    pub(crate) drop_after: Option<u32>,

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

    /// How often the targets' own metrics pages are read, where they have one; 0s: never.
    #[arg(long, value_name = "1s", help_heading = METRICS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scrape: Option<Quantity<Nanos>>,

    /// Metrics page of the target given by `url`. Other targets: `metrics=URL` within `target`.
    #[arg(long, value_name = "URL", help_heading = METRICS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metrics_url: Option<String>,

    /// Page of a GPU exporter (DCGM) that belongs to all targets.
    #[arg(long, value_name = "URL", help_heading = METRICS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gpu_metrics: Option<String>,

    /// What the run is called; its folder is named after it.
    #[arg(long, value_name = "NAME", help_heading = RESULTS)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 100))]
    pub(crate) name: Option<String>,

    /// Words to find the run by later, any number of times or with commas: `nightly`, `gpu=h100`.
    #[arg(long, value_name = "WORD", value_delimiter = ',', value_parser = parse_told::<Tag>, help_heading = RESULTS)]
    #[serde(default, deserialize_with = "comma_or_sequence", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "comma_or_sequence_schema::<Tag>")]
    pub(crate) tag: Option<Vec<Tag>>,

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
const SEARCH: &str = "Search and precision";
const WORKLOAD: &str = "Workload";
const BOUNDS: &str = "Bounds";
const CONNECTION: &str = "Connection";
const METRICS: &str = "Server metrics";
const RESULTS: &str = "Results";
