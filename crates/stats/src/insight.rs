//! What the requests of one target show beside their figures. Nothing here takes a request out of any of these.
//!
//! ```text
//! steady, completed requests in order of start ─┬─▶ outliers
//!                    every so manieth of them   ├─▶ drift, changes       (serial correlation accounted for)
//!   readings of the server's metrics ───────────┴─▶ relations            (corrected over all pairs)
//! summary ─▶ consistency, p95 targets
//! ```

mod consistency;
mod drift;
mod outliers;
mod relations;

use schema::insight::{Achievement, Insight};
use schema::metric::Metric;
use schema::plan::Plan;
use schema::record::Record;
use schema::server::ServerSample;
use schema::summary::{Estimate, SloVerdict, TargetSummary};
use schema::units::{Moment, Quantile};

use crate::metric_values;

/// Requests beyond which only every so manieth is looked at for drift, changes and relations.
const MOST: usize = 5_000;

/// What is looked at for drift and changes.
const STEADY: [Metric; 2] = [Metric::Ttft, Metric::Tpot];

/// A completed request with its start.
#[derive(Debug, Clone, Copy)]
struct Request<'a> {
    start: Moment,
    record: &'a Record,
}

impl Request<'_> {
    /// Its only value of `metric`.
    fn value(&self, metric: Metric) -> Option<f64> {
        metric_values(self.record, metric).next()
    }
}

/// Of the requests that the figures of `summary` are made of; `None` where none completed.
pub(crate) fn insight(
    plan: &Plan,
    summary: &TargetSummary,
    counted: &[&Record],
    samples: &[ServerSample],
) -> Option<Insight> {
    let completed = counted.iter().filter(|record| record.outcome.is_complete());
    let mut requests: Vec<Request<'_>> =
        completed.filter_map(|record| Some(Request { start: record.start_ns?, record })).collect();
    if requests.is_empty() {
        return None;
    }
    requests.sort_by_key(|request| (request.start, request.record.index));
    let every = requests.len().div_ceil(MOST);
    let thinned: Vec<Request<'_>> = requests.iter().step_by(every).copied().collect();
    let (relations, relations_tested) = relations::relations(&thinned, counted, samples);
    Some(Insight {
        requests: requests.len() as u64,
        every: (every > 1).then_some(every as u64),
        outliers: outliers::outliers(&requests),
        drifts: STEADY.iter().filter_map(|metric| drift::drift(*metric, &thinned)).collect(),
        changes: STEADY.iter().flat_map(|metric| drift::changes(*metric, &thinned, plan.seed)).collect(),
        relations,
        relations_tested,
        consistency: consistency::consistency(&summary.metrics),
        p95_targets: summary.slos.iter().filter_map(achievement).collect(),
    })
}

/// How far inside its bound a p95 is; `None` for another percentile, or where it was not measured.
fn achievement(verdict: &SloVerdict) -> Option<Achievement> {
    let slo = verdict.slo;
    let measured = verdict.measured.filter(|_| slo.quantile == Some(Quantile::P95) && slo.bound > 0.0)?;
    let better = if slo.metric.higher_is_better() { 1.0 } else { -1.0 };
    let inside = |value: f64| better * (value / slo.bound - 1.0);
    let (worst, best) =
        if slo.metric.higher_is_better() { (measured.low, measured.high) } else { (measured.high, measured.low) };
    let margin = Estimate { value: inside(measured.value), low: worst.map(inside), high: best.map(inside) };
    Some(Achievement { slo, margin, share: verdict.share })
}

#[cfg(test)]
mod tests;
