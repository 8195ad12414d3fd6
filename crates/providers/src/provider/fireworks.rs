//! Fireworks AI: <https://docs.fireworks.ai>. Fields as in its Python SDK 1.2.30.

use super::{Dialect, Encoding, ForceLength, HOSTED, Provider, openai_shape};
use schema::target::{CacheDefeat, SeedField};

pub(super) static PROVIDER: Provider = Provider {
    id: "fireworks",
    aliases: &["fireworks-ai"],
    name: "Fireworks",
    base_url: "https://api.fireworks.ai/inference/v1",
    url_variables: &["FIREWORKS_BASE_URL"],
    key_variables: &["FIREWORKS_API_KEY"],
    key_page: "https://app.fireworks.ai/settings/users/api-keys",
    encoding,
    default_model: Some("accounts/fireworks/models/deepseek-v4p1-flash"),
    families: &[
        ("gpt-oss-120b", "accounts/fireworks/models/gpt-oss-120b"),
        ("gpt-oss-20b", "accounts/fireworks/models/gpt-oss-20b"),
        ("llama-3.3-70b", "accounts/fireworks/models/llama-v3p3-70b-instruct"),
        ("llama-3.1-8b", "accounts/fireworks/models/llama-v3p1-8b-instruct"),
        ("qwen-3.8-max", "accounts/fireworks/models/qwen3p8-max"),
        ("qwen-3.7-plus", "accounts/fireworks/models/qwen3p7-plus"),
        ("deepseek-v4.1-flash", "accounts/fireworks/models/deepseek-v4p1-flash"),
        ("deepseek-v3.2", "accounts/fireworks/models/deepseek-v3p2"),
        ("glm-5.3", "accounts/fireworks/models/glm-5p3"),
        ("glm-5.3-flash", "accounts/fireworks/models/glm-5p3-flash"),
        ("kimi-k3", "accounts/fireworks/models/kimi-k3"),
        ("minimax-m3", "accounts/fireworks/models/minimax-m3"),
    ],
    note: "caches prompts by default; models off its serverless list may need a deployment",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings, Dialect::Anthropic],
    ..HOSTED
};

/// Usage comes with the last event unasked, and `stream_options` is not among its parameters. Server
/// timings come in a stream only when asked for.
fn encoding() -> Encoding {
    Encoding {
        stream_options: false,
        seed_field: SeedField::Seed,
        force_length: ForceLength::IgnoreEos,
        cache_defeat: CacheDefeat::IsolationKey,
        extra: serde_json::Map::from_iter([("perf_metrics_in_response".to_owned(), true.into())]),
        ..openai_shape()
    }
}
