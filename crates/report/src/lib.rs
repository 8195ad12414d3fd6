//! Numbers into text and documents, returned as strings. No clock, no file, no terminal: the caller
//! says how wide it is and whether it shows colours.
//!
//! ```text
//! Summary ─▶ comparison (one row a target) ─┬▶ terminal, markdown
//!         ─▶ ranking (who wins, how sure)    ─┤
//!         ─▶ curve (levels of load)          ─┤
//!         ─▶ details (lines under a target) ─┘
//!         ─▶ csv, json
//! Comparison, Explanation ─▶ compare ─▶ table, markdown, csv, json
//! Projected ─▶ projection (what it comes to) ─▶ story (told as people live through it)
//! Gate, Trend ─▶ gate, junit, trend        Change ─▶ degradation
//! Listing ─▶ table, markdown, csv, json
//! ```
//!
//! Invariants: what came from a simulated engine says SIMULATED wherever it is shown; a number has
//! its interval beside it, or the reason why it is not there (a curve's are in its CSV, and in JSON); no text reaches a medium but through
//! that medium's cleaner, in `clean`.

mod alike;
mod clean;
mod compare;
mod comparison;
mod conversation;
mod csv;
mod curve;
mod degradation;
mod details;
mod explain;
mod figure;
mod gate;
mod grid;
mod insight;
mod json;
mod junit;
mod listing;
mod mark;
mod markdown;
mod number;
mod paint;
mod projection;
mod ranking;
mod requests;
mod server_side;
mod statistics;
mod story;
mod terminal;
mod trend;
mod votes;

pub use crate::compare::{Compared, compare_csv, compare_json, compare_markdown, compare_table};
pub use crate::conversation::csv_conversations;
pub use crate::csv::{csv, csv_curves};
pub use crate::degradation::{degradation, degradation_rows, rush_json};
pub use crate::gate::{gate, gate_csv, gate_json, gate_markdown};
pub use crate::json::json;
pub use crate::junit::junit;
pub use crate::listing::{Align, Cell, Column, Listing};
pub use crate::markdown::markdown;
pub use crate::projection::{projections, projections_markdown, projections_text};
pub use crate::ranking::{verdicts, verdicts_in_words};
pub use crate::requests::{csv_request, csv_requests_heading};
pub use crate::statistics::{ranking as ranking_text, statistics as statistics_text};
pub use crate::story::{story, story_markdown, story_rows, story_text};
pub use crate::terminal::{Style, table};
pub use crate::trend::{trend, trend_csv, trend_json, trend_markdown};
pub use crate::votes::votes;

#[cfg(test)]
mod tests;
