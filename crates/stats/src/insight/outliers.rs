//! Requests far from the others.

use schema::insight::{Outlier, Outliers};
use schema::metric::Metric;

use super::Request;
use crate::quantile::quantile;
use crate::radix;

/// Metrics in which a request can be far from others.
const METRICS: [Metric; 3] = [Metric::Ttft, Metric::Tpot, Metric::E2e];

/// Robust standard deviations beyond which a value is an outlier.
const FAR: f64 = 3.5;

/// The median absolute deviation of normal values, in standard deviations.
const NORMAL: f64 = 0.674_489_750_196_081_7;

/// Values below which nothing is called unlike the others.
const LEAST: usize = 20;

/// A larger share is no outliers but another way that requests go.
const MOST_SHARE: f64 = 0.1;

/// How many are told one by one.
const TOLD: usize = 5;

/// Values above median × exp(3.5 ÷ 0.6745 × MAD), the median absolute deviation being that of the logarithms: the modified z
/// score of B. Iglewicz & D. C. Hoaglin (*How to Detect and Handle Outliers*, 1993) where latencies are nearly normal. A metric is
/// left out where nothing is beyond, or more than a tenth is.
pub(super) fn outliers(requests: &[Request<'_>]) -> Vec<Outliers> {
    METRICS.iter().filter_map(|metric| of(*metric, requests)).collect()
}

fn of(metric: Metric, requests: &[Request<'_>]) -> Option<Outliers> {
    let values = requests.iter().filter_map(|request| Some((request.value(metric).filter(|x| *x > 0.0)?, request)));
    let values: Vec<(f64, &Request<'_>)> = values.collect();
    if values.len() < LEAST {
        return None;
    }
    let above = bound(values.iter().map(|(value, _)| value.ln()).collect())?;
    let mut far: Vec<(f64, &Request<'_>)> = values.iter().copied().filter(|(value, _)| *value > above).collect();
    let share = far.len() as f64 / values.len() as f64;
    if far.is_empty() || share > MOST_SHARE {
        return None;
    }
    far.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let told = far.iter().take(TOLD);
    let worst = told.map(|(value, r)| Outlier { index: r.record.index, at_ns: r.start, value: *value }).collect();
    Some(Outliers { metric, n: far.len() as u64, share, above, worst })
}

/// `None` where half of the values or more are alike.
fn bound(mut logs: Vec<f64>) -> Option<f64> {
    radix::sort_by_key(&mut logs, radix::bits);
    let median = quantile(&logs, 0.5);
    let mut apart: Vec<f64> = logs.iter().map(|x| (x - median).abs()).collect();
    radix::sort_by_key(&mut apart, radix::bits);
    let deviation = quantile(&apart, 0.5) / NORMAL;
    (deviation > 0.0).then(|| (median + FAR * deviation).exp())
}
