//! How alike the requests of a target are.

use std::collections::BTreeMap;

use schema::insight::Consistency;
use schema::metric::Metric;
use schema::summary::Distribution;

/// 100 × the geometric mean of TTFT p50 ÷ p95, TPOT p50 ÷ p95 and ITL p50 ÷ (ITL p50 + median jitter), of those that
/// the sample carries: each is 1 where all requests are alike, and 0.5 where the slow ones take twice as long or the pace
/// swings by as much as it is. Quantiles only, so that a single outlier moves nothing. `None` without any part.
pub(super) fn consistency(metrics: &BTreeMap<Metric, Distribution>) -> Option<Consistency> {
    let p50 = |metric| Some(metrics.get(&metric)?.p50.known()?.value);
    let spread = |metric| share(p50(metric)?, metrics.get(&metric)?.p95.known()?.value);
    let pace = || share(p50(Metric::Itl)?, p50(Metric::Itl)? + p50(Metric::Jitter)?);
    let (ttft, tpot, pace) = (spread(Metric::Ttft), spread(Metric::Tpot), pace());
    let parts: Vec<f64> = [ttft, tpot, pace].into_iter().flatten().collect();
    if parts.is_empty() {
        return None;
    }
    let score = 100.0 * parts.iter().product::<f64>().powf(1.0 / parts.len() as f64);
    Some(Consistency { score, ttft, tpot, pace })
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (part >= 0.0 && whole > 0.0).then(|| (part / whole).min(1.0))
}
