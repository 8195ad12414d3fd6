//! What a target's requests show beside their figures: told where it is worth a line, and not where all is steady.

use schema::insight::{Achievement, Change, Consistency, Drift, Insight, Outliers, Relation};
use schema::units::{Moment, Nanos};

use crate::number::{counted, estimate, number, percent, value};

/// A score above which requests are alike enough not to be told.
const ALIKE: f64 = 75.0;

/// Label and text of each line. Text is not yet clean.
pub(crate) fn lines(insight: &Insight) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    lines.extend(insight.p95_targets.iter().map(|target| ("p95 target", achievement(target))));
    lines.extend(insight.outliers.iter().map(|outliers| ("outliers", self::outliers(outliers))));
    let thinned = insight.every.map(|every| format!(" (of every {} request)", nth(every))).unwrap_or_default();
    let clear = insight.drifts.iter().filter(|drift| drift.clear);
    lines.extend(clear.map(|drift| ("drift", self::drift(drift) + &thinned)));
    lines.extend(insight.changes.iter().map(|change| ("change", self::change(change) + &thinned)));
    lines.extend(insight.relations.iter().map(|relation| ("relation", self::relation(relation) + &thinned)));
    let uneven = insight.consistency.iter().filter(|consistency| consistency.score < ALIKE);
    lines.extend(uneven.map(|consistency| ("consistency", self::consistency(consistency))));
    lines
}

/// `ttft_p95<200ms met with 12 % to spare (8.00–15.0), 97.1 % of requests within`.
fn achievement(target: &Achievement) -> String {
    let margin = &target.margin;
    let (what, sign, after) =
        if margin.value >= 0.0 { ("met with", 1.0, " to spare") } else { ("missed by", -1.0, "") };
    let share = |x: f64| number(100.0 * sign * x);
    let ends = margin.low.zip(margin.high).map(|(low, high)| if sign > 0.0 { (low, high) } else { (high, low) });
    let ends = ends.map(|(low, high)| format!(" ({} to {})", share(low), share(high))).unwrap_or_default();
    let (by, within) = (share(margin.value), percent(target.share));
    format!("{} {what} {by} %{after}{ends}, {within} of requests within", target.slo)
}

/// `TTFT of 12 requests (2.50 %) above 1.21 s, worst 4.10 s (request 311, 42.1 s into the run); counted everywhere`.
fn outliers(outliers: &Outliers) -> String {
    let unit = outliers.metric.unit();
    let worst = outliers.worst.first().map(|worst| {
        format!(", worst {} (request {}, {} into the run)", value(worst.value, unit), worst.index, since(worst.at_ns))
    });
    format!(
        "{} of {} ({}) above {}{}; counted in every figure",
        outliers.metric,
        counted(outliers.n, "request"),
        percent(outliers.share),
        value(outliers.above, unit),
        worst.unwrap_or_default()
    )
}

/// `TTFT rose by 12 % over the run, 3.10 ms a minute (2.00–4.20)`.
fn drift(drift: &Drift) -> String {
    let moved = if drift.over_run > 0.0 { "rose" } else { "fell" };
    let a_minute = estimate(&drift.per_minute, drift.metric.unit());
    let [a_minute, ends] = [a_minute.value.clone(), a_minute.aside.join(", ")];
    let ends = if ends.is_empty() { ends } else { format!(" ({ends})") };
    format!(
        "{} {moved} by {} % over the run, {a_minute} a minute{ends}",
        drift.metric,
        number(100.0 * drift.over_run.abs())
    )
}

/// `TTFT p50 went from 51.0 ms to 80.2 ms at 34.2 s into the run`.
fn change(change: &Change) -> String {
    let time = |x: f64| value(x, change.metric.unit());
    let (before, after) = (time(change.before), time(change.after));
    format!("{} p50 went from {before} to {after} at {} into the run", change.metric, since(change.at_ns))
}

/// `TTFT rises with Input tokens: ρ 0.620 (0.551–0.681)`.
fn relation(relation: &Relation) -> String {
    let rises = if relation.rho.value > 0.0 { "rises with" } else { "falls with" };
    let (low, high) = (relation.rho.low.unwrap_or(-1.0), relation.rho.high.unwrap_or(1.0));
    let of = relation.of.in_words();
    format!("{of} {rises} {}: ρ {:.2} ({low:.2} to {high:.2})", relation.on.in_words(), relation.rho.value)
}

/// `54 of 100: TTFT p95 is 3.10 times its p50, TPOT p95 1.20 times, jitter 1.50 times the ITL`.
fn consistency(consistency: &Consistency) -> String {
    let times =
        |share: Option<f64>, text: &str| share.map(|share| format!("{text} {} times its p50", number(1.0 / share)));
    let pace = consistency.pace.map(|pace| format!("jitter is {} times the ITL", number(1.0 / pace - 1.0)));
    let parts = [times(consistency.ttft, "TTFT p95 is"), times(consistency.tpot, "TPOT p95 is"), pace];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{} of 100: {}", consistency.score.round(), parts.join(", "))
}

/// `2nd`, `3rd`, `20th`.
fn nth(number: u64) -> String {
    let ending = match (number % 10, number % 100) {
        (1, rest) if rest != 11 => "st",
        (2, rest) if rest != 12 => "nd",
        (3, rest) if rest != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn since(at: Moment) -> Nanos {
    at - Moment::default()
}

#[cfg(test)]
mod tests;
