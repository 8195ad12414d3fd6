//! TGI's names: `docs/source/reference/metrics.md` and `router/src` of the commit of 2026-01-08. It has neither a
//! TTFT nor a KV-cache metric. A metric is exposed once it has a value.

use schema::metric::Metric;
use schema::server::Counter;

use super::names::{Meaning, Name, count, name, seconds};

pub(super) const NAMES: &[Name] = &[
    name("batch_current_size", Meaning::Running),
    name("queue_size", Meaning::Waiting),
    count("request_input_length_sum", Counter::PromptTokens),
    count("request_generated_tokens_sum", Counter::GeneratedTokens),
    count("request_success", Counter::Requests),
    count("request_failure", Counter::Requests),
    // A histogram a batch, not a request: its sum is the time that batches took.
    count("batch_inference_duration_sum", Counter::PrefillSeconds).only("method", "prefill"),
    count("batch_inference_duration_sum", Counter::DecodeSeconds).only("method", "decode"),
    seconds("request_duration", Metric::ServerTotal),
    seconds("request_queue_duration", Metric::ServerQueue),
    // Inference time ÷ all tokens, the first one included: not quite TPOT.
    seconds("request_mean_time_per_token_duration", Metric::Tpot),
];
