//! OpenRouter: <https://openrouter.ai/docs>.

use super::{Dialect, Encoding, HOSTED, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "openrouter",
    name: "OpenRouter",
    base_url: "https://openrouter.ai/api/v1",
    url_variables: &["OPENROUTER_BASE_URL"],
    key_variables: &["OPENROUTER_API_KEY"],
    key_page: "https://openrouter.ai/keys",
    encoding,
    default_model: Some("openai/gpt-oss-120b"),
    families: &[
        ("gpt-oss-120b", "openai/gpt-oss-120b"),
        ("gpt-oss-20b", "openai/gpt-oss-20b"),
        ("llama-3.3-70b", "meta-llama/llama-3.3-70b-instruct"),
        ("llama-3.1-8b", "meta-llama/llama-3.1-8b-instruct"),
        ("qwen-3-32b", "qwen/qwen3-32b"),
        ("deepseek-v4.1-flash", "deepseek/deepseek-v4.1-flash"),
        ("deepseek-v3.2", "deepseek/deepseek-v3.2"),
        ("glm-5.3", "z-ai/glm-5.3"),
        ("glm-5.3-flash", "z-ai/glm-5.3-flash"),
        ("kimi-k3", "moonshotai/kimi-k3"),
    ],
    note: "routes each request to some provider: what is measured is that choice, and its price varies with it",
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings, Dialect::Anthropic],
    ..HOSTED
};

/// Usage is always sent, asked for or not.
fn encoding() -> Encoding {
    Encoding { stream_options: false, seed_field: SeedField::Seed, ..openai_shape() }
}
