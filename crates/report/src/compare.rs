//! What `compare` shows: verdicts, what they rest on, in what those compared are unlike, and explanations.

use schema::comparison::{Comparison, Criterion, Ranking};
use schema::explain::Explanation;
use schema::metric::Unit;
use schema::summary::Estimate;
use schema::target::TargetName;
use serde::Serialize;

use crate::comparison::{self, Column};
use crate::grid::{self, Lines};
use crate::listing::Align;
use crate::number::{self, Figure};
use crate::terminal::{Line, Style, blank, plain};
use crate::{alike, clean, csv, explain, json, mark, markdown, ranking, terminal};

/// What `compare` found.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Compared<'a> {
    /// The targets against each other; absent where there is one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<&'a Comparison>,
    /// Their recordings under other tools' definitions, where that was asked for.
    #[serde(skip_serializing_if = "<[Explanation]>::is_empty")]
    pub explanations: &'a [Explanation],
}

/// Width of the labels before warnings.
const LABEL_WIDTH: u16 = 12;

/// Width of tools' names before what moves their figures.
const TOOL_WIDTH: u16 = 24;

/// For a terminal: who wins, a row a target, in what they are unlike, then the explanations. Ends with a line break.
pub fn compare_table(compared: &Compared<'_>, style: Style) -> String {
    let width = style.columns();
    let mut lines: Vec<Line> = Vec::new();
    if let Some(comparison) = compared.comparison {
        lines.extend(headline(&title(comparison), width));
        lines.push(blank());
        lines.extend(terminal::verdicts(comparison, &ranking::all_in_words(comparison), width));
        let names: Vec<Lines> = names(comparison).into_iter().map(|name| vec![name]).collect();
        lines.extend(terminal::grids("target", Align::Left, &names, figures(comparison), width).into_iter().skip(1));
        lines.push(blank());
        lines.extend(plain(grid::paragraph(comparison::LEGEND, width)));
        let told = alike::with_warnings(&comparison.warnings, Some(comparison));
        lines.extend(told.iter().take(1).map(|_| blank()));
        lines.extend(plain(grid::labelled(&told, LABEL_WIDTH, 2, width)));
    }
    for (i, explanation) in compared.explanations.iter().enumerate() {
        lines.extend((i > 0 || compared.comparison.is_some()).then(blank));
        lines.extend(explained(explanation, width));
    }
    style.finish(&lines)
}

fn headline(text: &str, width: u16) -> Vec<Line> {
    grid::paragraph(text, width).into_iter().map(Line::Heading).collect()
}

fn title(comparison: &Comparison) -> String {
    mark::headed(&comparison.name, &mark::of_all(targets(comparison)))
}

/// One recording under other tools' definitions.
fn explained(explanation: &Explanation, width: u16) -> Vec<Line> {
    let names: Vec<Lines> = explain::rows(explanation).iter().map(|row| vec![row.heading().to_owned()]).collect();
    let mut lines = headline(&explain::heading(explanation), width);
    lines.extend(terminal::grids("figure", Align::Left, &names, explain::columns(explanation), width));
    lines.push(blank());
    lines.extend(plain(grid::labelled(&explain::causes(explanation), TOOL_WIDTH, 0, width)));
    lines.push(blank());
    lines.extend(plain(grid::paragraph(&explain::legend(explanation), width)));
    lines.extend(plain(grid::labelled(&explain::notes(explanation), TOOL_WIDTH, 0, width)));
    lines
}

/// The targets: best over all first, where that is known, else best by the first criterion.
fn targets(comparison: &Comparison) -> Vec<(&TargetName, bool)> {
    let overall = comparison.overall.iter().flat_map(|overall| &overall.scores);
    let scored = overall.map(|score| (&score.target, score.simulated));
    let ranked = comparison.rankings.iter().flat_map(|ranking| &ranking.standings);
    let mut targets: Vec<(&TargetName, bool)> = Vec::new();
    for (target, simulated) in scored.chain(ranked.map(|standing| (&standing.target, standing.simulated))) {
        if targets.iter().all(|(known, _)| *known != target) {
            targets.push((target, simulated));
        }
    }
    targets
}

fn names(comparison: &Comparison) -> Vec<String> {
    let named = |(target, simulated): (&TargetName, bool)| {
        let mark = if simulated { " SIMULATED" } else { "" };
        format!("{target}{mark}")
    };
    targets(comparison).into_iter().map(named).collect()
}

