//! The prompts and the output lengths asked for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spread::Lengths;

/// One prompt, ready to send.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Prompt {
    /// Optional system message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The user's message.
    pub user: String,
    /// Output limit of this prompt; `None`: the workload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// What the user says in later turns, each after the answer to the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followups: Vec<String>,
    /// Pictures beside the first message: data URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Tokens that the text of the first message was made of, system message included; `None`: not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u32>,
}

impl Prompt {
    /// One message and nothing else.
    pub fn of(user: impl Into<String>) -> Self {
        Self { user: user.into(), ..Self::default() }
    }
}

/// Built-in prompt sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A question of about 40 tokens.
    #[default]
    Short,
    /// A task with context, about 500 tokens.
    Medium,
    /// A long document with a question, about 4,000 tokens.
    Long,
}

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "short" => Ok(Self::Short),
            "medium" => Ok(Self::Medium),
            "long" => Ok(Self::Long),
            _ => Err(format!("`{text}` is not a prompt size: use short, medium or long")),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
        })
    }
}

/// Where prompts come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PromptSource {
    /// A built-in set.
    BuiltIn(Size),
    /// One text, given on the command line.
    Text(String),
    /// A file: one prompt a line, JSONL, CSV or ShareGPT's JSON.
    File(PathBuf),
    /// Text made up, this many tokens long.
    Synthetic(Lengths),
    /// Text made up, as long as the replayed trace says.
    Trace,
    /// A built-in scene: one conversation.
    Scenario(Scenario),
    /// Conversations in which facts are told early and asked for later.
    Memory(Memory),
}

/// Built-in scenes with a person in them who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// A customer and a shop.
    CustomerSupport,
    /// A developer and a reviewer.
    CodeReview,
    /// A writer and a co-author.
    CreativeWriting,
    /// An engineer on call and a manual.
    TechnicalDocumentation,
    /// An analyst and a table.
    BusinessIntelligence,
}

/// A name or number that no scenario has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is no scenario")]
#[diagnostic(
    code(schema::scenario),
    help(
        "use a number from 1 to 5, or customer-support, code-review, creative-writing, technical-documentation or \
         business-intelligence"
    )
)]
pub struct ScenarioError(String);

impl Scenario {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::CustomerSupport,
        Self::CodeReview,
        Self::CreativeWriting,
        Self::TechnicalDocumentation,
        Self::BusinessIntelligence,
    ];

    /// What it is called where one writes it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::CustomerSupport => "customer-support",
            Self::CodeReview => "code-review",
            Self::CreativeWriting => "creative-writing",
            Self::TechnicalDocumentation => "technical-documentation",
            Self::BusinessIntelligence => "business-intelligence",
        }
    }

    /// Its number, from 1.
    pub fn number(self) -> usize {
        1 + Self::ALL.iter().take_while(|one| **one != self).count()
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;
    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let wanted = |one: &&Self| one.id() == text || one.number().to_string() == text;
        Self::ALL.iter().find(wanted).copied().ok_or_else(|| ScenarioError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// What conversations are made of that ask later for what was told early. With the plan's seed and the workload's turns
/// it decides every word of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// Facts told in the first turns of each conversation, two a turn, and asked for one by one.
    pub facts: u32,
    /// About how many tokens of other matter each turn between brings.
    pub passage_tokens: u32,
}

/// Names of the columns, or of the fields of JSONL objects, that prompts are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Columns {
    /// The user's message.
    pub prompt: String,
    /// System message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Output limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<String>,
    /// A picture: a data URL, or a list of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// Beginnings that requests share, so that a prefix cache has something to find.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SharedPrefix {
    /// Different beginnings.
    pub groups: u32,
    /// Tokens of each.
    pub tokens: u32,
    /// Share of requests that begin with their group's, 0 to 1. The others begin with as many tokens of their own.
    pub share: f64,
}

/// Pictures made up for each request: noise, so that no two are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Images {
    /// Pictures a request.
    pub per_request: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// What form of answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerForm {
    /// Text.
    #[default]
    Text,
    /// A JSON object: OpenAI's `response_format`, Ollama's `format`, TGI's grammar.
    Json,
    /// A call of the built-in example tool, which the model must call.
    Tool,
}

/// The prompts and the output lengths asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Workload {
    /// Where prompts come from.
    pub prompts: PromptSource,
    /// Output limit of every request.
    pub max_tokens: u32,
    /// Whether to force that length where the target can.
    pub force_length: bool,
    /// Whether prompt caches are defeated.
    pub defeat_cache: bool,
    /// Sampling temperature in thousandths, where the target takes one.
    pub temperature_milli: u32,
    /// Whether answers are streamed.
    pub stream: bool,
    /// How long answers are to be, in place of `max_tokens`, where the prompt does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<Lengths>,
    /// Output tokens asked of warm-up requests at most; absent: as many as of any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_max_tokens: Option<u32>,
    /// The user's turns of a conversation at most; 1: every request stands alone.
    #[serde(default = "one")]
    pub turns: u32,
    /// Where prompts are found in a file with names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Columns>,
    /// Beginnings that requests share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<SharedPrefix>,
    /// Pictures made up for each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Images>,
    /// What form of answer is asked for.
    #[serde(default)]
    pub answer: AnswerForm,
    /// A `tokenizer.json` that counts tokens here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
}

const fn one() -> u32 {
    1
}

impl Workload {
    /// Single streamed requests for so many tokens, with nothing special about them.
    pub const fn plain(prompts: PromptSource, max_tokens: u32) -> Self {
        Self {
            prompts,
            max_tokens,
            force_length: false,
            defeat_cache: false,
            temperature_milli: 0,
            stream: true,
            output_tokens: None,
            warmup_max_tokens: None,
            turns: 1,
            columns: None,
            prefix: None,
            images: None,
            answer: AnswerForm::Text,
            tokenizer: None,
        }
    }
}
