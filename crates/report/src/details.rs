//! What stands under the table for each target: label and text, in reading order.

use schema::metric::{Metric, Unit};
use schema::plan::{Axis, Load, Plan};
use schema::record::{FailureClass, Limit, RateLimits};
use schema::summary::{FailureReason, Summary, TargetSummary};

use crate::number::{count, counted, number, percent, spread, value};
use crate::{comparison, conversation, insight, server_side};

/// Label and text of each line about `target`. Text is not yet clean.
pub(crate) fn of(target: &TargetSummary, summary: &Summary, plan: &Plan) -> Vec<(String, String)> {
    let mut lines = vec![("verdict", verdict(target)), ("requests", requests(target))];
    lines.extend(target.failure_reasons.iter().map(|(class, reason)| ("failed", failed(target, *class, reason))));
    lines.extend(attempts(target).map(|text| ("attempts", text)));
    lines.extend(startup(target).map(|text| ("start-up", text)));
    lines.extend(
        target.slos.iter().map(|slo| ("slo", format!("{} {}: {}", slo.slo, comparison::status(slo.status), slo.why))),
    );
    if target.completed > 0 {
        lines.extend([("tokens", tokens(target)), ("load", load(target, asked(target, summary, plan)))]);
    }
    lines.extend(target.limits.as_ref().and_then(limits).map(|text| ("limits", text)));
    lines.extend(server(target).map(|text| ("server", text)));
    lines.extend(target.server_side.iter().flat_map(server_side::lines));
    lines.extend(target.insight.iter().flat_map(insight::lines));
    lines.extend(client(target).map(|text| ("client", text)));
    lines.extend(cost(target).map(|text| ("cost", text)));
    lines.extend(target.conversations.iter().flat_map(|conversations| conversation::lines(conversations, plan)));
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

/// `server error, 7 of 8: “CUDA out of memory”`.
fn failed(target: &TargetSummary, class: FailureClass, reason: &FailureReason) -> String {
    let all = target.failures.get(&class).copied().unwrap_or(reason.requests);
    format!("{class}, {} of {}: “{}”", count(reason.requests), count(all), reason.message)
}

/// Further attempts and waiting, both kept out of TTFT.
fn attempts(target: &TargetSummary) -> Option<String> {
    let tried = |n| {
        format!(
            "{} at failed requests; latencies are those of the last, TTFT from schedule is of all",
            counted(n, "further attempt")
        )
    };
    let waited = |n| format!("{} waited for a place before being sent", counted(n, "request"));
    let told =
        [(target.retries > 0).then(|| tried(target.retries)), (target.waited > 0).then(|| waited(target.waited))];
    let told: Vec<String> = told.into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

fn startup(target: &TargetSummary) -> Option<String> {
    let startup = target.startup.as_ref()?;
    let time = |nanos| value(nanos, Unit::Nanos);
    Some(format!(
        "the first {} ({}) kept out of all figures: TTFT p50 {}, then {}",
        counted(startup.requests, "request"),
        startup.length_ns,
        time(startup.ttft_p50_ns),
        time(startup.steady_ttft_p50_ns)
    ))
}

fn tokens(target: &TargetSummary) -> String {
    let sources: Vec<String> = target.token_sources.keys().map(ToString::to_string).collect();
    let by = if sources.is_empty() { String::new() } else { format!(", by {}", sources.join(" and ")) };
    let mut parts: Vec<String> = Vec::new();
    if target.output_tokens > 0 || target.input_tokens == 0 {
        let (output, an_event) = (count(target.output_tokens), number(target.tokens_per_event));
        parts.extend([format!("{output} output{by}"), format!("{an_event} an event")]);
    }
    if target.input_tokens > 0 {
        let share = target.cached_input_tokens as f64 / target.input_tokens as f64;
        let (input, cached) = (count(target.input_tokens), count(target.cached_input_tokens));
        parts.push(format!("{input} input, {cached} of them cached ({})", percent(share)));
    }
    parts.join(", ")
}

/// The rate that an open loop was asked for, where it was one.
fn asked(target: &TargetSummary, summary: &Summary, plan: &Plan) -> Option<f64> {
    target.throughput.offered_requests_per_s?;
    let curve = summary.curves.iter().find(|curve| curve.target == target.target);
    match (curve, &plan.load) {
        (Some(curve), _) => curve.stands_for.filter(|_| curve.axis == Axis::Rate),
        (None, Load::Open { rate_per_s, .. }) => Some(rate_per_s.get()),
        _ => None,
    }
}

/// An open loop says what was asked, what was in fact offered, and what came of it.
fn load(target: &TargetSummary, asked: Option<f64>) -> String {
    let throughput = &target.throughput;
    let asked = asked.map(|rate| format!("{} requests/s asked", number(rate)));
    let offered = throughput.offered_requests_per_s.map(|rate| {
        format!("{} requests/s offered, {} completed", number(rate), number(throughput.requests_per_s.value))
    });
    let mut parts: Vec<String> = asked.into_iter().chain(offered).collect();
    parts.push(format!("{} requests in flight on average", number(throughput.mean_in_flight)));
    parts.push(format!("measured for {}", throughput.window_ns));
    parts.join(", ")
}

/// `480 of 500 requests left, 91,200 of 100,000 tokens left, whole again in 12.0 s`: the last that was published.
fn limits(limits: &RateLimits) -> Option<String> {
    let one = |limit: Option<Limit>, what: &str| {
        let Limit { limit, remaining, reset_ns } = limit?;
        let figure = match (remaining, limit) {
            (Some(left), Some(of)) => format!("{} of {} {what} left", count(left), count(of)),
            (Some(left), None) => format!("{} {what} left", count(left)),
            (None, Some(of)) => format!("{} {what} allowed", count(of)),
            (None, None) => return None,
        };
        let reset = reset_ns.map(|reset| format!(", whole again in {reset}")).unwrap_or_default();
        Some(format!("{figure}{reset}"))
    };
    let parts: Vec<String> =
        [one(limits.requests, "requests"), one(limits.tokens, "tokens")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("published last: {}", parts.join("; ")))
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
