//! The comparison and each target's details as Markdown.

use schema::plan::Plan;
use schema::summary::Summary;

use crate::comparison;
use crate::{clean, details};

/// A document: heading, comparison table, a list for each target. Ends with a line break.
pub fn markdown(summary: &Summary, plan: &Plan) -> String {
    let mut lines = vec![format!("# {}", clean::markdown(&summary.name)), String::new()];
    if summary.simulated {
        lines.extend(["What says **SIMULATED** was measured from a simulated engine.".to_owned(), String::new()]);
    }
    lines.extend([clean::markdown(&comparison::plan_in_words(plan)), String::new()]);
    lines.extend(compare(summary, plan));
    lines.extend([String::new(), comparison::LEGEND.to_owned()]);
    for target in &summary.targets {
        let mark = if target.simulated { " (SIMULATED)" } else { "" };
        let model = clean::markdown(&format!("{} at {}", target.model, target.provider));
        lines.extend([String::new(), format!("## {}{mark}", clean::markdown(target.target.as_str()))]);
        lines.extend([String::new(), format!("- **model**: {model}")]);
        lines.extend(
            details::of(target).iter().map(|(label, text)| format!("- **{label}**: {}", clean::markdown(text))),
        );
    }
    lines.extend(summary.warnings.iter().take(1).map(|_| String::new()));
    lines.extend(summary.warnings.iter().map(|warning| format!("> **warning**: {}", clean::markdown(warning))));
    lines.push(String::new());
    lines.join("\n")
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
