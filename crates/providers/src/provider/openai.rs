//! OpenAI: <https://github.com/openai/openai-openapi>.

use super::{Encoding, HOSTED, MaxTokensField, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "openai",
    name: "OpenAI",
    base_url: "https://api.openai.com/v1",
    url_variables: &["OPENAI_BASE_URL"],
    key_variables: &["OPENAI_API_KEY"],
    key_page: "https://platform.openai.com/api-keys",
    encoding,
    default_model: Some("gpt-6-luna"),
    note: "reasoning models think before they answer; the output limit includes those hidden tokens",
    ..HOSTED
};

/// Reasoning models refuse `max_tokens`, and any `temperature` but their own.
fn encoding() -> Encoding {
    Encoding {
        max_tokens_field: MaxTokensField::MaxCompletionTokens,
        temperature: false,
        seed_field: SeedField::Seed,
        ..openai_shape()
    }
}
