//! The summary as it is kept, and plain values as JSON.

use schema::summary::Summary;
use serde::Serialize;

use crate::clean;

/// The summary as indented JSON, names and units as on disk. Ends with a line break.
pub fn json(summary: &Summary) -> String {
    pretty(summary)
}

/// Plain data as indented JSON with a line break at its end.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain data, with strings for keys");
    text.push('\n');
    clean::json(&text)
}
