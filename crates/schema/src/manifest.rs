//! The head of a run directory.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::Plan;
use crate::summary::{Calibration, Quality};
use crate::target::TargetName;
use crate::text::Untrusted;
use crate::units::Nanos;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Going on, or died without saying so.
    Running,
    /// Done.
    Complete,
    /// Stopped by the user; what was measured is kept.
    Interrupted,
    /// We could not go on; what was measured is kept.
    Failed,
}

impl Status {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// The machine that measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Operating system and kernel release.
    pub os: String,
    /// Processor model.
    pub cpu: String,
    /// Logical processors.
    pub cores: u32,
    /// Main memory in bytes; 0 = not known.
    pub memory_bytes: u64,
}

/// State of the repository the command was started in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Git {
    /// Commit.
    pub commit: String,
    /// Branch, where on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// The run's zero on two clocks, so that instants can be placed in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Epoch {
    /// `CLOCK_MONOTONIC` of this machine at the run's zero; 0 = not known.
    pub monotonic_ns: u64,
    /// Wall time at the run's zero.
    #[schemars(with = "String")]
    pub wall: Timestamp,
}

/// A word that people put on runs: letters, digits, `.`, `_`, `-`, `:`, `/`, `=`; at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Tag(String);

impl Tag {
    /// The word as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A word that cannot be a tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` cannot be a tag")]
#[diagnostic(
    code(schema::tag),
    help("use 1 to 64 letters, digits, `.`, `_`, `-`, `:`, `/` or `=`, beginning with a letter or digit")
)]
pub struct TagError(pub String);

impl FromStr for Tag {
    type Err = TagError;
    fn from_str(text: &str) -> Result<Self, TagError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/=".contains(&b))
            && text.as_bytes()[0].is_ascii_alphanumeric();
        if fits { Ok(Self(text.to_owned())) } else { Err(TagError(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for Tag {
    type Error = TagError;
    fn try_from(text: String) -> Result<Self, TagError> {
        text.parse()
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where the records of a run came from that was not measured as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Another run, whose records are among these.
    Run {
        /// Its id.
        run_id: String,
        /// Its name.
        name: String,
        /// When it began.
        #[schemars(with = "String")]
        started: Timestamp,
        /// Its seed.
        seed: u64,
        /// Requests it brought, warm-up included.
        requests: u64,
        /// Who measured it, where that was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        machine: Option<Machine>,
        /// What was found of its targets before they were measured.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        found: Vec<Found>,
    },
    /// A file that lay about.
    File {
        /// Its path, as it was named.
        path: String,
        /// SHA-256 of its bytes, in hex.
        sha256: String,
    },
}

/// What was found of a target before it was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// Whose.
    pub target: TargetName,
    /// What its server said of itself, where it was asked; in the order in which it is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<Said>,
    /// The shortest TCP handshake of the connections that were opened ahead, a proxy's CONNECT included: without one, a round
    /// trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ns: Option<Nanos>,
}

/// One thing that a server said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    /// What it is: `context`.
    pub name: String,
    /// As it was said: `131072 tokens`.
    pub value: Untrusted,
    /// The page that said so, by its path, or in words what gave it away.
    pub source: String,
}

/// `manifest.json`: written first, replaced atomically at each change of status.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// [`crate::FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// Unique and sortable.
    #[schemars(with = "String")]
    pub run_id: Uuid,
    /// Where it stands.
    pub status: Status,
    /// Version of the program.
    pub program_version: String,
    /// The resolved plan: what was asked.
    pub plan: Plan,
    /// Whether any target is simulated.
    pub simulated: bool,
    /// The run's zero.
    pub epoch: Epoch,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub ended: Option<Timestamp>,
    /// Who measured; of a run that was put together, who measured the first of those it is made of.
    pub machine: Machine,
    /// The repository, if started in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
    /// Requests recorded, warm-up included, at the seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// The verdict on the run, at the seal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// This machine's own floor, where it was measured beside the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// What was found of its targets before they were measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<Found>,
    /// Words that people put on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where its records came from, if it was not measured as it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// What went wrong on our side, or was noteworthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// SHA-256 of each sealed file, by its path within the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest of a run that begins: nothing has come of it yet, and nobody has said more about it.
    pub fn begun(run_id: Uuid, program_version: String, plan: Plan, epoch: Epoch, machine: Machine) -> Self {
        Self {
            format_version: crate::FORMAT_VERSION,
            run_id,
            status: Status::Running,
            program_version,
            simulated: plan.targets.iter().any(|target| target.simulated),
            plan,
            epoch,
            ended: None,
            machine,
            git: None,
            requests: None,
            quality: None,
            calibration: None,
            found: Vec::new(),
            tags: Vec::new(),
            sources: Vec::new(),
            notes: Vec::new(),
            checksums: BTreeMap::new(),
        }
    }
}
