//! What is to be done: validated, fully resolved, printable. A plan that exists is valid.

mod adapt;
mod judging;
mod load;
mod slo;
mod spread;
mod workload;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::target::Target;
use crate::units::{Nanos, Usd};

pub use adapt::{Axis, Precision, PrecisionError, Retry, Search};
pub use judging::{Judging, Tie, TieError, Weights, WeightsError};
pub use load::{Arrival, ArrivalError, Load, Stage, StageError, StageSpec, WhenFull};
pub use slo::{Slo, SloError};
pub use spread::{Lengths, Pause, Spread, SpreadError};
pub use workload::{
    AnswerForm, Columns, Images, Memory, Prompt, PromptSource, Scenario, ScenarioError, SharedPrefix, Size, Workload,
};

/// When a target has been measured enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// After this many requests.
    Requests(u64),
    /// After this long (summed over the target's blocks); requests in flight may finish within the grace period.
    DurationNs(Nanos),
}

/// Time limits of one request, each its own outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimeLimits {
    /// DNS, TCP and TLS together.
    pub connect_ns: Nanos,
    /// `start` to the first content.
    pub first_token_ns: Nanos,
    /// Between events.
    pub gap_ns: Nanos,
    /// `start` to the end.
    pub total_ns: Nanos,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            connect_ns: Nanos::from_secs(10),
            first_token_ns: Nanos::from_secs(120),
            gap_ns: Nanos::from_secs(60),
            total_ns: Nanos::from_secs(600),
        }
    }
}

/// Size bounds of one answer: hostile or broken servers end as `too_large`, not as our memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SizeLimits {
    /// The response head.
    pub head_bytes: u32,
    /// One event, all its lines together.
    pub event_bytes: u32,
    /// The whole body.
    pub body_bytes: u64,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self { head_bytes: 64 << 10, event_bytes: 1 << 20, body_bytes: 64 << 20 }
    }
}

/// Which HTTP version is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HttpChoice {
    /// HTTP/1.1: the finest kernel stamps.
    #[default]
    Http1,
    /// HTTP/2, one stream a connection; by ALPN over TLS, prior knowledge on plain connections.
    Http2,
}

/// How connections are made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TransportPlan {
    /// HTTP version.
    pub http: HttpChoice,
    /// Time limits.
    pub limits: TimeLimits,
    /// Size bounds.
    pub sizes: SizeLimits,
    /// TLS certificates are not verified: `--insecure`, recorded here.
    pub insecure: bool,
    /// Trust the bundled Mozilla roots, not the system's.
    pub bundled_roots: bool,
    /// Proxy for TLS targets, from `HTTPS_PROXY`, without user information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Ask the kernel for no time stamps (comparison only).
    pub user_space_stamps: bool,
}

/// Targets × workload × load, executed once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The run's name; its folder is named after it.
    pub name: String,
    /// Who is asked.
    pub targets: Vec<Target>,
    /// What is asked.
    pub workload: Workload,
    /// When it is asked.
    pub load: Load,
    /// When it is enough, for each target.
    pub stop: Stop,
    /// How long requests in flight may take after that.
    pub grace_ns: Nanos,
    /// Requests per target before anything counts.
    pub warmup: u64,
    /// Blocks each target's requests are divided into; targets take turns block by block in seeded random order.
    pub blocks: u32,
    /// The seed of everything random.
    pub seed: u64,
    /// Bounds to be met.
    #[serde(default)]
    pub slos: Vec<Slo>,
    /// Stop before more than this is spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<Usd>,
    /// How connections are made.
    pub transport: TransportPlan,
    /// Whether generated text is kept in the records.
    pub keep_text: bool,
    /// Folder that holds the run directories.
    pub out: PathBuf,
    /// Measuring at more than one level of load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// Going on until a figure is precise enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Precision>,
    /// Sending again what failed in a way that may pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Stay below the limits that a provider publishes in its headers, and wait as long as it asks.
    #[serde(default)]
    pub respect_limits: bool,
    /// A target that fails this many requests in a row as if it were down is dropped from the rotation; 0: never.
    #[serde(default)]
    pub drop_after: u32,
    /// How often the targets' own metrics are read; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrape_ns: Option<Nanos>,
    /// A page of GPU metrics (DCGM exporter) that belongs to all targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_metrics: Option<Url>,
    /// How winners are told.
    #[serde(default)]
    pub judging: Judging,
    /// All targets are measured at the same time, each block begun at one instant, and not in turns: a race. They
    /// share this machine and its network while it lasts.
    #[serde(default)]
    pub side_by_side: bool,
}

impl Plan {
    /// A plan with nothing beyond what is asked of whom and when: no warm-up, one block, no grace, seed 0, no bounds,
    /// nothing that stops, slows or adapts it, and no folder.
    pub fn plain(name: impl Into<String>, targets: Vec<Target>, workload: Workload, load: Load, stop: Stop) -> Self {
        Self {
            name: name.into(),
            targets,
            workload,
            load,
            stop,
            grace_ns: Nanos::ZERO,
            warmup: 0,
            blocks: 1,
            seed: 0,
            slos: Vec::new(),
            budget_usd: None,
            transport: TransportPlan::default(),
            keep_text: false,
            out: PathBuf::new(),
            search: None,
            until: None,
            retry: None,
            respect_limits: false,
            drop_after: 0,
            scrape_ns: None,
            gpu_metrics: None,
            judging: Judging::default(),
            side_by_side: false,
        }
    }
}
