//! GPUs: how busy, how much power, how much energy.

use schema::server::ServerSample;
use schema::units::Moment;

use super::level::level;

/// Mean share of the time that the GPUs ran a kernel.
pub(super) fn busy(sample: &ServerSample) -> Option<f64> {
    let shares: Vec<f64> = sample.gpus.iter().filter_map(|gpu| gpu.busy).collect();
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
}

/// Watts of all GPUs together; `None` where one of them does not say.
pub(super) fn power(sample: &ServerSample) -> Option<f64> {
    all(sample, |gpu| gpu.power_w)
}

fn energy(sample: &ServerSample) -> Option<f64> {
    all(sample, |gpu| gpu.energy_j)
}

fn all(sample: &ServerSample, value: impl Fn(&schema::server::GpuSample) -> Option<f64>) -> Option<f64> {
    let sum: Option<f64> = sample.gpus.iter().map(value).sum();
    sum.filter(|_| !sample.gpus.is_empty())
}

/// Joules of all GPUs over `spans`: by their energy counters, interpolated between readings, or else by their power.
/// `None` where neither covers the spans.
pub(super) fn joules(read: &[&ServerSample], spans: &[(Moment, Moment)]) -> Option<f64> {
    by_energy(read, spans).or_else(|| by_power(read, spans))
}

fn by_energy(read: &[&ServerSample], spans: &[(Moment, Moment)]) -> Option<f64> {
    let points: Vec<(Moment, f64)> = read.iter().filter_map(|sample| Some((sample.at_ns, energy(sample)?))).collect();
    let grows = points.is_sorted_by(|one, next| one.1 <= next.1);
    let used = |&(begin, end): &(Moment, Moment)| Some(at(&points, end)? - at(&points, begin)?);
    let joules = spans.iter().map(used).sum::<Option<f64>>()?;
    (grows && joules > 0.0).then_some(joules)
}

fn by_power(read: &[&ServerSample], spans: &[(Moment, Moment)]) -> Option<f64> {
    let used = |span: &(Moment, Moment)| Some(level(read, &[*span], power)?.mean * (span.1 - span.0).as_secs_f64());
    spans.iter().map(used).sum()
}

/// The counter at an instant between two of its readings.
fn at(points: &[(Moment, f64)], moment: Moment) -> Option<f64> {
    let after = points.iter().position(|(at, _)| *at >= moment)?;
    let (later, more) = points[after];
    if later == moment {
        return Some(more);
    }
    let (earlier, less) = points[after.checked_sub(1)?];
    Some(less + (more - less) * (moment - earlier).as_secs_f64() / (later - earlier).as_secs_f64())
}
