//! Simulated engines, as they are named.

use std::str::FromStr;

use clap::ValueEnum;
use schema::target::TargetName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A simulated engine, by the profile it plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MockEngine {
    /// vLLM: OpenAI chat, fast, many at once.
    Vllm,
    /// Text Generation Inference: its own streaming protocol.
    Tgi,
    /// Ollama: NDJSON, few at once.
    Ollama,
    /// A plain OpenAI-compatible server.
    Openai,
}

impl MockEngine {
    /// The provider that talks to it.
    pub(crate) const fn provider(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Tgi => "tgi",
            Self::Ollama => "ollama",
            Self::Openai => "openai-compatible",
        }
    }

    /// What plays it.
    pub(crate) const fn engine(self) -> sim::Engine {
        match self {
            Self::Vllm => sim::Engine::Vllm,
            Self::Tgi => sim::Engine::Tgi,
            Self::Ollama => sim::Engine::Ollama,
            Self::Openai => sim::Engine::OpenAi,
        }
    }

    /// What its target is called: `vllm-sim`.
    pub(crate) fn target_name(self) -> TargetName {
        let stem = if matches!(self, Self::Openai) { "openai" } else { self.provider() };
        format!("{stem}-sim").parse().expect("letters and a dash are a name")
    }
}

impl FromStr for MockEngine {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false)
            .map_err(|_| format!("`{text}` is no simulated engine: use vllm, tgi, ollama or openai"))
    }
}
