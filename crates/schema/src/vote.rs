//! What people preferred of answers whose authors they did not know, and what their votes come to.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::summary::Estimate;
use crate::target::TargetName;
use crate::text::Untrusted;

/// Version of [`Vote`].
pub const VOTE_VERSION: u32 = 1;

/// Who wrote an answer: a model at a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Contender {
    /// The target's name.
    pub target: TargetName,
    /// The provider's id.
    pub provider: String,
    /// The model's id.
    pub model: Untrusted,
    /// Whether it is a simulated engine.
    #[serde(default)]
    pub simulated: bool,
}

/// What a person said of the answers shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    /// This one is the best.
    One(TargetName),
    /// They are all alike.
    AllAlike,
    /// No vote was given.
    Skipped,
}

/// One vote, a line of `votes.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vote {
    /// [`VOTE_VERSION`] of the writer.
    pub format_version: u32,
    /// When it was given.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The run that holds the answers.
    #[schemars(with = "String")]
    pub run_id: Uuid,
    /// Its folder, within the folder of results.
    pub run: String,
    /// What was asked, bounded.
    pub prompt: Untrusted,
    /// Whose answers were shown, in the order they were shown in: as A, as B, and so on.
    pub shown: Vec<Contender>,
    /// What was said of them.
    pub preference: Preference,
}

impl Vote {
    /// Whether it speaks of answers that were shown, of two or more, each once.
    pub fn is_sound(&self) -> bool {
        let names: std::collections::BTreeSet<_> = self.shown.iter().map(|contender| &contender.target).collect();
        let known = match &self.preference {
            Preference::One(name) => names.contains(name),
            Preference::AllAlike | Preference::Skipped => true,
        };
        known && names.len() == self.shown.len() && self.shown.len() >= 2
    }
}

/// What the votes for one contender come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Votes {
    /// Who.
    pub contender: Contender,
    /// Votes in which it was among those shown.
    pub shown: u64,
    /// Votes in which it was the best.
    pub preferred: u64,
    /// Votes in which it was shown and all were alike.
    pub alike: u64,
    /// The chance that it is preferred to a typical other, 0 to 1.
    pub chance: Estimate,
}

/// What all votes come to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// Votes that say something.
    pub votes: u64,
    /// Rounds in which no vote was given.
    pub skipped: u64,
    /// How often the answer shown first was preferred: a habit, where it is much more than its share.
    pub first_shown_preferred: u64,
    /// How often it would have been, had its place no say.
    pub first_shown_expected: f64,
    /// Contenders, most preferred first.
    pub contenders: Vec<Votes>,
    /// Contenders beyond those that can be told apart, shown less often than these.
    pub left_out: u64,
    /// How likely a lead like that of the first over each other would be by chance, corrected for having been picked
    /// out; absent without votes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader_p: Option<f64>,
    /// About how many more votes would tell whether the first is the first, if they fall as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_more: Option<u64>,
}

impl Tally {
    /// Whether the first is surely the first: at 5 %.
    pub fn has_leader(&self) -> bool {
        self.leader_p.is_some_and(|p| p <= 0.05)
    }
}
