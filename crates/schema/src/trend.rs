//! One figure of one target over stored runs, and what it says of the days to come.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::figure::Figure;
use crate::gate::RunName;
use crate::plan::Slo;
use crate::summary::Estimate;
use crate::target::TargetName;

/// One run's figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrendPoint {
    /// The run.
    pub run: RunName,
    /// Its figure with its own 95 % interval, in the figure's base unit.
    pub value: Estimate,
    /// Whether it was measured from a simulated engine.
    pub simulated: bool,
}

/// From this run on the figure was another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelChange {
    /// Place of the first run of the new level among the points.
    pub index: usize,
    /// That run.
    pub began: RunName,
    /// Median of the runs before, back to the change before.
    pub before: f64,
    /// Median of the runs from here to the next change.
    pub after: f64,
    /// after ÷ before − 1, with its 95 % interval where there are runs enough.
    pub change: Estimate,
    /// Whether that is for the better; absent where neither is better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<bool>,
    /// What else differed between this run and the one before it, one sentence each.
    pub differences: Vec<String>,
}

/// Whether the figure moves one way as time goes by (Mann–Kendall), and how fast (Theil–Sen), since the last change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Runs it is made of.
    pub runs: u64,
    /// Change a day in the figure's base unit, with its 95 % interval.
    pub per_day: Estimate,
    /// Two-sided p-value of no drift at all.
    pub p: f64,
}

/// How a forecast is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ForecastMethod {
    /// No drift was shown: the next runs will be as those since the last change.
    Level,
    /// The line of Theil and Sen goes on.
    Line,
}

/// What the next run will show at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForecastPoint {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// A run then, with the interval in which it will lie in 95 of 100 cases, if things go on as they do.
    pub value: Estimate,
}

/// What is to be expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Forecast {
    /// Nothing can be said yet.
    TooFewRuns {
        /// Runs since the last change.
        runs: u64,
        /// Runs it takes.
        needed: u64,
    },
    /// This.
    Known {
        /// How it was made.
        method: ForecastMethod,
        /// Runs it is made of: those since the last change.
        runs: u64,
        /// One a day.
        points: Vec<ForecastPoint>,
    },
}

/// What is counted against an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetUnit {
    /// Requests: the SLO is of single requests.
    Requests,
    /// Runs: the SLO is of a percentile, which only a run has.
    Runs,
}

impl BudgetUnit {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Runs => "runs",
        }
    }
}

/// Part of the period.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetWindow {
    /// Its beginning.
    #[schemars(with = "String")]
    pub from: Timestamp,
    /// Its end.
    #[schemars(with = "String")]
    pub to: Timestamp,
    /// Runs in it.
    pub runs: u64,
    /// Requests or runs in it.
    pub all: u64,
    /// Of these, those that kept the SLO.
    pub good: u64,
    /// good ÷ all; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// (1 − share) ÷ (1 − objective): above 1 the budget does not last the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_rate: Option<f64>,
}

/// How much of the misses that an objective allows was used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBudget {
    /// The SLO.
    pub slo: Slo,
    /// Share that is to keep it, 0 to 1.
    pub objective: f64,
    /// What is counted.
    pub unit: BudgetUnit,
    /// Days the budget is for: up to the last run.
    pub period_days: f64,
    /// Share that kept the SLO within the period, with its 95 % interval.
    pub compliance: Estimate,
    /// Misses ÷ the misses allowed: 1 = all used up. With the interval of the compliance.
    pub consumed: Estimate,
    /// Burn rate of the last window that has any: 1 uses up the budget in one period.
    pub burn_rate: Estimate,
    /// When the budget is used up at that rate; absent where it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub exhausted: Option<Timestamp>,
    /// The period, window by window.
    pub windows: Vec<BudgetWindow>,
}

/// One figure of one target over stored runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// [`crate::FORMAT_VERSION`].
    pub format_version: u32,
    /// Whose.
    pub target: TargetName,
    /// Which.
    pub figure: Figure,
    /// Whether any of it was measured from a simulated engine.
    pub simulated: bool,
    /// In order of time.
    pub points: Vec<TrendPoint>,
    /// Where the level changed.
    pub changes: Vec<LevelChange>,
    /// Whether it drifts; absent where the runs are too few to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What is to be expected.
    pub forecast: Forecast,
    /// The budget of misses, where an SLO was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<ErrorBudget>,
    /// What a reader must know besides.
    pub notes: Vec<String>,
}
