//! LM Studio's OpenAI-compatible server.

use super::{Dialect, ENGINE, Encoding, Kind, Provider, openai_shape};
use schema::target::{JsonField, SeedField};

pub(super) static PROVIDER: Provider = Provider {
    id: "lmstudio",
    aliases: &["lm-studio"],
    name: "LM Studio",
    kind: Kind::Local,
    base_url: "http://127.0.0.1:1234/v1",
    url_variables: &["LMSTUDIO_URL", "LMSTUDIO_BASE_URL"],
    key_variables: &["LM_API_TOKEN"],
    encoding,
    default_ports: &[1234],
    note: "may load the model on the first request; cannot be made to answer at an exact length",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings, Dialect::Anthropic],
    ..ENGINE
};

/// Of JSON it knows only answers with a schema.
fn encoding() -> Encoding {
    Encoding { seed_field: SeedField::Seed, json_field: JsonField::Schema, ..openai_shape() }
}
