//! A run told as what people live through: sentences whose numbers were measured or made of assumptions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::projection::Assumption;
use crate::target::TargetName;

/// One person's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Chapter {
    /// Whose it is: `The impatient customer`.
    pub title: String,
    /// Its sentences, in order; each number with its interval.
    pub sentences: Vec<String>,
}

/// A run's stories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Story {
    /// The run's name.
    pub name: String,
    /// Whom it is about.
    pub target: TargetName,
    /// Which of its run's targets were simulated, in words: `SIMULATED`, `partly SIMULATED: a, b`; empty where none was.
    pub simulated: String,
    /// One a person.
    pub chapters: Vec<Chapter>,
    /// Every assumption in it.
    pub assumptions: Vec<Assumption>,
}
