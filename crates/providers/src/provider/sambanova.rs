//! SambaNova Cloud: fields as in its Python SDK 1.13.0.

use super::{Dialect, Encoding, HOSTED, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "sambanova",
    name: "SambaNova",
    base_url: "https://api.sambanova.ai/v1",
    url_variables: &["SAMBANOVA_BASE_URL"],
    key_variables: &["SAMBANOVA_API_KEY"],
    key_page: "https://cloud.sambanova.ai/apis",
    encoding,
    default_model: Some("gpt-oss-120b"),
    families: &[
        ("gpt-oss-120b", "gpt-oss-120b"),
        ("llama-3.3-70b", "Meta-Llama-3.3-70B-Instruct"),
        ("qwen-3-32b", "Qwen3-32B"),
        ("deepseek-v3.1", "DeepSeek-V3.1"),
        ("deepseek-v3.2", "DeepSeek-V3.2"),
        ("deepseek-r1", "DeepSeek-R1"),
        ("gemma-4-31b", "gemma-4-31B-it"),
        ("minimax-m2.7", "MiniMax-M2.7"),
    ],
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings, Dialect::Anthropic],
    ..HOSTED
};

fn encoding() -> Encoding {
    Encoding { seed_field: SeedField::Seed, ..openai_shape() }
}
