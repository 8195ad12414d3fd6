//! vLLM's OpenAI-compatible server; fields as in 0.33.0.

use super::{Dialect, ENGINE, Encoding, ForceLength, Provider, openai_shape};
use schema::target::{CacheDefeat, SeedField};

pub(super) static PROVIDER: Provider = Provider {
    id: "vllm",
    name: "vLLM",
    base_url: "http://127.0.0.1:8000/v1",
    url_variables: &["VLLM_URL", "VLLM_BASE_URL"],
    key_variables: &["VLLM_API_KEY"],
    encoding,
    default_ports: &[8000],
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings, Dialect::Anthropic],
    metrics_path: "/metrics",
    ..ENGINE
};

fn encoding() -> Encoding {
    Encoding {
        seed_field: SeedField::Seed,
        force_length: ForceLength::IgnoreEos,
        cache_defeat: CacheDefeat::CacheSalt,
        ..openai_shape()
    }
}
