//! Whom we measure: one provider at one endpoint serving one model, with its price.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, Serializer};
use url::Url;

use crate::plan::{AnswerForm, Workload};
use crate::units::Usd;

/// A target's name: what tables, folders and charts call it. Letters, digits, `.`, `_`, `-`; at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct TargetName(Arc<str>);

impl TargetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A name that cannot be a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` cannot name a target")]
#[diagnostic(
    code(schema::target_name),
    help("use 1 to 64 letters, digits, `.`, `_` or `-`, beginning with a letter or digit")
)]
pub struct NameError(pub String);

impl FromStr for TargetName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if fits { Ok(Self(text.into())) } else { Err(NameError(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for TargetName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl Serialize for TargetName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The protocol spoken: which bodies are sent and which come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `POST …/chat/completions`, SSE.
    OpenaiChat,
    /// `POST …/completions`, SSE.
    OpenaiCompletions,
    /// `POST /v1/messages`, SSE with named events.
    Anthropic,
    /// TGI's own `POST /generate_stream`, SSE.
    Tgi,
    /// `POST /api/chat`, NDJSON.
    OllamaChat,
    /// `POST /api/generate`, NDJSON.
    OllamaGenerate,
    /// `POST …/embeddings`: one JSON answer.
    OpenaiEmbeddings,
    /// `POST /api/embed`: one JSON answer.
    OllamaEmbed,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::OpenaiChat,
        Self::OpenaiCompletions,
        Self::Anthropic,
        Self::Tgi,
        Self::OllamaChat,
        Self::OllamaGenerate,
        Self::OpenaiEmbeddings,
        Self::OllamaEmbed,
    ];

    /// What it is called where one writes it, as in plans and records.
    pub const fn id(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai-chat",
            Self::OpenaiCompletions => "openai-completions",
            Self::Anthropic => "anthropic",
            Self::Tgi => "tgi",
            Self::OllamaChat => "ollama-chat",
            Self::OllamaGenerate => "ollama-generate",
            Self::OpenaiEmbeddings => "openai-embeddings",
            Self::OllamaEmbed => "ollama-embed",
        }
    }

    /// Whether it asks for vectors, not for text.
    pub const fn embeds(self) -> bool {
        matches!(self, Self::OpenaiEmbeddings | Self::OllamaEmbed)
    }

    /// Whether pictures can be sent along with a text.
    pub const fn takes_images(self) -> bool {
        !matches!(self, Self::OpenaiCompletions | Self::OpenaiEmbeddings | Self::OllamaEmbed)
    }

    /// Whether an answer of this form can be asked for.
    pub const fn takes_answer(self, form: AnswerForm) -> bool {
        match form {
            AnswerForm::Text => true,
            AnswerForm::Json => matches!(self, Self::OpenaiChat | Self::Tgi | Self::OllamaChat | Self::OllamaGenerate),
            AnswerForm::Tool => matches!(self, Self::OpenaiChat | Self::Anthropic | Self::OllamaChat),
        }
    }

    /// What of `workload` cannot be asked for in this dialect, each in a sentence; `images`: whether its prompts
    /// hold pictures. A run has to be refused over any of them: what cannot be written is left out of requests.
    pub fn misfits(self, workload: &Workload, images: bool) -> Vec<String> {
        let mut misfits = Vec::new();
        if images && !self.takes_images() {
            misfits.push(format!("{self} takes no pictures"));
        }
        if !self.takes_answer(workload.answer) {
            misfits.push(match workload.answer {
                AnswerForm::Json => format!("{self} has no word for an answer in JSON"),
                _ => format!("{self} knows no tools"),
            });
        }
        if workload.turns > 1 && self.embeds() {
            misfits.push(format!("{self} holds no conversations"));
        }
        misfits
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OpenaiChat => "OpenAI chat",
            Self::OpenaiCompletions => "OpenAI completions",
            Self::Anthropic => "Anthropic messages",
            Self::Tgi => "TGI generate",
            Self::OllamaChat => "Ollama chat",
            Self::OllamaGenerate => "Ollama generate",
            Self::OpenaiEmbeddings => "OpenAI embeddings",
            Self::OllamaEmbed => "Ollama embed",
        })
    }
}

/// What the output-length limit is called in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_tokens`.
    #[default]
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// How, if at all, the output can be made exactly as long as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForceLength {
    /// It cannot: short answers are counted and reported.
    #[default]
    No,
    /// `ignore_eos: true`.
    IgnoreEos,
    /// `min_tokens: N`.
    MinTokens,
    /// Both fields.
    IgnoreEosAndMinTokens,
}

