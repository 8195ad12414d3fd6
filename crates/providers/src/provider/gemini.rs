//! Google Gemini in its OpenAI-compatible mode: <https://ai.google.dev/gemini-api/docs/openai>.

use super::{Dialect, HOSTED, Provider};

pub(super) static PROVIDER: Provider = Provider {
    id: "gemini",
    aliases: &["google"],
    name: "Gemini",
    base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
    url_variables: &["GEMINI_BASE_URL"],
    key_variables: &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    key_page: "https://aistudio.google.com/apikey",
    default_model: Some("gemini-3.5-flash-lite"),
    note: "many models think by default before they answer; events are large, many tokens each",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiEmbeddings],
    ..HOSTED
};
