//! What the requests of one target show beside their figures: outliers, drift, changes, relations, steadiness.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::Metric;
use crate::plan::Slo;
use crate::summary::Estimate;
use crate::units::Moment;

/// What the steady, completed requests of one target show. None of it takes a request out of any figure.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Insight {
    /// Completed requests it is made of.
    pub requests: u64,
    /// Where these were too many for drift, changes and relations: every so manieth was looked at for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Requests far from the others, by metric; a metric without any is absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outliers: Vec<Outliers>,
    /// How TTFT and TPOT moved over the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drifts: Vec<Drift>,
    /// From when TTFT and TPOT were others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Pairs of quantities that rise and fall together, or against each other: those that say something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    /// Pairs that were looked at, which p-values are corrected for.
    #[serde(default)]
    pub relations_tested: u64,
    /// How alike the requests are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
    /// Each SLO at the 95th percentile: by how much it was met or missed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub p95_targets: Vec<Achievement>,
}

/// Requests whose value is far from the others'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outliers {
    /// Of which metric.
    pub metric: Metric,
    /// Requests beyond the bound.
    pub n: u64,
    /// Their share of those with a value, 0 to 1.
    pub share: f64,
    /// Values above this are outliers, in the metric's base unit: median × exp(3.5 ÷ 0.6745 × MAD of the logarithms).
    pub above: f64,
    /// The furthest few, worst first.
    pub worst: Vec<Outlier>,
}

/// One request far from the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outlier {
    /// Index of the request.
    pub index: u64,
    /// When it was started, on the run's time axis.
    pub at_ns: Moment,
    /// Its value, in the metric's base unit.
    pub value: f64,
}

/// How a metric moved over the run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Which.
    pub metric: Metric,
    /// By how much a minute, in the metric's base unit: Theil–Sen, with serial correlation in its interval.
    pub per_minute: Estimate,
    /// The same over the whole run, as a share of the median.
    pub over_run: f64,
    /// p-value of the Mann–Kendall test with the variance corrected for serial correlation.
    pub p: f64,
    /// Whether it says something: p at most 1 %, and the run moved it by 5 % or more.
    pub clear: bool,
}

/// A moment from which a metric was another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which.
    pub metric: Metric,
    /// Start of the first request after it, on the run's time axis.
    pub at_ns: Moment,
    /// Median before, back to the change before it.
    pub before: f64,
    /// Median after, up to the next.
    pub after: f64,
    /// p-value, by permutation.
    pub p: f64,
}

/// What is held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// A metric of the request.
    Metric(Metric),
    /// Requests of the same target in flight when it was started.
    InFlight,
    /// Requests that the server was working on, by its last reading before the start.
    ServerRunning,
    /// Requests that waited there.
    ServerWaiting,
    /// The share of its KV cache in use.
    ServerKvUsage,
}

impl Quantity {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.heading(),
            Self::InFlight => "requests in flight",
            Self::ServerRunning => "requests running at the server",
            Self::ServerWaiting => "requests waiting at the server",
            Self::ServerKvUsage => "KV cache usage",
        }
    }
}

/// A rank correlation between two quantities of the same requests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relation {
    /// What may depend.
    pub of: Quantity,
    /// On what.
    pub on: Quantity,
    /// Requests with both.
    pub n: u64,
    /// Spearman's ρ, −1 to 1, with serial correlation in its interval.
    pub rho: Estimate,
    /// Its p-value, corrected over all pairs that were looked at (Holm).
    pub p_adjusted: f64,
}

/// How alike the requests are: 100 where each is like the typical one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Consistency {
    /// 100 × the geometric mean of the parts there are, 0 to 100.
    pub score: f64,
    /// TTFT p50 ÷ p95.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft: Option<f64>,
    /// TPOT p50 ÷ p95.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot: Option<f64>,
    /// ITL p50 ÷ (ITL p50 + median jitter).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<f64>,
}

/// What became of an SLO at the 95th percentile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Achievement {
    /// The bound.
    pub slo: Slo,
    /// How far inside the bound the measured percentile is, as a share of the bound; negative outside.
    pub margin: Estimate,
    /// Share of attempted requests within the bound, 0 to 1.
    pub share: f64,
}