/// What the seed is called in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeedField {
    /// Not accepted: none is sent.
    #[default]
    None,
    /// `seed`.
    Seed,
    /// `random_seed`.
    RandomSeed,
}

/// How a prompt cache is kept out of a measurement, on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CacheDefeat {
    /// A random string as the first characters of the first message. Works everywhere.
    #[default]
    Prefix,
    /// A random `cache_salt` (vLLM, SGLang).
    CacheSalt,
    /// A random `prompt_cache_isolation_key` (Fireworks).
    IsolationKey,
    /// A random `user_id` (DeepSeek).
    UserId,
    /// `cache_prompt: false` (llama.cpp).
    CachePromptFalse,
}

/// How an answer in JSON is asked for over OpenAI's chat, in `response_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JsonField {
    /// `{"type": "json_object"}`.
    #[default]
    Object,
    /// The same with a schema in `value` (TGI).
    ObjectWithValue,
    /// `{"type": "json_schema", …}` (LM Studio).
    Schema,
}

impl JsonField {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
    fn is_object(&self) -> bool {
        *self == Self::Object
    }
}

/// How a request body is written for one provider: its quirks, as data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Encoding {
    /// Name of the output limit.
    pub max_tokens_field: MaxTokensField,
    /// Whether `stream_options: {include_usage: true}` is understood.
    pub stream_options: bool,
    /// Whether `temperature` may be sent.
    pub temperature: bool,
    /// Name of the seed.
    pub seed_field: SeedField,
    /// How the output length is forced.
    pub force_length: ForceLength,
    /// How prompt caches are defeated.
    pub cache_defeat: CacheDefeat,
    /// How an answer in JSON is asked for.
    #[serde(default, skip_serializing_if = "JsonField::is_object")]
    pub json_field: JsonField,
    /// Further fields, sent as they are with every request (`perf_metrics_in_response: true`).
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

