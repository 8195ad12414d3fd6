//! Any endpoint that speaks OpenAI's protocol, or any other that is asked for. Only fields that every such server takes are sent.

use super::{Dialect, ENGINE, Kind, Provider};

pub(super) static PROVIDER: Provider = Provider {
    id: "openai-compatible",
    aliases: &["openai-compat", "custom"],
    name: "OpenAI-compatible",
    kind: Kind::Generic,
    url_variables: &["OPENAI_COMPATIBLE_URL", "OPENAI_COMPATIBLE_BASE_URL"],
    key_variables: &["OPENAI_COMPATIBLE_API_KEY"],
    dialects: &Dialect::ALL,
    ..ENGINE
};
