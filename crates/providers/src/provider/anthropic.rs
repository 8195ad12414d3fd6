//! Anthropic's Messages API: fields as in its Python SDK 2.12.0.

use super::{AuthScheme, Dialect, Encoding, HOSTED, Provider};

pub(super) static PROVIDER: Provider = Provider {
    id: "anthropic",
    aliases: &["claude"],
    name: "Anthropic",
    base_url: "https://api.anthropic.com/v1",
    url_variables: &["ANTHROPIC_BASE_URL"],
    key_variables: &["ANTHROPIC_API_KEY"],
    key_page: "https://console.anthropic.com/settings/keys",
    auth: AuthScheme::XApiKey,
    dialect: Dialect::Anthropic,
    encoding: Encoding::default,
    headers: &[("anthropic-version", "2026-10-21")],
    default_model: Some("claude-haiku-5-5"),
    dialects: &[Dialect::Anthropic],
    ..HOSTED
};
