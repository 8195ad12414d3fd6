//! vLLM's names: `vllm/v1/metrics/loggers.py` of 0.33.0, and those of earlier releases that it replaced. For some
//! releases both are exposed.

use schema::metric::Metric;
use schema::server::Counter;

use super::names::{Meaning, Name, count, name, seconds};

pub(super) const NAMES: &[Name] = &[
    name("num_requests_running", Meaning::Running),
    name("num_requests_waiting", Meaning::Waiting),
    // A share, whatever its name says.
    name("kv_cache_usage_perc", Meaning::KvUsage),
    name("gpu_cache_usage_perc", Meaning::KvUsage).rank(1),
    count("prompt_tokens_total", Counter::PromptTokens),
    count("generation_tokens_total", Counter::GeneratedTokens),
    count("prefix_cache_queries_total", Counter::PrefixQueriedTokens),
    count("prefix_cache_hits_total", Counter::PrefixHitTokens),
    count("gpu_prefix_cache_queries_total", Counter::PrefixQueriedTokens).rank(1),
    count("gpu_prefix_cache_hits_total", Counter::PrefixHitTokens).rank(1),
    count("num_preemptions_total", Counter::Preemptions),
    count("request_success_total", Counter::Requests),
    seconds("time_to_first_token_seconds", Metric::ServerTtft),
    seconds("inter_token_latency_seconds", Metric::Itl),
    seconds("time_per_output_token_seconds", Metric::Itl).rank(1),
    seconds("request_time_per_output_token_seconds", Metric::Tpot),
    seconds("e2e_request_latency_seconds", Metric::ServerTotal),
    seconds("request_queue_time_seconds", Metric::ServerQueue),
    seconds("request_prefill_time_seconds", Metric::ServerPrefill),
    seconds("request_decode_time_seconds", Metric::ServerDecode),
];
