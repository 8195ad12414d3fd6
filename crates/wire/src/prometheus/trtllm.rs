//! TensorRT-LLM's names: `tensorrt_llm/metrics/collector.py` of 2026, served at `/prometheus/metrics`.

use schema::metric::Metric;
use schema::server::Counter;

use super::names::{Meaning, Name, count, name, seconds};

pub(super) const NAMES: &[Name] = &[
    name("num_requests_running", Meaning::Running),
    name("num_requests_waiting", Meaning::Waiting),
    name("kv_cache_utilization", Meaning::KvUsage),
    count("prompt_tokens_total", Counter::PromptTokens),
    count("generation_tokens_total", Counter::GeneratedTokens),
    count("prompt_tokens_total", Counter::PrefixQueriedTokens),
    count("prompt_cached_tokens_total", Counter::PrefixHitTokens),
    count("request_success_total", Counter::Requests),
    count("request_error_total", Counter::Requests),
    seconds("time_to_first_token_seconds", Metric::ServerTtft),
    seconds("time_per_output_token_seconds", Metric::Tpot),
    seconds("e2e_request_latency_seconds", Metric::ServerTotal),
    seconds("request_queue_time_seconds", Metric::ServerQueue),
    seconds("request_prefill_time_seconds", Metric::ServerPrefill),
    seconds("request_decode_time_seconds", Metric::ServerDecode),
];