/// A column a criterion, with intervals.
fn figures(comparison: &Comparison) -> Vec<Column> {
    let targets = targets(comparison);
    let column = |ranking: &Ranking| Column {
        heading: ranking
            .criterion
            .heading()
            .rsplitn(2, ' ')
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect(),
        figures: targets.iter().map(|(target, _)| figure(ranking, target)).collect(),
    };
    comparison.rankings.iter().map(column).collect()
}

fn figure(ranking: &Ranking, target: &TargetName) -> Figure {
    let standing = ranking.standings.iter().find(|standing| standing.target == *target);
    let Some(standing) = standing else { return Figure::nothing() };
    match standing.estimate {
        Some(estimate) => estimated(&estimate, ranking.criterion),
        None => Figure { value: "n/a".to_owned(), aside: vec![format!("n = {}", number::count(standing.n))] },
    }
}

fn estimated(estimate: &Estimate, criterion: Criterion) -> Figure {
    match criterion {
        Criterion::SuccessRate => {
            let ends = estimate.low.zip(estimate.high);
            let aside = ends.map(|(low, high)| format!("{}–{}", number::percent(low), number::percent(high)));
            Figure { value: number::percent(estimate.value), aside: aside.into_iter().collect() }
        }
        Criterion::CostPer1kRequests => {
            let figure = number::rate(estimate);
            Figure { value: format!("${}", figure.value), ..figure }
        }
        Criterion::OutputTokensPerS | Criterion::TtftSpread => number::rate(estimate),
        _ => number::estimate(estimate, Unit::Nanos),
    }
}

/// The same as a document. Ends with a line break.
pub fn compare_markdown(compared: &Compared<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if let Some(comparison) = compared.comparison {
        lines.push(format!("# {}", clean::markdown(&title(comparison))));
        lines.extend(markdown::verdicts(comparison, &ranking::all_in_words(comparison)));
        lines.push(String::new());
        lines.extend(table("target", &names(comparison), &figures(comparison)));
        lines.extend([String::new(), comparison::LEGEND.to_owned()]);
        let told = alike::with_warnings(&comparison.warnings, Some(comparison));
        lines.extend(told.iter().flat_map(|(label, text)| {
            [String::new(), format!("> **{}**: {}", clean::markdown(label), clean::markdown(text))]
        }));
        lines.push(String::new());
    }
    for explanation in compared.explanations {
        lines.extend([format!("## {}", clean::markdown(&explain::heading(explanation))), String::new()]);
        let names: Vec<String> = explain::rows(explanation).iter().map(|row| row.heading().to_owned()).collect();
        lines.extend(table("figure", &names, &explain::columns(explanation)));
        lines.push(String::new());
        lines.extend(items(&explain::causes(explanation)));
        lines.extend([String::new(), clean::markdown(&explain::legend(explanation)), String::new()]);
        lines.extend(items(&explain::notes(explanation)));
        lines.push(String::new());
    }
    lines.join("\n")
}

fn items(lines: &[(String, String)]) -> Vec<String> {
    lines.iter().map(|(label, text)| format!("- **{}**: {}", clean::markdown(label), clean::markdown(text))).collect()
}

fn table(first: &str, names: &[String], columns: &[Column]) -> Vec<String> {
    let headings = std::iter::once(first.to_owned()).chain(columns.iter().map(|column| column.heading.join(" ")));
    let mut lines = vec![markdown::row(headings), markdown::rule(columns.len())];
    for (i, name) in names.iter().enumerate() {
        let cells = columns.iter().map(|column| column.figures[i].in_line());
        lines.push(markdown::row(std::iter::once(name.clone()).chain(cells)));
    }
    lines
}

/// As indented JSON: `comparison`, and `explanations` where asked for. Ends with a line break.
pub fn compare_json(compared: &Compared<'_>) -> String {
    json::pretty(compared)
}

/// As CSV: a row a pair and criterion, or, where explanations were asked for, one a target, tool and quantity.
pub fn compare_csv(compared: &Compared<'_>) -> String {
    match compared.comparison {
        Some(comparison) if compared.explanations.is_empty() => ranking::verdicts(comparison).csv(),
        _ => csv::write(explain::csv_rows(compared.explanations).into_iter()),
    }
}

#[cfg(test)]
mod tests;
