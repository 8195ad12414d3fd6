//! What happens while a run is carried out, for those who watch. Viewers may miss some of it.

use std::sync::Arc;

use crate::plan::Axis;
use crate::record::{Phase, Record};
use crate::server::ServerSample;
use crate::target::TargetName;
use crate::units::Nanos;

/// One step of a run.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Measuring is about to begin.
    Began {
        /// Requests that will be sent in all, warm-up included, where that is known beforehand.
        requests: Option<u64>,
        /// Time the load will take, where that is known beforehand.
        duration: Option<Nanos>,
    },
    /// A target's block began.
    Block {
        /// Whose.
        target: TargetName,
        /// What it counts for.
        phase: Phase,
        /// Its number.
        block: u32,
    },
    /// A search holds a target at a level of load.
    Step {
        /// Whose.
        target: TargetName,
        /// Its number.
        step: u32,
        /// What is varied.
        axis: Axis,
        /// Requests per second, or streams.
        level: f64,
    },
    /// A target's own metrics were read.
    Sampled(TargetName, Arc<ServerSample>),
    /// A request is over and recorded.
    Recorded(Arc<Record>),
    /// Something worth a line on stderr.
    Note(String),
}
