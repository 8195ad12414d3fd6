//! The comparison and each target's details as Markdown.

use schema::metric::{Metric, Unit};
use schema::plan::Plan;
use schema::summary::{Distribution, Summary, TargetSummary};

use crate::number::{NOTHING, count, estimate, percentile, value};
use crate::{clean, comparison, details, ranking};

/// A document: heading, comparison table, who leads, and for each target a list of what is known of it and all
/// its metrics. Ends with a line break.
pub fn markdown(summary: &Summary, plan: &Plan) -> String {
    let mut lines = vec![format!("# {}", clean::markdown(&summary.name)), String::new()];
    if summary.simulated {
        lines.extend(["What says **SIMULATED** was measured from a simulated engine.".to_owned(), String::new()]);
    }
    lines.extend([clean::markdown(&comparison::plan_in_words(plan)), String::new()]);
    lines.extend(compare(summary, plan));
    let headlines = summary.comparison.as_ref().map(ranking::headlines).unwrap_or_default();
    lines.extend(headlines.iter().take(1).map(|_| String::new()));
    lines.extend(headlines.iter().map(|line| format!("- {}", clean::markdown(line))));
    lines.extend([String::new(), comparison::LEGEND.to_owned()]);
    for target in &summary.targets {
        let mark = if target.simulated { " (SIMULATED)" } else { "" };
        let model = clean::markdown(&format!("{} at {}", target.model, target.provider));
        lines.extend([String::new(), format!("## {}{mark}", clean::markdown(target.target.as_str()))]);
        lines.extend([String::new(), format!("- **model**: {model}")]);
        lines.extend(
            details::of(target).iter().map(|(label, text)| format!("- **{label}**: {}", clean::markdown(text))),
        );
        lines.extend(metrics(target));
    }
    lines.extend(summary.warnings.iter().take(1).map(|_| String::new()));
    lines.extend(summary.warnings.iter().map(|warning| format!("> **warning**: {}", clean::markdown(warning))));
    lines.push(String::new());
    lines.join("\n")
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

/// One row of a table.
pub(crate) fn row(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| clean::markdown(&cell)).collect();
    format!("| {} |", cells.join(" | "))
}

/// The line under the headings: one column of text, the others of figures.
fn rule(figures: usize) -> String {
    format!("| --- |{}", " ---: |".repeat(figures))
}
