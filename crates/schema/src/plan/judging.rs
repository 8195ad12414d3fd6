//! How winners are told.

use std::collections::BTreeMap;

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
