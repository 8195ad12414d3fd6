//! Groq: <https://console.groq.com/docs>. Fields as in its Python SDK 1.7.0.

use super::{Dialect, Encoding, HOSTED, MaxTokensField, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "groq",
    name: "Groq",
    base_url: "https://api.groq.com/openai/v1",
    url_variables: &["GROQ_BASE_URL"],
    key_variables: &["GROQ_API_KEY"],
    key_page: "https://console.groq.com/keys",
    encoding,
    default_model: Some("openai/gpt-oss-120b"),
    families: &[
        ("gpt-oss-120b", "openai/gpt-oss-120b"),
        ("gpt-oss-20b", "openai/gpt-oss-20b"),
        ("llama-3.3-70b", "llama-3.3-70b-versatile"),
        ("llama-3.1-8b", "llama-3.1-8b-instant"),
        ("qwen-3.8-27b", "qwen/qwen3.8-27b"),
        ("qwen-3-32b", "qwen/qwen3-32b"),
    ],
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiEmbeddings],
    ..HOSTED
};

/// `max_tokens` is a deprecated alias here.
fn encoding() -> Encoding {
    Encoding { max_tokens_field: MaxTokensField::MaxCompletionTokens, seed_field: SeedField::Seed, ..openai_shape() }
}