/// How a key is presented. The key itself is never part of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthScheme {
    /// No key is needed.
    #[default]
    None,
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY`.
    XApiKey,
}

/// Price of one model, US dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Input tokens.
    pub input_per_mtok_usd: Usd,
    /// Output tokens, reasoning included.
    pub output_per_mtok_usd: Usd,
    /// Input tokens the provider took from its cache; none listed: charged as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_per_mtok_usd: Option<Usd>,
    /// The day the figures were looked up.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Where they were found.
    pub source: String,
    /// What limits them: off-peak hours, announced changes, a stale date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Price {
    /// What so many tokens cost, exactly: (input − cached) × input price + cached × cached price + output ×
    /// output price, per million. `input` includes the cached ones; without a cached price they cost as input.
    pub fn of_tokens(&self, input: u64, cached: u64, output: u64) -> Usd {
        let cached = cached.min(input);
        let cached_price = self.cached_input_per_mtok_usd.unwrap_or(self.input_per_mtok_usd);
        let millions =
            self.input_per_mtok_usd * (input - cached) + cached_price * cached + self.output_per_mtok_usd * output;
        millions / 1_000_000
    }
}

/// One provider at one endpoint serving one model: what is measured. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// What it is called, unique in its run.
    pub name: TargetName,
    /// The provider's id: `groq`, `vllm`.
    pub provider: String,
    /// The model's id at this provider.
    pub model: String,
    /// Where requests go, path included. Never holds user information.
    pub url: Url,
    /// The protocol spoken there.
    pub dialect: Dialect,
    /// How bodies are written.
    pub encoding: Encoding,
    /// How the key is presented.
    pub auth: AuthScheme,
    /// Environment variable the key comes from, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_variable: Option<String>,
    /// Headers sent with every request (`anthropic-version`). Never a secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// What it costs, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Its own metrics page, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_url: Option<Url>,
    /// Whether it is one of our simulated engines: then everything says SIMULATED.
    #[serde(default)]
    pub simulated: bool,
}

impl Target {
    /// A real target that speaks OpenAI's chat, with nothing special about it: no key, no headers, no known price.
    pub fn plain(name: TargetName, provider: impl Into<String>, model: impl Into<String>, url: Url) -> Self {
        Self {
            name,
            provider: provider.into(),
            model: model.into(),
            url,
            dialect: Dialect::OpenaiChat,
            encoding: Encoding::default(),
            auth: AuthScheme::None,
            key_variable: None,
            headers: Vec::new(),
            price: None,
            metrics_url: None,
            simulated: false,
        }
    }

    /// Whether its output can be made exactly as long as asked: only OpenAI's dialects have a field for it.
    pub fn can_force_length(&self) -> bool {
        let has_field = matches!(self.dialect, Dialect::OpenaiChat | Dialect::OpenaiCompletions);
        has_field && self.encoding.force_length != ForceLength::No
    }
}

/// A target with its key: what `transport` is handed.
#[derive(Debug, Clone)]
pub struct Credentialed {
    /// The target.
    pub target: Target,
    /// Its key, if it needs one.
    pub key: Option<SecretString>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_safe_folder() {
        for good in ["groq", "vllm-2", "a.b_c", "7b"] {
            assert!(good.parse::<TargetName>().is_ok(), "{good}");
        }
        for bad in ["", "..", "a/b", "-x", "a b", &"x".repeat(65)] {
            assert!(bad.parse::<TargetName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_length_is_forced_only_in_words_that_the_dialect_has() {
        let target = |dialect: &str| -> Target {
            let (encoding, auth) =
                (Encoding { force_length: ForceLength::IgnoreEos, ..Encoding::default() }, AuthScheme::None);
            serde_json::from_value(serde_json::json!({
                "name": "a", "provider": "vllm", "model": "m", "url": "http://x/", "dialect": dialect,
                "encoding": encoding, "auth": auth
            }))
            .unwrap()
        };
        assert!(target("openai-chat").can_force_length());
        assert!(!target("anthropic").can_force_length() && !target("tgi").can_force_length());
    }

    #[test]
    fn a_dialect_is_written_by_its_id() {
        for dialect in Dialect::ALL {
            assert_eq!(serde_json::to_value(dialect).unwrap(), dialect.id());
        }
    }

    #[test]
    fn what_a_dialect_has_no_words_for_is_told() {
        let asked = |answer, turns| {
            let plain = Workload::plain(crate::plan::PromptSource::BuiltIn(crate::plan::Size::Short), 8);
            Workload { turns, answer, ..plain }
        };
        let misfits = |dialect: Dialect, answer, turns, images| dialect.misfits(&asked(answer, turns), images);
        for dialect in Dialect::ALL {
            assert!(misfits(dialect, AnswerForm::Text, 1, false).is_empty(), "{dialect}");
        }
        for answer in [AnswerForm::Text, AnswerForm::Json, AnswerForm::Tool] {
            assert!(misfits(Dialect::OpenaiChat, answer, 3, true).is_empty());
            assert!(misfits(Dialect::OllamaChat, answer, 3, true).is_empty());
        }
        assert_eq!(
            misfits(Dialect::OllamaEmbed, AnswerForm::Tool, 2, true),
            ["Ollama embed takes no pictures", "Ollama embed knows no tools", "Ollama embed holds no conversations"]
        );
        let json = |dialect| misfits(dialect, AnswerForm::Json, 1, false);
        assert_eq!(json(Dialect::Anthropic), ["Anthropic messages has no word for an answer in JSON"]);
        assert_eq!(json(Dialect::OpenaiCompletions), ["OpenAI completions has no word for an answer in JSON"]);
        assert!(json(Dialect::Tgi).is_empty());
        assert_eq!(misfits(Dialect::Tgi, AnswerForm::Tool, 1, true), ["TGI generate knows no tools"]);
    }

    #[test]
    fn a_key_prints_as_nothing() {
        let key = SecretString::from("sk-canary");
        assert!(!format!("{key:?}").contains("canary"));
    }
}
