//! Request bodies, written straight into bytes: a long conversation is copied once.
//!
//! ```text
//! RequestSpec ─▶ turns ─┐
//! Encoding ─────────────┴▶ openai, anthropic, tgi, ollama, embeddings ─▶ fields ─▶ bytes
//! ```

mod anthropic;
mod embeddings;
mod fields;
mod ollama;
mod openai;
mod tgi;
mod tool;
mod turns;

use schema::plan::AnswerForm;
use schema::target::{CacheDefeat, Dialect, Encoding};

use fields::Fields;
use turns::Turns;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: &'a str,
    /// Pictures beside it: data URLs. Only what a person says has any.
    pub images: &'a [String],
}

impl<'a> Message<'a> {
    /// A turn of nothing but text.
    pub const fn text(role: Role, content: &'a str) -> Self {
        Self { role, content, images: &[] }
    }
}

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestSpec<'a> {
    /// The model's id at this provider.
    pub model: &'a str,
    /// The conversation so far.
    pub messages: &'a [Message<'a>],
    /// Output limit in tokens.
    pub max_tokens: u32,
    /// Whether the output should be exactly that long, where the encoding knows how.
    pub force_length: bool,
    /// Temperature × 1000.
    pub temperature_milli: u32,
    /// Sampling seed, sent where the encoding has a name for it.
    pub seed: Option<u64>,
    /// Whether to stream.
    pub stream: bool,
    /// A random string that keeps prompt caches out, used as the encoding says.
    pub nonce: Option<&'a str>,
    /// What form of answer is asked for.
    pub answer: AnswerForm,
}

impl RequestSpec<'_> {
    fn temperature(&self) -> f64 {
        f64::from(self.temperature_milli) / 1e3
    }
}

/// The JSON body that asks for `spec`, written as `encoding` says.
///
/// What the dialect has no words for is left out: pictures, forms of answer. A run that asks for such is refused
/// beforehand, by [`Dialect::misfits`]. Ollama offers the tool but cannot be made to call it.
///
/// Whoever asks for JSON has to say so in the prompt too, or OpenAI and DeepSeek refuse: the first thing that the
/// person says is followed by "Answer with a JSON object.", whoever is asked.
pub fn encode(dialect: Dialect, encoding: &Encoding, spec: &RequestSpec<'_>) -> Vec<u8> {
    // Only OpenAI's dialects have words against caches; elsewhere it is always the prefix.
    let has_words = matches!(dialect, Dialect::OpenaiChat | Dialect::OpenaiCompletions);
    let prefix = encoding.cache_defeat == CacheDefeat::Prefix || !has_words;
    let turns = Turns::new(spec, spec.nonce.filter(|_| prefix));
    let mut body = Vec::with_capacity(turns.bytes() + 1024);
    Fields::write(&mut body, Some(&encoding.extra), |fields| match dialect {
        Dialect::OpenaiChat => openai::chat(fields, encoding, spec, &turns),
        Dialect::OpenaiCompletions => openai::completions(fields, encoding, spec, &turns),
        Dialect::Anthropic => anthropic::messages(fields, encoding, spec, &turns),
        Dialect::Tgi => tgi::generate(fields, encoding, spec, &turns),
        Dialect::OllamaChat => ollama::chat(fields, encoding, spec, &turns),
        Dialect::OllamaGenerate => ollama::generate(fields, encoding, spec, &turns),
        Dialect::OpenaiEmbeddings => embeddings::openai(fields, spec, &turns),
        Dialect::OllamaEmbed => embeddings::ollama(fields, spec, &turns),
    });
    body
}

#[cfg(test)]
mod tests;
