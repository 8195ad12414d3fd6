//! What a summary is made of: everything that was kept of a run.

use std::collections::BTreeMap;

use schema::curve::Step;
use schema::record::Record;
use schema::server::ServerSample;
use schema::summary::Calibration;
use schema::target::{Target, TargetName};

/// What was kept of a run.
#[derive(Debug, Clone, Copy)]
pub struct Measured<'a> {
    /// All records of all targets, warm-up and further attempts included, in any order.
    pub records: &'a [Record],
    /// The steps of a search; empty without one.
    pub steps: &'a [Step],
    /// Readings of the targets' own metrics, by target.
    pub samples: &'a BTreeMap<TargetName, Vec<ServerSample>>,
    /// This machine's own floor, where it was measured.
    pub calibration: Option<&'a Calibration>,
}

/// No readings at all.
static NO_SAMPLES: BTreeMap<TargetName, Vec<ServerSample>> = BTreeMap::new();

impl<'a> Measured<'a> {
    /// Records and nothing else.
    pub const fn records(records: &'a [Record]) -> Self {
        Self { records, steps: &[], samples: &NO_SAMPLES, calibration: None }
    }

    /// The readings of one target; empty where there are none.
    pub(crate) fn samples_of(&self, target: &Target) -> &'a [ServerSample] {
        self.samples.get(&target.name).map_or(&[], Vec::as_slice)
    }
}
