//! Mistral: <https://docs.mistral.ai>.

use super::{Dialect, Encoding, HOSTED, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "mistral",
    aliases: &["mistralai"],
    name: "Mistral",
    base_url: "https://api.mistral.ai/v1",
    url_variables: &["MISTRAL_BASE_URL"],
    key_variables: &["MISTRAL_API_KEY"],
    key_page: "https://console.mistral.ai/api-keys",
    encoding,
    default_model: Some("mistral-small-latest"),
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiEmbeddings],
    ..HOSTED
};

/// No `stream_options` in its schema, and unknown fields are refused; usage comes unasked.
fn encoding() -> Encoding {
    Encoding { stream_options: false, seed_field: SeedField::RandomSeed, ..openai_shape() }
}
