//! How winners are told.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::comparison::{Criterion, Dimension};

/// How winners are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judging {
    /// Differences up to this share of the value count as none: 0.03.
    pub tie: f64,
    /// What dimensions weigh against each other; one that is left out weighs nothing. Empty: all alike.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<Dimension, f64>,
    /// Go on, block after block, until all pairs of targets are told apart or tie by these. [`super::Plan::stop`] is
    /// the limit. Empty: all that the plan lists is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub until_decided: Vec<Criterion>,
}

impl Default for Judging {
    fn default() -> Self {
        Self { tie: 0.03, weights: BTreeMap::new(), until_decided: Vec::new() }
    }
}

/// What dimensions weigh against each other: `latency=3,cost=1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Weights(pub BTreeMap<Dimension, f64>);

/// Text that is no weights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is no weighing of dimensions")]
#[diagnostic(
    code(schema::weights),
    help(
        "write it like `latency=3,cost=1`: any of latency, throughput, consistency, reliability, cost, one of them above 0"
    )
)]
pub struct WeightsError(pub String);

impl FromStr for Weights {
    type Err = WeightsError;

    fn from_str(text: &str) -> Result<Self, WeightsError> {
        read_weights(text).map(Self).ok_or_else(|| WeightsError(text.chars().take(80).collect()))
    }
}

fn read_weights(text: &str) -> Option<BTreeMap<Dimension, f64>> {
    let mut weights = BTreeMap::new();
    for part in text.split(',') {
        let (dimension, weight) = part.split_once('=')?;
        let weight: f64 = weight.trim().parse().ok()?;
        let is_new = weights.insert(dimension.parse().ok()?, weight).is_none();
        if !is_new || !(0.0..=1e6).contains(&weight) {
            return None;
        }
    }
    weights.values().any(|weight| *weight > 0.0).then_some(weights)
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(dimension, weight)| format!("{dimension}={weight}")).collect();
        f.write_str(&parts.join(","))
    }
}

impl TryFrom<String> for Weights {
    type Error = WeightsError;
    fn try_from(text: String) -> Result<Self, WeightsError> {
        text.parse()
    }
}

impl From<Weights> for String {
    fn from(weights: Weights) -> Self {
        weights.to_string()
    }
}

/// The share up to which a difference counts as none: `3%`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Tie(pub f64);

/// Text that is no such share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is no difference that counts as none")]
#[diagnostic(code(schema::tie), help("write it like `3%`, from 0.1% to 50%"))]
pub struct TieError(pub String);

impl FromStr for Tie {
    type Err = TieError;

    fn from_str(text: &str) -> Result<Self, TieError> {
        let percent = text.trim().strip_suffix('%').and_then(|percent| percent.trim().parse::<f64>().ok());
        let share = percent.map(|percent| percent / 100.0).filter(|share| (0.001..=0.5).contains(share));
        share.map(Self).ok_or_else(|| TieError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Tie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 0.07 × 100 is not quite 7.
        write!(f, "{}%", (self.0 * 1e6).round() / 1e4)
    }
}

impl TryFrom<String> for Tie {
    type Error = TieError;
    fn try_from(text: String) -> Result<Self, TieError> {
        text.parse()
    }
}

impl From<Tie> for String {
    fn from(tie: Tie) -> Self {
        tie.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_as_they_are_written() {
        let weights: Weights = " latency = 3, cost=0.5".parse().unwrap();
        assert_eq!(weights.to_string(), "latency=3,cost=0.5");
        for wrong in ["", "latency", "latency=-1", "latency=0", "beauty=1", "cost=1,cost=2", "cost=nan"] {
            assert!(wrong.parse::<Weights>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tie_is_read_as_it_is_written() {
        assert_eq!("7%".parse::<Tie>().unwrap().to_string(), "7%");
        for wrong in ["3", "0%", "90%", "x%", "nan%"] {
            assert!(wrong.parse::<Tie>().is_err(), "{wrong}");
        }
    }
}
