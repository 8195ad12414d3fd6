//! Ollama, by its own `/api/chat` unless an OpenAI dialect is asked for.

use super::{Dialect, ENGINE, Encoding, Kind, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "ollama",
    aliases: &["local"],
    name: "Ollama",
    kind: Kind::Local,
    base_url: "http://127.0.0.1:11434",
    url_variables: &["OLLAMA_URL", "OLLAMA_HOST"],
    key_variables: &["OLLAMA_API_KEY"],
    dialect: Dialect::OllamaChat,
    encoding,
    families: &[
        ("gpt-oss-120b", "gpt-oss:120b"),
        ("gpt-oss-20b", "gpt-oss:20b"),
        ("llama-3.3-70b", "llama3.3:70b"),
        ("llama-3.1-8b", "llama3.1:8b"),
        ("qwen-3-32b", "qwen3:32b"),
    ],
    default_ports: &[11434],
    note: "answers one request at a time unless OLLAMA_NUM_PARALLEL says otherwise; \
           cannot be made to answer at an exact length",
    dialects: &[
        Dialect::OllamaChat,
        Dialect::OllamaGenerate,
        Dialect::OllamaEmbed,
        Dialect::OpenaiChat,
        Dialect::OpenaiCompletions,
        Dialect::OpenaiEmbeddings,
        Dialect::Anthropic,
    ],
    ..ENGINE
};

fn encoding() -> Encoding {
    Encoding { seed_field: SeedField::Seed, ..openai_shape() }
}
