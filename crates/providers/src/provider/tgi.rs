//! Hugging Face text-generation-inference 3.3, by its OpenAI-compatible routes unless its own are asked for.

use super::{Dialect, ENGINE, Encoding, Provider, openai_shape};
use schema::target::{JsonField, SeedField};

pub(super) static PROVIDER: Provider = Provider {
    id: "tgi",
    aliases: &["text-generation-inference"],
    name: "TGI",
    base_url: "http://127.0.0.1:3000/v1",
    url_variables: &["TGI_URL", "TGI_BASE_URL"],
    key_variables: &["TGI_API_KEY"],
    encoding,
    default_ports: &[3000, 80],
    note: "cannot be made to answer at an exact length",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::Tgi],
    metrics_path: "/metrics",
    ..ENGINE
};

/// It refuses `json_object` without a schema.
fn encoding() -> Encoding {
    Encoding { seed_field: SeedField::Seed, json_field: JsonField::ObjectWithValue, ..openai_shape() }
}
