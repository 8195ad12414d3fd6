//! llama.cpp's names: `tools/server/README.md` and a server of b11434. It has no histograms. Prompt tokens are
//! those that were computed; the cached ones stand apart, where the build counts them.

use schema::server::Counter;

use super::names::{Meaning, Name, count, name};

pub(super) const NAMES: &[Name] = &[
    name("requests_processing", Meaning::Running),
    name("requests_deferred", Meaning::Waiting),
    // Builds of early 2025.
    name("kv_cache_usage_ratio", Meaning::KvUsage),
    count("prompt_tokens_total", Counter::PromptTokens),
    count("prompt_tokens_cached_total", Counter::PromptTokens),
    count("prompt_tokens_total", Counter::PrefixQueriedTokens),
    count("prompt_tokens_cached_total", Counter::PrefixQueriedTokens),
    count("prompt_tokens_cached_total", Counter::PrefixHitTokens),
    count("tokens_predicted_total", Counter::GeneratedTokens),
    count("prompt_seconds_total", Counter::PrefillSeconds),
    count("tokens_predicted_seconds_total", Counter::DecodeSeconds),
];
