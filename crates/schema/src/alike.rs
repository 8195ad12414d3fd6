//! Whether what is compared is the same thing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; figures compare all the same.
    Note,
    /// Some figures compare loosely.
    Caution,
    /// Figures are not of the same thing.
    Unfair,
}

impl Severity {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Caution => "caution",
            Self::Unfair => "unfair",
        }
    }
}

/// In what two targets are unlike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// One is simulated, the other real.
    Reality,
    /// The models named.
    Model,
    /// The quantisations named.
    Quantisation,
    /// What was asked: prompts, their lengths, form of answer, conversations.
    Prompts,
    /// The output limit asked for, and whether it was forced.
    OutputLimit,
    /// Temperature.
    Sampling,
    /// How prompt caches were treated.
    CachePolicy,
    /// The load: kind, rate, concurrency.
    Load,
    /// How much was asked, warmed up or left out.
    Amount,
    /// The seed of what is random.
    Seed,
    /// The machine that measured.
    Machine,
    /// The version of the program that measured.
    Program,
    /// How answers came: protocol, streamed or whole, tokens an event.
    Streaming,
    /// How connections were made.
    Transport,
    /// Where arrivals were stamped.
    Stamps,
    /// How late requests left.
    ScheduleLag,
    /// Why answers ended.
    FinishReasons,
    /// How long answers were.
    OutputLengths,
    /// Where token counts come from.
    TokenSources,
    /// What share of the prompt a cache answered.
    CachedTokens,
    /// Whether TTFT falls into two groups.
    Bimodality,
    /// Whether the answers are the same text.
    Answers,
    /// Whether an answer is the same each time.
    Determinism,
}

/// One way in which a comparison is not like with like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Unlike {
    /// How much it matters.
    pub severity: Severity,
    /// In what.
    pub what: Aspect,
    /// What was found, with its numbers and what follows for reading the comparison: one sentence without a full
    /// stop.
    pub detail: String,
}
