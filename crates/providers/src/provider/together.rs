//! Together AI: fields as in its Python SDK 3.1.1.

use super::{Encoding, HOSTED, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "together",
    aliases: &["together-ai", "togetherai"],
    name: "Together",
    base_url: "https://api.together.ai/v1",
    url_variables: &["TOGETHER_BASE_URL"],
    key_variables: &["TOGETHER_API_KEY"],
    key_page: "https://api.together.ai/settings/api-keys",
    encoding,
    default_model: Some("openai/gpt-oss-120b"),
    families: &[
        ("gpt-oss-120b", "openai/gpt-oss-120b"),
        ("gpt-oss-20b", "openai/gpt-oss-20b"),
        ("llama-3.3-70b", "meta-llama/Llama-3.3-70B-Instruct-Turbo"),
        ("llama-3.1-8b", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"),
        ("qwen-3.8-flash", "Qwen/Qwen3.8-Flash"),
        ("qwen-3.7-max", "Qwen/Qwen3.7-Max"),
        ("qwen-3.7-plus", "Qwen/Qwen3.7-Plus"),
        ("qwen-3.5-9b", "Qwen/Qwen3.5-9B"),
        ("deepseek-v4.1-flash", "deepseek-ai/DeepSeek-V4.1-Flash"),
        ("deepseek-v4-pro", "deepseek-ai/DeepSeek-V4-Pro-0813"),
        ("glm-5.3", "zai-org/GLM-5.3"),
        ("glm-5.3-flash", "zai-org/GLM-5.3-Flash"),
        ("kimi-k3", "moonshotai/Kimi-K3"),
        ("minimax-m2.7", "MiniMaxAI/MiniMax-M2.7"),
    ],
    ..HOSTED
};

/// Usage comes with the last content event unasked; `stream_options` is not among its parameters.
fn encoding() -> Encoding {
    Encoding { stream_options: false, seed_field: SeedField::Seed, ..openai_shape() }
}
