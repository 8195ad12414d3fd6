//! Request bodies.

use std::borrow::Cow;

use schema::plan::AnswerForm;
use schema::target::{CacheDefeat, Dialect, Encoding, ForceLength, MaxTokensField, SeedField};
use serde_json::{Map, Value, json};

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

/// The JSON body that asks for `spec`, written as `encoding` says.
pub fn encode(dialect: Dialect, encoding: &Encoding, spec: &RequestSpec<'_>) -> Vec<u8> {
    let messages = messages(encoding, spec);
    let mut body = match dialect {
        Dialect::OpenaiChat => openai(encoding, spec, "messages", conversation(&messages)),
        Dialect::OpenaiCompletions => openai(encoding, spec, "prompt", prompt(&messages)),
        Dialect::Anthropic => anthropic(encoding, spec, &messages),
        Dialect::Tgi => tgi(encoding, spec, &messages),
        Dialect::OllamaChat => ollama(encoding, spec, "messages", conversation(&messages)),
        Dialect::OllamaGenerate => ollama(encoding, spec, "prompt", prompt(&messages)),
        Dialect::OpenaiEmbeddings | Dialect::OllamaEmbed => embeddings(spec, &messages),
    };
    defeat_cache(&mut body, encoding, spec);
    for (name, value) in &encoding.extra {
        add(&mut body, name, value);
    }
    Value::Object(body).to_string().into_bytes()
}

type Body = Map<String, Value>;

/// The messages, the first with the nonce before it where that is how caches are kept out.
fn messages<'a>(encoding: &Encoding, spec: &RequestSpec<'a>) -> Vec<(Role, Cow<'a, str>)> {
    let mut messages: Vec<_> = spec.messages.iter().map(|m| (m.role, Cow::Borrowed(m.content))).collect();
    if let (CacheDefeat::Prefix, Some(nonce), Some((_, first))) =
        (encoding.cache_defeat, spec.nonce, messages.first_mut())
    {
        *first = Cow::Owned(format!("{nonce} {first}"));
    }
    messages
}

fn conversation(messages: &[(Role, Cow<'_, str>)]) -> Value {
    messages.iter().map(|(role, content)| json!({ "role": role.name(), "content": content })).collect()
}

/// The messages as one text, where a protocol knows no roles.
fn prompt(messages: &[(Role, Cow<'_, str>)]) -> Value {
    messages.iter().map(|(_, content)| content.as_ref()).collect::<Vec<_>>().join("\n\n").into()
}

fn temperature(spec: &RequestSpec<'_>) -> Value {
    (f64::from(spec.temperature_milli) / 1e3).into()
}

fn openai(encoding: &Encoding, spec: &RequestSpec<'_>, input: &str, value: Value) -> Body {
    let mut body = Body::new();
    body.insert("model".into(), spec.model.into());
    body.insert(input.into(), value);
    body.insert("stream".into(), spec.stream.into());
    let limit = match encoding.max_tokens_field {
        MaxTokensField::MaxTokens => "max_tokens",
        MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
    };
    body.insert(limit.into(), spec.max_tokens.into());
    if encoding.temperature {
        body.insert("temperature".into(), temperature(spec));
    }
    let seed = match encoding.seed_field {
        SeedField::None => None,
        SeedField::Seed => Some("seed"),
        SeedField::RandomSeed => Some("random_seed"),
    };
    if let (Some(name), Some(seed)) = (seed, spec.seed) {
        body.insert(name.into(), seed.into());
    }
    if spec.stream && encoding.stream_options {
        body.insert("stream_options".into(), json!({ "include_usage": true }));
    }
    if spec.force_length {
        force_length(&mut body, encoding.force_length, spec.max_tokens);
    }
    body
}

fn force_length(body: &mut Body, how: ForceLength, tokens: u32) {
    if matches!(how, ForceLength::IgnoreEos | ForceLength::IgnoreEosAndMinTokens) {
        body.insert("ignore_eos".into(), true.into());
    }
    if matches!(how, ForceLength::MinTokens | ForceLength::IgnoreEosAndMinTokens) {
        body.insert("min_tokens".into(), tokens.into());
    }
}

/// The system prompt has a field of its own.
fn anthropic(encoding: &Encoding, spec: &RequestSpec<'_>, messages: &[(Role, Cow<'_, str>)]) -> Body {
    let (system, others): (Vec<_>, Vec<_>) = messages.iter().cloned().partition(|(role, _)| *role == Role::System);
    let mut body = Body::new();
    body.insert("model".into(), spec.model.into());
    body.insert("messages".into(), conversation(&others));
    body.insert("max_tokens".into(), spec.max_tokens.into());
    body.insert("stream".into(), spec.stream.into());
    if !system.is_empty() {
        body.insert("system".into(), prompt(&system));
    }
    if encoding.temperature {
        body.insert("temperature".into(), temperature(spec));
    }
    body
}

/// The path says whether to stream. TGI refuses a temperature of zero: not sampling means that.
fn tgi(encoding: &Encoding, spec: &RequestSpec<'_>, messages: &[(Role, Cow<'_, str>)]) -> Body {
    let sample = encoding.temperature && spec.temperature_milli > 0;
    let mut parameters = json!({ "max_new_tokens": spec.max_tokens, "details": true, "do_sample": sample });
    if sample {
        parameters["temperature"] = temperature(spec);
    }
    if let (SeedField::Seed, Some(seed)) = (encoding.seed_field, spec.seed) {
        parameters["seed"] = seed.into();
    }
    Body::from_iter([("inputs".to_owned(), prompt(messages)), ("parameters".to_owned(), parameters)])
}

fn ollama(encoding: &Encoding, spec: &RequestSpec<'_>, input: &str, value: Value) -> Body {
    let mut options = json!({ "num_predict": spec.max_tokens });
    if encoding.temperature {
        options["temperature"] = temperature(spec);
    }
    if let (SeedField::Seed, Some(seed)) = (encoding.seed_field, spec.seed) {
        options["seed"] = seed.into();
    }
    let mut body = Body::new();
    body.insert("model".into(), spec.model.into());
    body.insert(input.into(), value);
    body.insert("stream".into(), spec.stream.into());
    body.insert("options".into(), options);
    body
}

/// The texts whose vectors are wanted.
fn embeddings(spec: &RequestSpec<'_>, messages: &[(Role, Cow<'_, str>)]) -> Body {
    Body::from_iter([("model".to_owned(), spec.model.into()), ("input".to_owned(), prompt(messages))])
}

fn defeat_cache(body: &mut Body, encoding: &Encoding, spec: &RequestSpec<'_>) {
    let Some(nonce) = spec.nonce else { return };
    let (name, value) = match encoding.cache_defeat {
        CacheDefeat::Prefix => return,
        CacheDefeat::CacheSalt => ("cache_salt", nonce.into()),
        CacheDefeat::IsolationKey => ("prompt_cache_isolation_key", nonce.into()),
        CacheDefeat::UserId => ("user_id", nonce.into()),
        CacheDefeat::CachePromptFalse => ("cache_prompt", false.into()),
    };
    body.insert(name.into(), value);
}

/// Adds a field; an object goes into the object already there (`options`, `stream_options`).
fn add(body: &mut Body, name: &str, value: &Value) {
    if let (Some(Value::Object(present)), Value::Object(more)) = (body.get_mut(name), value) {
        present.extend(more.clone());
    } else {
        body.insert(name.to_owned(), value.clone());
    }
}

#[cfg(test)]
mod tests;
