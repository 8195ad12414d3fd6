//! A target by its own account: its clock beside ours, its queue, its caches and its power.

use schema::metric::Metric;
use schema::server::{BothSides, Counter, Level, ServerSide, ServerTime};

use crate::number::{count, counted, number, percent, value};

/// Label and text of each line. Text is not yet clean.
pub(crate) fn lines(side: &ServerSide) -> Vec<(&'static str, String)> {
    let mut lines = vec![("own metrics", readings(side))];
    lines.extend(side.both_sides.iter().map(|both| ("both clocks", clocks(both))));
    lines.extend(own_clock(side).map(|text| ("its clock", text)));
    lines.extend(queue(side).map(|text| ("queue", text)));
    lines.extend(cache(side).map(|text| ("cache", text)));
    lines.extend(gpu(side).map(|text| ("GPU", text)));
    lines.extend(side.warnings.iter().map(|warning| ("warning", format!("own metrics: {warning}"))));
    lines
}

fn readings(side: &ServerSide) -> String {
    let engine = match (side.engine.as_str(), side.gpu_busy.is_some() || side.gpu_power_w.is_some()) {
        ("", true) => "GPUs alone",
        ("", false) if side.samples == 0 => "never read",
        ("", false) => "nothing that is known here",
        (engine, _) => engine,
    };
    let failed = if side.failed > 0 { format!(", {} failed", count(side.failed)) } else { String::new() };
    format!("{engine}, {}{failed}", counted(side.samples, "reading"))
}

/// `TTFT mean 51.2 ms by ours, 49.8 ms by its own (p50 51.0 ms, about 49.0 ms); network 1.40 ms`.
fn clocks(both: &BothSides) -> String {
    let time = |x: f64| value(x, both.metric.unit());
    let medians = both.client_p50.zip(both.server_p50);
    let medians =
        medians.map(|(ours, theirs)| format!(" (p50 {}, about {})", time(ours), time(theirs))).unwrap_or_default();
    let means =
        format!("{} mean {} by ours, {} by its own", both.metric, time(both.client_mean), time(both.server_mean));
    let why = if both.why.is_empty() { String::new() } else { format!("; {}", both.why) };
    format!("{means}{medians}{why}")
}

/// What only the server can time.
fn own_clock(side: &ServerSide) -> Option<String> {
    let ours = |metric: Metric| match metric {
        Metric::ServerTtft => Metric::Ttft,
        Metric::ServerTotal => Metric::E2e,
        metric => metric,
    };
    let told = |metric: &Metric| side.both_sides.iter().any(|both| both.metric == ours(*metric));
    let one = |(metric, time): (&Metric, &ServerTime)| {
        let median = time.p50.map(|p50| format!(", p50 about {}", value(p50, metric.unit()))).unwrap_or_default();
        format!("{metric} mean {}{median}", value(time.mean, metric.unit()))
    };
    let parts: Vec<String> = side.times.iter().filter(|(metric, _)| !told(metric)).map(one).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn queue(side: &ServerSide) -> Option<String> {
    let one = |level: &Option<Level>, what: &str| {
        level.map(|level| format!("{} {what} (at most {})", number(level.mean), level.max.round()))
    };
    joined([
        one(&side.running, "running"),
        one(&side.waiting, "waiting"),
        grown(side, Counter::Preemptions, "preempted"),
    ])
}

fn grown(side: &ServerSide, counter: Counter, what: &str) -> Option<String> {
    let grown = side.counters.get(&counter).filter(|grown| **grown > 0.0)?;
    Some(format!("{} {what}", grown.round()))
}

fn cache(side: &ServerSide) -> Option<String> {
    let kv = side.kv_usage.map(|level| format!("KV {} in use (at most {})", percent(level.mean), percent(level.max)));
    let hits = side
        .prefix_hit_share
        .map(|share| format!("{} of the tokens looked up were in the prefix cache", percent(share)));
    joined([kv, hits, None])
}

fn gpu(side: &ServerSide) -> Option<String> {
    let busy = side.gpu_busy.map(|level| format!("{} busy (at most {})", percent(level.mean), percent(level.max)));
    let power = side.gpu_power_w.map(|level| format!("{} W (at most {} W)", number(level.mean), number(level.max)));
    let energy = side.joules_per_output_token.map(|joules| format!("{} J an output token", number(joules)));
    joined([busy, power, energy])
}

fn joined(parts: [Option<String>; 3]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
