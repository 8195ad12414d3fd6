//! The head of a run directory.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::Plan;
use crate::summary::{Calibration, Quality};

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
    /// Who measured.
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
    /// What went wrong on our side, or was noteworthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// SHA-256 of each sealed file, by its path within the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
}
