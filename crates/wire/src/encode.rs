//! Request bodies.

use schema::target::{Dialect, Encoding};

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

/// One turn of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: &'a str,
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
}

/// The JSON body that asks for `spec`, written as `encoding` says.
pub fn encode(_dialect: Dialect, _encoding: &Encoding, _spec: &RequestSpec<'_>) -> Vec<u8> {
    todo!()
}
