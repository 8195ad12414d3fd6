//! SGLang's OpenAI-compatible server; fields as in 0.5.23.

use super::{Dialect, ENGINE, Encoding, ForceLength, Provider, openai_shape};
use schema::target::{CacheDefeat, SeedField};

pub(super) static PROVIDER: Provider = Provider {
    id: "sglang",
    name: "SGLang",
    base_url: "http://127.0.0.1:30000/v1",
    url_variables: &["SGLANG_URL", "SGLANG_BASE_URL"],
    key_variables: &["SGLANG_API_KEY"],
    encoding,
    default_ports: &[30000],
    dialects: &[
        Dialect::OpenaiChat,
        Dialect::OpenaiCompletions,
        Dialect::OpenaiEmbeddings,
        Dialect::Anthropic,
        Dialect::OllamaChat,
        Dialect::OllamaGenerate,
    ],
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
