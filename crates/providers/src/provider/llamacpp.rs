//! llama.cpp's `llama-server`. Its default port moved from 8080 to 9931 in autumn 2026: both are tried.

use super::{Dialect, ENGINE, Encoding, ForceLength, Provider, openai_shape};
use schema::target::{CacheDefeat, SeedField};

pub(super) static PROVIDER: Provider = Provider {
    id: "llamacpp",
    aliases: &["llama.cpp", "llama-cpp", "llama-server"],
    name: "llama.cpp",
    base_url: "http://127.0.0.1:8080/v1",
    url_variables: &["LLAMACPP_URL", "LLAMACPP_BASE_URL"],
    key_variables: &["LLAMACPP_API_KEY", "LLAMA_API_KEY"],
    encoding,
    default_ports: &[8080, 9931],
    note: "requests beyond its slots wait, unseen, for a free one",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings, Dialect::Anthropic],
    metrics_path: "/metrics",
    ..ENGINE
};

fn encoding() -> Encoding {
    Encoding {
        seed_field: SeedField::Seed,
        force_length: ForceLength::IgnoreEos,
        cache_defeat: CacheDefeat::CachePromptFalse,
        ..openai_shape()
    }
}
