//! Whether a target stayed as it was.

use schema::insight::{Change, Drift};
use schema::metric::Metric;
use schema::summary::Estimate;
use schema::units::Moment;

use super::Request;
use crate::inference::{self, Slope};
use crate::quantile::quantile;

/// Requests below which nothing is said.
const LEAST: usize = 20;

/// p-value up to which a drift or a change says something: there are several in each run.
const CERTAIN: f64 = 0.01;

/// What a run must have moved a metric by, as a share of its median.
const DRIFTED: f64 = 0.05;

/// What a change must have made of it.
const CHANGED: f64 = 0.1;

/// The values of `metric` with their moments, in order of time; none where they are few.
fn series(metric: Metric, requests: &[Request<'_>]) -> Vec<(Moment, f64)> {
    let values: Vec<(Moment, f64)> =
        requests.iter().filter_map(|request| Some((request.start, request.value(metric)?))).collect();
    if values.len() < LEAST { Vec::new() } else { values }
}

/// Mann–Kendall and Theil–Sen, whose interval is widened by the factor that serial correlation gives the former's error.
pub(super) fn drift(metric: Metric, requests: &[Request<'_>]) -> Option<Drift> {
    let series = series(metric, requests);
    let (first, last) = (series.first()?.0, series.last()?.0);
    let minutes: Vec<f64> = series.iter().map(|(at, _)| (*at - first).as_secs_f64() / 60.0).collect();
    let values: Vec<f64> = series.iter().map(|(_, value)| *value).collect();
    let (trend, line) = (inference::mann_kendall(&values)?, inference::theil_sen(&minutes, &values)?);
    let per_minute = widened(line, trend.inflation.sqrt());
    let over_run = per_minute.value * (last - first).as_secs_f64() / 60.0 / median(values);
    if !over_run.is_finite() {
        return None;
    }
    let clear = trend.p_serial <= CERTAIN && over_run.abs() >= DRIFTED;
    Some(Drift { metric, per_minute, over_run, p: trend.p_serial, clear })
}

fn widened(line: Slope, by: f64) -> Estimate {
    let Estimate { value, low, high } = line.slope;
    let end = |end: Option<f64>| end.map(|end| value + by * (end - value));
    Estimate { value, low: end(low), high: end(high) }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}

/// The changes that are certain and large enough to matter.
pub(super) fn changes(metric: Metric, requests: &[Request<'_>], seed: u64) -> Vec<Change> {
    let series = series(metric, requests);
    let values: Vec<f64> = series.iter().map(|(_, value)| *value).collect();
    let found = inference::change_points(&values, seed).into_iter();
    let matters = |before: f64, after: f64| (after / before - 1.0).abs() >= CHANGED;
    found
        .filter(|point| point.p <= CERTAIN && matters(point.before, point.after))
        .map(|point| Change {
            metric,
            at_ns: series[point.index].0,
            before: point.before,
            after: point.after,
            p: point.p,
        })
        .collect()
}
