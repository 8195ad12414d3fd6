//! Cerebras: <https://inference-docs.cerebras.ai>. Fields as in its Python SDK 1.91.0.

use super::{Dialect, Encoding, ForceLength, HOSTED, MaxTokensField, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "cerebras",
    name: "Cerebras",
    base_url: "https://api.cerebras.ai/v1",
    url_variables: &["CEREBRAS_BASE_URL"],
    key_variables: &["CEREBRAS_API_KEY"],
    key_page: "https://cloud.cerebras.ai",
    encoding,
    default_model: Some("gpt-oss-120b"),
    families: &[
        ("gpt-oss-120b", "gpt-oss-120b"),
        ("llama-3.3-70b", "llama-3.3-70b"),
        ("llama-3.1-8b", "llama3.1-8b"),
        ("qwen-3.8-27b", "qwen-3.8-27b"),
        ("qwen-3-32b", "qwen-3-32b"),
        ("gemma-4-31b", "gemma-4-31b"),
    ],
    note: "reserves prompt plus output limit against the token rate, so a large limit throttles early",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions],
    ..HOSTED
};

/// `max_tokens` is a deprecated alias here; `min_tokens` makes the length exact.
fn encoding() -> Encoding {
    Encoding {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        seed_field: SeedField::Seed,
        force_length: ForceLength::MinTokens,
        ..openai_shape()
    }
}
