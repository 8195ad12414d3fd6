//! What a search over levels of load found: a row a level, a chart, the answer and the law in words.

use schema::curve::{Answer, Curve, CurvePoint, Law};
use schema::metric::{Metric, Unit};
use schema::plan::{Axis, Slo};
use schema::summary::{Estimate, SloStatus, Trust};

use crate::comparison::{self, Column};
use crate::number::{self, Figure, counted, estimate, number};

/// Bars are at most so many characters long.
const LONGEST_BAR: usize = 60;

/// The part of a character that a bar ends with, in eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The level that stands for the target.
const CHOSEN: &str = "▸ ";

/// What the mark, and the missing intervals, mean.
pub(crate) const LEGEND: &str = "▸ is the level that the other tables show, with its intervals; those of the other \
                                 levels are in the JSON and the CSV of the curve.";

/// `groq over rate`, with the mark of a simulated engine.
pub(crate) fn heading(curve: &Curve) -> String {
    let mark = if curve.simulated { "  SIMULATED" } else { "" };
    format!("{} over {}{mark}", curve.target, curve.axis.in_words())
}

/// `14.2/s`, or `14 at once`.
pub(crate) fn level(axis: Axis, level: f64) -> String {
    match axis {
        Axis::Rate => format!("{}/s", number(level)),
        Axis::Concurrency => format!("{level:.0} at once"),
    }
}

/// The levels' names, in order.
pub(crate) fn levels(curve: &Curve) -> Vec<String> {
    let chosen = |point: &CurvePoint| curve.stands_for.is_some_and(|level| level.total_cmp(&point.level).is_eq());
    let name = |point| format!("{}{}", if chosen(point) { CHOSEN } else { "" }, level(curve.axis, point.level));
    curve.points.iter().map(name).collect()
}

/// One column a figure, one figure a level.
pub(crate) fn columns(curve: &Curve) -> Vec<Column> {
    let rate = |x: f64| Some(Figure::plain(number(x)));
    let time = |e: Option<Estimate>| e.map(|e| Figure::plain(number::value(e.value, Unit::Nanos)));
    let mut columns = vec![
        column(curve, "offered\nrequests/s", |p| rate(p.offered_requests_per_s).filter(|_| curve.axis == Axis::Rate)),
        column(curve, "completed\nrequests/s", |p| rate(p.requests_per_s.value)),
        column(curve, "good\nrequests/s", |p| rate(p.goodput_requests_per_s?)),
        column(curve, "output\ntokens/s", |p| {
            rate(p.output_tokens_per_s.value).filter(|_| p.output_tokens_per_s.value > 0.0)
        }),
        column(curve, "in\nflight", |p| rate(p.mean_in_flight)),
        column(curve, "TTFT\np50", |p| time(p.ttft_p50_ns)),
        column(curve, "TTFT\np95", |p| time(p.ttft_p95_ns)),
        column(curve, "TPOT\np50", |p| time(p.tpot_p50_ns)),
        column(curve, "TPOT\np95", |p| time(p.tpot_p95_ns)),
        column(curve, "SLOs", |p| Some(Figure::plain(comparison::status(p.slo?)))),
        column(curve, "remark", |p| Some(Figure::plain(remark(p)))),
    ];
    columns.retain(|column| column.figures.iter().any(|f| *f != Figure::nothing() && !f.value.is_empty()));
    columns
}

fn column(curve: &Curve, heading: &str, figure: impl Fn(&CurvePoint) -> Option<Figure>) -> Column {
    let figures = curve.points.iter().map(|point| figure(point).unwrap_or_else(Figure::nothing)).collect();
    Column { heading: heading.split('\n').map(str::to_owned).collect(), figures }
}

/// What sets a level apart; nothing where nothing does.
fn remark(point: &CurvePoint) -> String {
    let saturated = point.saturated.as_ref().map(|_| "saturated");
    let trust = (point.trust != Trust::Trustworthy).then(|| point.trust.in_words());
    saturated.into_iter().chain(trust).collect::<Vec<_>>().join(", ")
}

/// The answer in one sentence; absent where none was sought.
pub(crate) fn answer(curve: &Curve) -> Option<String> {
    curve.answer.as_ref().map(|answer| sentence(curve.axis, answer))
}

fn sentence(axis: Axis, found: &Answer) -> String {
    let words = |x: f64| level(axis, x);
    let (what, slos) = (axis.in_words(), listed(&found.slos));
    let steps = counted(found.steps, "step");
    let first = found.limited_by.map(|slo| format!("; missed first: {slo}")).unwrap_or_default();
    match (found.highest, found.low.zip(found.high)) {
        (Some(highest), Some((low, high))) => format!(
            "Highest {what} that meets {slos}: {} (the maximum lies between {} and {}), {steps}{first}",
            words(highest),
            words(low),
            words(high)
        ),
        (Some(highest), None) => format!(
            "Highest {what} shown to meet {slos}: {} (no level was certainly missed: the maximum may lie above), {steps}",
            words(highest)
        ),
        (None, _) => format!("No {what} was shown to meet {slos}, {steps}{first}"),
    }
}

