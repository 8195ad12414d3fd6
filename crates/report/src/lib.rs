//! Numbers into text and documents, returned as strings. No clock, no file, no terminal: the caller
//! says how wide it is and whether it shows colours.
//!
//! ```text
//! Summary ─▶ comparison (one row a target) ─┬▶ terminal, markdown
//!         ─▶ ranking (who leads)             ─┤
//!         ─▶ curve (levels of load)          ─┤
//!         ─▶ details (lines under a target) ─┘
//!         ─▶ csv, json
//! Listing ─▶ table, markdown, csv, json
//! ```
//!
//! Invariants: what came from a simulated engine says SIMULATED wherever it is shown; a number has
//! its interval beside it, or the reason why it is not there (a curve's are in its CSV, and in JSON); no text reaches a medium but through
//! that medium's cleaner, in `clean`.

mod clean;
mod comparison;
mod csv;
mod curve;
mod details;
mod grid;
mod json;
mod listing;
mod markdown;
mod number;
mod paint;
mod projection;
mod ranking;
mod requests;
mod server_side;
mod story;
mod terminal;

pub use crate::csv::{csv, csv_curves};
pub use crate::json::json;
pub use crate::listing::{Align, Cell, Column, Listing};
pub use crate::markdown::markdown;
pub use crate::projection::projections;
pub use crate::story::{story, story_markdown, story_rows, story_text};
pub use crate::requests::{csv_request, csv_requests_heading};
pub use crate::terminal::{Style, table};

#[cfg(test)]
mod tests;
