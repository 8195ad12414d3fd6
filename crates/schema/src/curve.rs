//! What a search over levels of load found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::{Axis, Load, Slo};
use crate::summary::{Estimate, SloStatus, Trust};
use crate::target::TargetName;
use crate::units::Moment;

/// A step of a search: one level of load held for a while. As it is recorded; figures are made of its records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Its number, from 0, as its records have it.
    pub number: u32,
    /// Whose.
    pub target: TargetName,
    /// The level: requests per second offered, or streams.
    pub level: f64,
    /// The load at that level; an open loop's rate is such that just as many requests as the level says fall into the step.
    pub load: Load,
    /// When it began.
    pub began_ns: Moment,
    /// When sending ended.
    pub ended_ns: Moment,
    /// Why it was ended early: the target could not keep up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut_short: Option<String>,
}

/// One level of load and what came of it, all steps at that level together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurvePoint {
    /// Requests per second offered, or streams.
    pub level: f64,
    /// Numbers of its steps.
    pub steps: Vec<u32>,
    /// Requests that were due.
    pub attempted: u64,
    /// Requests that completed.
    pub completed: u64,
    /// Requests per second that were offered: what was due ÷ the window; closed loop: what was sent.
    pub offered_requests_per_s: f64,
    /// Completed requests per second.
    pub requests_per_s: Estimate,
    /// Output tokens per second.
    pub output_tokens_per_s: Estimate,
    /// Requests per second that met every SLO; absent without SLOs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goodput_requests_per_s: Option<f64>,
    /// Time average of the requests in flight.
    pub mean_in_flight: f64,
    /// Median TTFT, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_p50_ns: Option<Estimate>,
    /// 95th percentile of TTFT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_p95_ns: Option<Estimate>,
    /// Median TPOT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_p50_ns: Option<Estimate>,
    /// 95th percentile of TPOT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_p95_ns: Option<Estimate>,
    /// Whether all SLOs were met; absent without SLOs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<SloStatus>,
    /// Why the target could not keep up here, where it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saturated: Option<String>,
    /// How far to trust the figures of this level.
    pub trust: Trust,
}

/// The universal scalability law fitted to a curve: X(N) = λN ÷ (1 + σ(N − 1) + κN(N − 1)), N requests in flight,
/// X requests per second (Gunther, 2007).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Law {
    /// λ: requests per second of a single stream.
    pub lambda: Estimate,
    /// σ: contention, the share of the work that cannot be done at once.
    pub contention: Estimate,
    /// κ: coherency, what keeping each other up to date costs.
    pub coherency: Estimate,
    /// Requests in flight at which throughput is highest; absent when it only levels off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_in_flight: Option<Estimate>,
    /// The highest throughput the law gives, requests per second: at the peak, or the limit it levels off to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_requests_per_s: Option<Estimate>,
    /// Share of the variance it explains.
    pub r_squared: f64,
    /// Points behind it.
    pub points: u64,
    /// What limits it: few points, a curve that never bends, a fit that is bad.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The answer of a search for the highest level that meets the SLOs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What was sought.
    pub slos: Vec<Slo>,
    /// The highest level shown to meet them; absent when even the lowest tried does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest: Option<f64>,
    /// Lower end of the interval that holds the true maximum: the highest level that certainly meets them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end: the lowest level that certainly does not; absent when none was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Steps it took.
    pub steps: u64,
    /// The SLO that is missed first, where one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limited_by: Option<Slo>,
    /// How it came to an end, in words.
    pub why: String,
}

/// One target over levels of load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Curve {
    /// Whose.
    pub target: TargetName,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// What was varied.
    pub axis: Axis,
    /// By ascending level.
    pub points: Vec<CurvePoint>,
    /// The law fitted to it, where there are points enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<Law>,
    /// The answer, where one was sought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The level whose figures stand for this target in tables: the answer, or the one with the highest throughput.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<f64>,
}
