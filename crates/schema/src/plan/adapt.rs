//! What a run decides while it goes on.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::Metric;
use crate::units::{Nanos, Quantile};

/// What a search varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Requests offered per second, in an open loop.
    Rate,
    /// Requests in flight, in a closed loop.
    Concurrency,
}

impl Axis {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Concurrency => "concurrency",
        }
    }
}

/// Measuring at more than one level of load. `Plan::load` gives the spacing and the places, `Plan::stop` the length
/// of one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// A single stream, the throughput ceiling, then points between.
    Sweep {
        /// What is varied.
        axis: Axis,
        /// Steps in all.
        points: u32,
        /// No level above this; absent: until the ceiling is found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        highest: Option<f64>,
    },
    /// The highest level at which all SLOs of the plan are met.
    FindMax {
        /// What is varied.
        axis: Axis,
        /// Where the search begins.
        first: f64,
        /// No level above this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        highest: Option<f64>,
        /// The answer's interval may be this wide, relative to the answer.
        tolerance: f64,
        /// Steps at most.
        trials: u32,
    },
}

impl Search {
    /// What is varied.
    pub const fn axis(&self) -> Axis {
        match self {
            Self::Sweep { axis, .. } | Self::FindMax { axis, .. } => *axis,
        }
    }
}

/// Go on until a figure's 95 % interval is narrow enough: `2%` (of the median TTFT), `e2e_p95:5%`.
/// `Plan::stop` is the limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Precision {
    /// Which metric.
    pub metric: Metric,
    /// At which percentile.
    pub quantile: Quantile,
    /// Half the interval's width ÷ the value, at most: 0.02.
    pub relative: f64,
}

/// Text that is no precision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is not a precision")]
#[diagnostic(code(schema::precision), help("write it like `2%` (of the median TTFT), or `e2e_p95:5%`"))]
pub struct PrecisionError(pub String);

impl FromStr for Precision {
    type Err = PrecisionError;

    fn from_str(text: &str) -> Result<Self, PrecisionError> {
        read_precision(text.trim()).ok_or_else(|| PrecisionError(text.chars().take(80).collect()))
    }
}

fn read_precision(text: &str) -> Option<Precision> {
    let (figure, percent) = text.rsplit_once(':').unwrap_or(("ttft_p50", text));
    let percent: f64 = percent.trim().strip_suffix('%')?.trim().parse().ok()?;
    let (metric, quantile) = figure.trim().rsplit_once('_')?;
    let relative = percent / 100.0;
    (0.0005..=0.5).contains(&relative).then_some(Precision {
        metric: metric.parse().ok()?,
        quantile: quantile.parse().ok()?,
        relative,
    })
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 0.07 × 100 is not quite 7.
        let percent = (self.relative * 1e6).round() / 1e4;
        write!(f, "{}_{}:{percent}%", self.metric.short(), self.quantile)
    }
}

impl TryFrom<String> for Precision {
    type Error = PrecisionError;
    fn try_from(text: String) -> Result<Self, PrecisionError> {
        text.parse()
    }
}

impl From<Precision> for String {
    fn from(precision: Precision) -> Self {
        precision.to_string()
    }
}

/// Sending again what failed in a way that may pass: each attempt is a record of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retry {
    /// Further attempts at most.
    pub attempts: u32,
    /// Back-off before the first of them; it doubles each time, and half of it is random.
    pub first_ns: Nanos,
    /// Back-off at most. A longer `Retry-After` ends the attempts.
    pub most_ns: Nanos,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_precision_is_read_as_it_is_written() {
        assert_eq!("2%".parse::<Precision>().unwrap().to_string(), "ttft_p50:2%");
        assert_eq!("e2e_p95:7%".parse::<Precision>().unwrap().to_string(), "e2e_p95:7%");
        for wrong in ["2", "0%", "90%", "e2e:5%", "e2e_p95", "x_p50:2%", "nan%"] {
            assert!(wrong.parse::<Precision>().is_err(), "{wrong}");
        }
    }
}
