//! Gauges over time.

use schema::server::{Level, ServerSample};
use schema::units::Moment;

/// The time average of a gauge over `spans`, and the largest value seen within them. Between two readings of a span
/// the gauge is taken to go straight from the one value to the other; before the first and after the last it stays.
/// `None` where no reading lies within a span: what was read outside them says nothing of them.
pub(super) fn level(
    read: &[&ServerSample],
    spans: &[(Moment, Moment)],
    gauge: impl Fn(&ServerSample) -> Option<f64>,
) -> Option<Level> {
    let points: Vec<(Moment, f64)> = read.iter().filter_map(|sample| Some((sample.at_ns, gauge(sample)?))).collect();
    let (mut area, mut seconds, mut max) = (0.0, 0.0, f64::NEG_INFINITY);
    for &(begin, end) in spans {
        let inside: Vec<_> = points.iter().filter(|(at, _)| (begin..=end).contains(at)).copied().collect();
        let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else { continue };
        let steps =
            inside.windows(2).map(|pair| f64::midpoint(pair[0].1, pair[1].1) * (pair[1].0 - pair[0].0).as_secs_f64());
        area += steps.sum::<f64>();
        area += first.1 * (first.0 - begin).as_secs_f64() + last.1 * (end - last.0).as_secs_f64();
        seconds += (end - begin).as_secs_f64();
        max = inside.iter().map(|point| point.1).fold(max, f64::max);
    }
    // A span of no length at all that was met by a reading: the value is all there is.
    max.is_finite().then(|| Level { mean: if seconds > 0.0 { area / seconds } else { max }, max })
}
