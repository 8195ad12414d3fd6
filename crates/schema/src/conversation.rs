//! Conversations in which facts are told early and asked for later: what is said in them, and what came of it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::{FailureClass, TokenSource};
use crate::summary::Estimate;
use crate::text::Untrusted;
use crate::units::{Nanos, Usd};

/// What kind of value a fact has; it decides how an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Letters and digits: `KT-4821`.
    Code,
    /// A whole number: `4317`.
    Number,
    /// A person, first and last name.
    Name,
    /// A made-up place of one word.
    Place,
}

/// Something said once, drawn so that nobody can guess it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The kind of its value.
    pub kind: FactKind,
    /// What it is about, as it stands in a sentence: `the code of the bicycle shed`.
    pub subject: String,
    /// What is to be remembered of it.
    pub value: String,
    /// The turn that tells it, from 0.
    pub told_in: u32,
}

/// What a turn is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// It tells facts.
    Tells,
    /// It brings other matter, so that the context grows.
    Distracts,
    /// It asks for a fact.
    Asks,
}

impl Purpose {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Tells => "tells",
            Self::Distracts => "distracts",
            Self::Asks => "asks",
        }
    }
}

/// What the user says in one turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The words.
    pub text: String,
    /// About how many tokens they are; an estimate.
    pub tokens: u32,
    /// What for.
    pub purpose: Purpose,
    /// The fact that is asked for, by its place in [`Script::facts`].
    pub asks: Option<usize>,
}

/// One conversation as the user has it: the same whoever answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// In the order they are told.
    pub facts: Vec<Fact>,
    /// Turn by turn.
    pub lines: Vec<Line>,
}

/// How an answer to a question stands to what was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recall {
    /// It names the value, before any other that was told, and none of its kind beside it.
    Right,
    /// It names a part of the value, or the value among or after others. A miss.
    Partial,
    /// It names another value that was told in the same conversation. A miss.
    Confused,
    /// It names neither. A miss.
    Wrong,
    /// It says that it does not know. A miss.
    Unknown,
    /// The server refused the request: the conversation is more than it takes. A miss.
    Refused,
    /// The request failed in a way that says nothing of memory: counted apart.
    Unanswered,
}

impl Recall {
    /// Whether it is one of the answers that retention is the share of right ones of.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Unanswered)
    }

    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Partial => "partial",
            Self::Confused => "confused",
            Self::Wrong => "wrong",
            Self::Unknown => "does not know",
            Self::Refused => "refused",
            Self::Unanswered => "no answer",
        }
    }
}

impl fmt::Display for Recall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.in_words())
    }
}

/// A school grade for a share of right answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Grade {
    /// 95 % and more.
    A,
    /// 85 % and more.
    B,
    /// 70 % and more.
    C,
    /// 50 % and more.
    D,
    /// Less.
    F,
}

impl Grade {
    /// The grade of `share`, 0 to 1.
    pub fn of(share: f64) -> Self {
        let grades = [(0.95, Self::A), (0.85, Self::B), (0.7, Self::C), (0.5, Self::D)];
        grades.into_iter().find(|(least, _)| share >= *least).map_or(Self::F, |(_, grade)| grade)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        })
    }
}

/// One question and what was answered: what a grade is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Which conversation of its target.
    pub conversation: u64,
    /// What was asked for.
    pub subject: String,
    /// The value that was told.
    pub value: String,
    /// The turn that told it, from 0.
    pub told_in: u32,
    /// The turn that asked for it, from 0.
    pub asked_in: u32,
    /// Tokens of context from the end of the request that told it to the end of the one that asked; absent where
    /// either is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_tokens: Option<u64>,
    /// The verdict.
    pub recall: Recall,
    /// The part of the answer that decided it, bounded; empty where nothing was said.
    pub excerpt: Untrusted,
}

impl Evidence {
    /// Turns between telling and asking.
    pub const fn distance_turns(&self) -> u32 {
        self.asked_in.saturating_sub(self.told_in)
    }
}

/// Questions asked equally late, and how many were answered right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AtDistance {
    /// Fewest turns from telling to asking.
    pub turns_from: u32,
    /// Most turns.
    pub turns_to: u32,
    /// Questions answered.
    pub asked: u64,
    /// Those answered right.
    pub right: u64,
    /// right ÷ asked with Wilson's 95 % interval.
    pub share: Estimate,
}

/// How much of what it was told a target could tell later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Retention {
    /// Questions answered, or refused for the length of the conversation.
    pub asked: u64,
    /// Those answered right.
    pub right: u64,
    /// Questions whose request failed otherwise, which say nothing of memory.
    pub unanswered: u64,
    /// Questions of conversations that broke off before them.
    pub not_reached: u64,
    /// right ÷ asked, 0 to 1, with Wilson's 95 % interval; absent when nothing was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Estimate>,
    /// The grade of that share; absent below six questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// The grades of the interval's upper and lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade_range: Option<(Grade, Grade)>,
    /// By distance in turns, nearest first.
    pub by_distance: Vec<AtDistance>,
    /// Fisher's exact test of the nearer half of the questions against the farther: p, two-sided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near_far_p: Option<f64>,
    /// All questions, in the order they were asked.
    pub evidence: Vec<Evidence>,
}

/// One turn as it was had.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// Which conversation of its target.
    pub conversation: u64,
    /// Its number in it, from 0.
    pub turn: u32,
    /// What it was there for.
    pub purpose: Purpose,
    /// Input tokens: all that was said so far, and what the server adds; absent when neither known nor to be estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// Whether that is an estimate (from characters, and the output tokens of earlier answers) and not the server's count.
    pub estimated: bool,
    /// Input tokens taken from a cache, where the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_tokens: Option<u64>,
    /// TTFT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ns: Option<Nanos>,
    /// TPOT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_ns: Option<f64>,
    /// Output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Where they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_source: Option<TokenSource>,
    /// What it cost; absent without a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<Usd>,
    /// How it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureClass>,
}

/// A line through TTFT over tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TokenSlope {
    /// Turns that it goes through.
    pub turns: u64,
    /// Nanoseconds of TTFT for each 1,000 tokens more: Theil–Sen with its 95 % interval.
    pub per_1k_tokens_ns: Estimate,
    /// TTFT at no tokens, nanoseconds.
    pub at_zero_ns: f64,
}

/// Whether a prompt cache keeps TTFT from growing with the context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flattening {
    /// TTFT grows by less for a token of context than for a token that has to be read: the intervals are apart.
    Flattens,
    /// Tokens came from a cache, but the intervals are not apart.
    NotShown,
    /// The server reports cached tokens, and there were none.
    NoCache,
    /// The server does not say what it took from a cache.
    NotReported,
}

/// All that conversations with one target came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conversations {
    /// Conversations begun.
    pub begun: u64,
    /// Those that came to their last turn and got an answer to it.
    pub finished: u64,
    /// Those that a failed turn ended: others are begun in what room they leave.
    #[serde(default)]
    pub broken_off: u64,
    /// Turns of a whole conversation.
    pub turns_each: u32,
    /// Every turn, in order.
    pub turns: Vec<Turn>,
    /// TTFT over the context's length, in turns that bring little themselves: those that tell or ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_context: Option<TokenSlope>,
    /// TTFT over the tokens that were not cached, in all turns; absent where that is not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_read: Option<TokenSlope>,
    /// Input tokens of the turns that say what was cached.
    pub reported_input_tokens: u64,
    /// Of these, the cached ones.
    pub cached_input_tokens: u64,
    /// What follows for caching.
    pub flattening: Flattening,
    /// What was remembered.
    pub retention: Retention,
}
