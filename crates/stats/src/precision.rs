//! How precisely a figure is known so far.

use schema::plan::Precision;
use schema::record::{Phase, Record};
use schema::summary::Estimate;

use crate::distribution::Sample;

/// The figure that `wanted` speaks of with its 95 % interval, from the measured requests among `records`;
/// `None` until there are enough of them for one. The interval takes requests as independent, as all
/// intervals of a run do.
pub fn precision(records: &[&Record], wanted: &Precision) -> Option<Estimate> {
    let measured: Vec<&Record> = records.iter().copied().filter(|r| r.phase == Phase::Measured).collect();
    let sample = Sample::of(wanted.metric, &measured)?;
    sample.percentile(wanted.quantile).known().copied()
}

/// Half the interval's width ÷ the value; `None` without an interval, or at zero.
pub fn relative_half_width(estimate: &Estimate) -> Option<f64> {
    let half = (estimate.high? - estimate.low?) / 2.0;
    Some(half / estimate.value).filter(|share| share.is_finite())
}
