//! SGLang's names: `srt/observability/metrics_collector.py` of 0.5.23.

use schema::metric::Metric;
use schema::server::Counter;

use super::names::{Meaning, Name, count, name, seconds};

pub(super) const NAMES: &[Name] = &[
    name("num_running_reqs", Meaning::Running),
    name("num_queue_reqs", Meaning::Waiting),
    name("token_usage", Meaning::KvUsage),
    count("prompt_tokens_total", Counter::PromptTokens),
    count("generation_tokens_total", Counter::GeneratedTokens),
    // Tokens looked up are those found (`device_hit`, `host_hit`, `storage_hit`) and the others (`input`).
    count("prefill_effective_tokens_total", Counter::PrefixQueriedTokens),
    count("prefill_effective_tokens_total", Counter::PrefixHitTokens).only("mode", "_hit"),
    count("prompt_tokens_total", Counter::PrefixQueriedTokens).rank(1),
    count("cached_tokens_total", Counter::PrefixHitTokens).rank(1),
    count("num_retracted_requests_total", Counter::Preemptions),
    count("num_requests_total", Counter::Requests),
    seconds("time_to_first_token_seconds", Metric::ServerTtft),
    seconds("inter_token_latency_seconds", Metric::Itl),
    seconds("request_time_per_output_token_seconds", Metric::Tpot),
    seconds("time_per_output_token_seconds", Metric::Tpot).rank(1),
    seconds("e2e_request_latency_seconds", Metric::ServerTotal),
    seconds("queue_time_seconds", Metric::ServerQueue),
    seconds("per_stage_req_latency_seconds", Metric::ServerPrefill).only("stage", "prefill_forward"),
];
