//! Records into numbers: metrics, windows, intervals, SLO verdicts, cross-checks, live snapshots.

use schema::plan::Plan;
use schema::record::Record;
use schema::summary::{Summary, TargetSummary};
use schema::target::Target;

pub mod cost;
pub mod live;
mod moments;
pub mod quantile;
mod values;

pub use values::metric_values;

/// All numbers of one run.
pub fn summarise(plan: &Plan, records: &[Record]) -> Summary {
    let _ = (plan, records);
    todo!("next commit")
}

/// All numbers of one target, from its records (others are ignored).
pub fn summarise_target(plan: &Plan, target: &Target, records: &[&Record]) -> TargetSummary {
    let _ = (plan, target, records);
    todo!("next commit")
}
