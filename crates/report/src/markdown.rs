//! The comparison and each target's details as Markdown.

use schema::comparison::Comparison;
use schema::curve::Curve;
use schema::metric::{Metric, Unit};
use schema::plan::Plan;
use schema::summary::{Distribution, Summary, TargetSummary};

use crate::conversation::{self, Section};
use crate::listing::Align;
use crate::number::{NOTHING, count, estimate, percentile, value};
use crate::{alike, clean, comparison, curve, details, ranking};

/// A document: heading, comparison table, who leads, and for each target a list of what is known of it and all
/// its metrics. Ends with a line break.
pub fn markdown(summary: &Summary, plan: &Plan) -> String {
    let mut lines = vec![format!("# {}", clean::markdown(&summary.name)), String::new()];
    if summary.simulated {
        lines.extend(["What says **SIMULATED** was measured from a simulated engine.".to_owned(), String::new()]);
    }
    lines.extend([clean::markdown(&comparison::plan_in_words(plan)), String::new()]);
    lines.extend(summary.curves.iter().flat_map(of_curve));
    if !summary.curves.is_empty() {
        lines.extend([curve::LEGEND.to_owned(), String::new()]);
    }
    lines.extend(compare(summary, plan));
    let told = |comparison| verdicts(comparison, &ranking::verdicts_in_words(comparison));
    lines.extend(summary.comparison.iter().flat_map(told));
    lines.extend([String::new(), comparison::LEGEND.to_owned()]);
    let floor = summary.calibration.as_ref().map(comparison::floor);
    lines.extend(floor.into_iter().flat_map(|floor| [String::new(), clean::markdown(&floor)]));
    for target in &summary.targets {
        let mark = if target.simulated { " (SIMULATED)" } else { "" };
        let model = clean::markdown(&format!("{} at {}", target.model, target.provider));
        lines.extend([String::new(), format!("## {}{mark}", clean::markdown(target.target.as_str()))]);
        lines.extend([String::new(), format!("- **model**: {model}")]);
        lines.extend(
            details::of(target, summary, plan)
                .iter()
                .map(|(label, text)| format!("- **{label}**: {}", clean::markdown(text))),
        );
        lines.extend(metrics(target));
        lines.extend(target.conversations.iter().flat_map(conversation::sections).flat_map(of_section));
    }
    let warnings = alike::with_warnings(&summary.warnings, summary.comparison.as_ref());
    lines.extend(warnings.iter().flat_map(|(label, text)| {
        [String::new(), format!("> **{}**: {}", clean::markdown(label), clean::markdown(text))]
    }));
    lines.push(String::new());
    lines.join("\n")
}

/// Characters that a chart in a document may be wide.
const CHART_WIDTH: usize = 90;

/// One target over levels of load: the answer in bold, a row a level, a chart, and what else is known.
fn of_curve(curve: &Curve) -> Vec<String> {
    let mut lines = vec![format!("## {}", clean::markdown(&curve::heading(curve))), String::new()];
    let answer = curve::answer(curve);
    lines.extend(answer.into_iter().flat_map(|answer| [format!("**{}**", clean::markdown(&answer)), String::new()]));
    let columns = curve::columns(curve);
    let axis = curve.axis.in_words().to_owned();
    lines.push(row(std::iter::once(axis).chain(columns.iter().map(|c| c.heading.join(" ")))));
    lines.push(format!("|{}", " ---: |".repeat(columns.len() + 1)));
    for (i, level) in curve::levels(curve).into_iter().enumerate() {
        lines.push(row(std::iter::once(level).chain(columns.iter().map(|c| c.figures[i].in_line()))));
    }
    let chart = curve::chart(curve, CHART_WIDTH);
    if !chart.is_empty() {
        lines.extend([String::new(), "```text".to_owned()]);
        lines.extend(chart);
        lines.push("```".to_owned());
    }
    let told = curve::lines(curve);
    lines.extend(told.iter().take(1).map(|_| String::new()));
    lines.extend(told.iter().map(|(label, text)| format!("- **{label}**: {}", clean::markdown(text))));
    lines.push(String::new());
    lines
}

/// A table under its title.
fn of_section(section: Section) -> Vec<String> {
    let rules = section.aligns.iter().map(|align| match align {
        Align::Left => " --- |",
        Align::Right => " ---: |",
    });
    let mut lines = vec![String::new(), format!("**{}**", clean::markdown(&section.title)), String::new()];
    lines.push(row(section.headings.into_iter().map(str::to_owned)));
    lines.push(format!("|{}", rules.collect::<String>()));
    lines.extend(section.rows.into_iter().map(|cells| row(cells.into_iter())));
    lines
}

/// All metrics of one target, each figure with its interval.
fn metrics(target: &TargetSummary) -> Vec<String> {
    if target.metrics.is_empty() {
        return Vec::new();
    }
    let headings = ["metric", "n", "mean", "sd", "min", "p50", "p90", "p95", "p99", "max"];
    let mut lines = vec![String::new(), row(headings.iter().map(ToString::to_string)), rule(headings.len() - 1)];
    lines.extend(target.metrics.iter().map(|(metric, d)| row(distribution(*metric, d).into_iter())));
    lines
}

fn distribution(metric: Metric, d: &Distribution) -> Vec<String> {
    let unit = metric.unit();
    let name = if unit == Unit::TokensPerSecond { format!("{metric}, tokens/s") } else { metric.to_string() };
    let sd = d.sd.as_ref().map_or(NOTHING.to_owned(), |sd| estimate(sd, unit).in_line());
    let percentiles = [&d.p50, &d.p90, &d.p95, &d.p99].map(|p| percentile(p, metric).in_line());
    let mut cells = vec![name, count(d.n), estimate(&d.mean, unit).in_line(), sd, value(d.min, unit)];
    cells.extend(percentiles);
    cells.push(value(d.max, unit));
    cells
}

fn compare(summary: &Summary, plan: &Plan) -> Vec<String> {
    let columns = comparison::columns(summary, plan);
    let headings = std::iter::once("target".to_owned()).chain(columns.iter().map(|c| c.heading.join(" ")));
    let mut lines = vec![row(headings), rule(columns.len())];
    for (i, target) in summary.targets.iter().enumerate() {
        let mark = if target.simulated { " SIMULATED" } else { "" };
        let name = format!("{}{mark}", target.target);
        lines.push(row(std::iter::once(name).chain(columns.iter().map(|c| c.figures[i].in_line()))));
    }
    lines
}

/// Who wins, as it is `told` a line a verdict, then the scores.
pub(crate) fn verdicts(comparison: &Comparison, told: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = told.iter().take(1).map(|_| String::new()).collect();
    lines.extend(told.iter().map(|line| format!("- {}", clean::markdown(line))));
    let (names, columns) = (ranking::scored(comparison), ranking::scores(comparison));
    if !names.is_empty() {
        let headings = std::iter::once("target".to_owned()).chain(columns.iter().map(|c| c.heading.join(" ")));
        lines.extend([String::new(), row(headings), rule(columns.len())]);
        let cells = names.into_iter().enumerate();
        lines.extend(
            cells.map(|(i, name)| row(std::iter::once(name).chain(columns.iter().map(|c| c.figures[i].in_line())))),
        );
        lines.extend([String::new(), ranking::SCORES.to_owned()]);
    }
    lines
}

/// One row of a table.
pub(crate) fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| clean::markdown(&cell)).collect();
    format!("| {} |", cells.join(" | "))
}

/// The line under the headings: one column of text, the others of figures.
pub(crate) fn rule(figures: usize) -> String {
    format!("| --- |{}", " ---: |".repeat(figures))
}
