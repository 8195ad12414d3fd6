//! What stands under the table for each target: label and text, in reading order.

use schema::metric::{Metric, Unit};
use schema::summary::TargetSummary;

use crate::comparison;
use crate::number::{count, number, percent, spread, value};

/// Label and text of each line about `target`. Text is not yet clean.
pub(crate) fn of(target: &TargetSummary) -> Vec<(String, String)> {
    let mut lines = vec![("verdict", verdict(target)), ("requests", requests(target))];
    lines.extend(
        target.slos.iter().map(|slo| ("slo", format!("{} {}: {}", slo.slo, comparison::status(slo.status), slo.why))),
    );
    if target.completed > 0 {
        lines.extend([("tokens", tokens(target)), ("load", load(target))]);
    }
    lines.extend(server(target).map(|text| ("server", text)));
    lines.extend(client(target).map(|text| ("client", text)));
    lines.extend(cost(target).map(|text| ("cost", text)));
    let failed = target.cross_checks.iter().filter(|check| !check.holds);
    lines.extend(failed.map(|check| ("check failed", format!("{}: {}", check.name, check.detail))));
    lines.extend(target.warnings.iter().map(|warning| ("warning", warning.clone())));
    lines.into_iter().map(|(label, text)| (label.to_owned(), text)).collect()
}

fn verdict(target: &TargetSummary) -> String {
    let trust = target.quality.trust.in_words();
    if target.quality.reasons.is_empty() {
        trust.to_owned()
    } else {
        format!("{trust}: {}", target.quality.reasons.join("; "))
    }
}

fn requests(target: &TargetSummary) -> String {
    let mut parts = vec![format!("{} of {} completed", count(target.completed), count(target.attempted))];
    if target.completed < target.attempted {
        parts.push(format!("{} of those not throttled", percent(target.success_rate)));
    }
    parts.extend(target.failures.iter().map(|(class, n)| format!("{} {class}", count(*n))));
    let others = [
        (target.not_sent, "never sent for want of a place"),
        (target.cancelled, "cancelled by us"),
        (target.interrupted, "cut off when the run died"),
        (target.warmup, "warm-up"),
    ];
    parts.extend(others.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", count(*n))));
    parts.join(", ")
}

fn tokens(target: &TargetSummary) -> String {
    let sources: Vec<String> = target.token_sources.keys().map(ToString::to_string).collect();
    let mut parts = vec![
        format!("{} output, by {}", count(target.output_tokens), sources.join(" and ")),
        format!("{} an event", number(target.tokens_per_event)),
    ];
    if target.input_tokens > 0 {
        parts.push(format!(
            "{} input, {} of them cached",
            count(target.input_tokens),
            count(target.cached_input_tokens)
        ));
    }
    parts.join(", ")
}

fn load(target: &TargetSummary) -> String {
    let throughput = &target.throughput;
    let offered = throughput.offered_requests_per_s.map(|rate| format!("{} requests/s offered", number(rate)));
    let mut parts: Vec<String> = offered.into_iter().collect();
    parts.push(format!("{} requests in flight on average", number(throughput.mean_in_flight)));
    parts.push(format!("measured for {}", throughput.window_ns));
    parts.join(", ")
}

/// The server's own timings beside ours: medians where the sample supports them, else means.
fn server(target: &TargetSummary) -> Option<String> {
    let medians = target.metrics.get(&Metric::Ttft)?.p50.known().is_some();
    let middle = |(name, metric): &(&str, Metric)| {
        let d = target.metrics.get(metric)?;
        let point = if medians { d.p50.known()?.value } else { d.mean.value };
        Some(format!("{name} {}", value(point, Unit::Nanos)))
    };
    let by_the_server = [
        ("TTFT", Metric::ServerTtft),
        ("queue", Metric::ServerQueue),
        ("prefill", Metric::ServerPrefill),
        ("decode", Metric::ServerDecode),
        ("total", Metric::ServerTotal),
    ];
    let by_us = [("TTFT", Metric::Ttft), ("E2E", Metric::E2e)];
    let theirs: Vec<String> = by_the_server.iter().filter_map(middle).collect();
    let ours: Vec<String> = by_us.iter().filter_map(middle).collect();
    let what = if medians { "medians" } else { "means" };
    (!theirs.is_empty()).then(|| format!("by its clock {}; by ours {} ({what})", theirs.join(", "), ours.join(", ")))
}

/// Our own part in the figures: the run's error bar.
fn client(target: &TargetSummary) -> Option<String> {
    let lags = [Metric::ClientLag, Metric::ScheduleLag, Metric::SendLag];
    let mut parts: Vec<String> = lags
        .iter()
        .filter_map(|metric| {
            Some(format!("{} {}", metric.heading().to_lowercase(), spread(target.metrics.get(metric)?, *metric)))
        })
        .collect();
    if target.completed > 0 {
        parts.push(format!("{} of arrivals kernel-stamped", percent(target.kernel_stamped)));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn cost(target: &TargetSummary) -> Option<String> {
    let cost = target.cost.as_ref()?;
    let mut parts = vec![format!("{} measured, {} warm-up", cost.total_usd, cost.warmup_usd)];
    if target.completed > 0 {
        parts.push(format!("{} per 1k requests", cost.per_1k_requests_usd));
    }
    parts.extend(cost.output_tokens_per_usd.map(|tokens| format!("{} output tokens per $", number(tokens))));
    Some(parts.join(", "))
}
