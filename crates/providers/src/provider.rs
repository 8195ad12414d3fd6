//! The registry: one file a provider, one `mod` line, one table row.

use std::fmt;

use schema::target::{AuthScheme, Dialect, Encoding, ForceLength, MaxTokensField};
use serde::Serialize;

use crate::error::ProviderError;
use crate::nearest::nearest;

mod anthropic;
mod cerebras;
mod deepseek;
mod fireworks;
mod gemini;
mod groq;
mod llamacpp;
mod lmstudio;
mod mistral;
mod ollama;
mod openai;
mod openai_compatible;
mod openrouter;
mod sambanova;
mod sglang;
mod tgi;
mod together;
mod vllm;

/// Every provider, hosted ones first, in the order they are listed to people.
static REGISTRY: &[&Provider] = &[
    &cerebras::PROVIDER,
    &groq::PROVIDER,
    &sambanova::PROVIDER,
    &fireworks::PROVIDER,
    &deepseek::PROVIDER,
    &together::PROVIDER,
    &openrouter::PROVIDER,
    &openai::PROVIDER,
    &anthropic::PROVIDER,
    &gemini::PROVIDER,
    &mistral::PROVIDER,
    &vllm::PROVIDER,
    &sglang::PROVIDER,
    &tgi::PROVIDER,
    &llamacpp::PROVIDER,
    &ollama::PROVIDER,
    &lmstudio::PROVIDER,
    &openai_compatible::PROVIDER,
];

/// What sort of service a provider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A service on the internet, paid by the token.
    Hosted,
    /// A server one runs for others.
    Engine,
    /// A program for one's own machine.
    Local,
    /// Any endpoint that speaks a known protocol.
    Generic,
}

impl Kind {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Hosted => "hosted",
            Self::Engine => "engine",
            Self::Local => "local",
            Self::Generic => "generic",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.in_words())
    }
}

/// A kind of service and how one talks to it.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    /// What people write: `groq`. Lower case, unique among ids and aliases.
    pub id: &'static str,
    /// Other names it answers to.
    pub aliases: &'static [&'static str],
    /// Its name in tables and titles.
    pub name: &'static str,
    /// What sort of service it is.
    pub kind: Kind,
    /// Where it is, without the endpoint: `https://api.groq.com/openai/v1`. Empty: has to be told.
    pub base_url: &'static str,
    /// Environment variables that move it elsewhere, first set one wins.
    pub url_variables: &'static [&'static str],
    /// Environment variables its key may be in, first set one wins.
    pub key_variables: &'static [&'static str],
    /// Whether its own service refuses requests without a key.
    pub key_required: bool,
    /// Where one gets a key. Empty: nowhere in particular.
    pub key_page: &'static str,
    /// How a key is presented.
    pub auth: AuthScheme,
    /// The protocol spoken unless asked otherwise.
    pub dialect: Dialect,
    /// Every protocol it speaks.
    pub dialects: &'static [Dialect],
    /// How request bodies are written.
    pub encoding: fn() -> Encoding,
    /// Headers every request carries.
    pub headers: &'static [(&'static str, &'static str)],
    /// The model taken when none is named. `None`: whatever the endpoint serves has to be asked.
    pub default_model: Option<&'static str>,
    /// Model families by the name used across providers, with this provider's own id.
    pub families: &'static [(&'static str, &'static str)],
    /// Ports it listens on where it runs locally, likeliest first.
    pub default_ports: &'static [u16],
    /// Where below the server's root its Prometheus page is. Empty: it has none.
    pub metrics_path: &'static str,
    /// What a fair measurement of it has to know, in a sentence. Empty: nothing out of the ordinary.
    pub note: &'static str,
}

/// What hosted providers have in common.
const HOSTED: Provider = Provider {
    id: "",
    aliases: &[],
    name: "",
    kind: Kind::Hosted,
    base_url: "",
    url_variables: &[],
    key_variables: &[],
    key_required: true,
    key_page: "",
    auth: AuthScheme::Bearer,
    dialect: Dialect::OpenaiChat,
    dialects: &[Dialect::OpenaiChat, Dialect::OpenaiCompletions, Dialect::OpenaiEmbeddings],
    encoding: openai_shape,
    headers: &[],
    default_model: None,
    families: &[],
    default_ports: &[],
    metrics_path: "",
    note: "",
};

/// What self-hosted engines have in common.
const ENGINE: Provider = Provider { kind: Kind::Engine, key_required: false, ..HOSTED };

/// The request body as OpenAI first defined it, with usage asked for at the end of a stream.
fn openai_shape() -> Encoding {
    Encoding { stream_options: true, temperature: true, ..Encoding::default() }
}

/// All providers, hosted ones first.
pub fn registry() -> &'static [&'static Provider] {
    REGISTRY
}

/// The provider that `id` names, by its id or an alias, in any case.
///
/// # Errors
/// [`ProviderError::Unknown`] with the nearest names.
pub fn find(id: &str) -> Result<&'static Provider, ProviderError> {
    let wanted = id.trim().to_ascii_lowercase();
    REGISTRY.iter().copied().find(|p| p.answers_to(&wanted)).ok_or_else(|| {
        let names = REGISTRY.iter().flat_map(|p| std::iter::once(&p.id).chain(p.aliases));
        ProviderError::unknown(id, &nearest(&wanted, names.copied()))
    })
}

impl Provider {
    /// Whether `name`, in lower case, is its id or an alias.
    fn answers_to(&self, name: &str) -> bool {
        self.id == name || self.aliases.contains(&name)
    }

    /// This provider's own id of the model family `name`, in any case.
    pub fn family(&self, name: &str) -> Option<&'static str> {
        self.families.iter().find(|(family, _)| family.eq_ignore_ascii_case(name)).map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests;