fn listed(slos: &[Slo]) -> String {
    let names: Vec<String> = slos.iter().map(ToString::to_string).collect();
    if names.is_empty() { "the SLOs".to_owned() } else { names.join(" and ") }
}

/// Label and text of each line under the chart. Text is not yet clean.
pub(crate) fn lines(curve: &Curve) -> Vec<(String, String)> {
    let mut lines: Vec<(&str, String)> = Vec::new();
    lines.extend(curve.answer.iter().map(|answer| ("how", answer.why.clone())));
    // The lowest says why; those above are marked in the table.
    let saturated = curve.points.iter().find_map(|point| Some((point, point.saturated.as_ref()?)));
    lines.extend(saturated.map(|(point, why)| ("saturated", format!("{}: {why}", level(curve.axis, point.level)))));
    if let Some(law) = &curve.law {
        lines.push(("law", in_words(law)));
        lines.extend(law.warnings.iter().map(|warning| ("warning", format!("law: {warning}"))));
    }
    lines.into_iter().map(|(label, text)| (label.to_owned(), text)).collect()
}

/// The universal scalability law's parameters with their intervals.
fn in_words(law: &Law) -> String {
    let show = |e: &Estimate| estimate(e, Unit::TokensPerSecond).in_line();
    let mut parts = vec![
        format!("one stream carries {} requests/s", show(&law.lambda)),
        format!("contention σ {}", show(&law.contention)),
        format!("coherency κ {}", show(&law.coherency)),
    ];
    match (&law.peak_in_flight, &law.peak_requests_per_s) {
        (Some(place), Some(top)) => {
            parts.push(format!("throughput peaks at {} in flight with {} requests/s", show(place), show(top)));
        }
        (None, Some(limit)) => parts.push(format!("throughput levels off to {} requests/s", show(limit))),
        _ => {}
    }
    let points = format!("universal scalability law over {} points, R² {:.3}", law.points, law.r_squared);
    format!("{points}: {}", parts.join(", "))
}

/// A bar a level, as long as its offered rate: what met every SLO, what completed besides, and the rest. Each line
/// is at most `width` characters long.
pub(crate) fn chart(curve: &Curve, width: usize) -> Vec<String> {
    let names = levels(curve);
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let most = curve.points.iter().map(longest).fold(0.0, f64::max);
    let with_slos = curve.points.iter().any(|point| point.goodput_requests_per_s.is_some());
    let figures: Vec<String> = curve.points.iter().map(|point| number(solid(point))).collect();
    let figure = figures.iter().map(String::len).max().unwrap_or(0);
    let room = width.saturating_sub(widest + figure + 6).clamp(10, LONGEST_BAR);
    if most <= 0.0 || curve.points.len() < 2 {
        return Vec::new();
    }
    let row = |((point, name), figure): ((&CurvePoint, &String), &String)| {
        format!("  {name:>widest$}  {}  {figure}", bar(point, room as f64 / most))
    };
    let besides = if with_slos { "█ met every SLO, ░ completed" } else { "█ completed" };
    let offered = if curve.axis == Axis::Rate { ", · offered" } else { "" };
    let mut lines = vec![format!("  requests/s: {besides}{offered}")];
    lines.extend(curve.points.iter().zip(&names).zip(&figures).map(row));
    lines
}

/// What counts of a level: good requests a second, or completed ones without SLOs.
fn solid(point: &CurvePoint) -> f64 {
    point.goodput_requests_per_s.unwrap_or(point.requests_per_s.value)
}

fn longest(point: &CurvePoint) -> f64 {
    point.offered_requests_per_s.max(point.requests_per_s.value)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few dozen characters")]
fn bar(point: &CurvePoint, scale: f64) -> String {
    let eighths = (solid(point) * scale * 8.0).round().max(0.0) as usize;
    let mut bar = "█".repeat(eighths / 8);
    bar.push_str(EIGHTHS[eighths % 8]);
    let mut length = eighths.div_ceil(8);
    for (until, fill) in [(point.requests_per_s.value, '░'), (longest(point), '·')] {
        let end = (until * scale).round().max(0.0) as usize;
        bar.extend(std::iter::repeat_n(fill, end.saturating_sub(length)));
        length = length.max(end);
    }
    bar
}

/// An SLO status of a level, for scripts.
pub(crate) const fn status(status: Option<SloStatus>) -> &'static str {
    match status {
        Some(status) => comparison::status(status),
        None => "",
    }
}

/// Medians and 95th percentiles by the names of their metrics.
pub(crate) fn times(point: &CurvePoint) -> [(Metric, &'static str, Option<Estimate>); 4] {
    [
        (Metric::Ttft, "p50", point.ttft_p50_ns),
        (Metric::Ttft, "p95", point.ttft_p95_ns),
        (Metric::Tpot, "p50", point.tpot_p50_ns),
        (Metric::Tpot, "p95", point.tpot_p95_ns),
    ]
}
