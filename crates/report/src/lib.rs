//! Numbers into text and documents, returned as strings.

use schema::plan::Plan;
use schema::summary::Summary;

mod listing;

pub use listing::{Align, Cell, Column, Listing};

/// How text for a terminal is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns to fill at most.
    pub width: u16,
    /// Whether ANSI colours are used.
    pub color: bool,
}

/// The comparison table and each target's details, for a terminal.
pub fn table(summary: &Summary, plan: &Plan, style: Style) -> String {
    let _ = (summary, plan, style);
    todo!("next commit")
}

/// The same as Markdown.
pub fn markdown(summary: &Summary, plan: &Plan) -> String {
    let _ = (summary, plan);
    todo!("next commit")
}

/// One row per target and metric.
pub fn csv(summary: &Summary) -> String {
    let _ = summary;
    todo!("next commit")
}

/// The summary as indented JSON, with a line break at its end.
pub fn json(summary: &Summary) -> String {
    let mut text = serde_json::to_string_pretty(summary).expect("a summary is plain data");
    text.push('\n');
    text
}
