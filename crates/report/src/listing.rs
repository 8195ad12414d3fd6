//! Plain listings: the same rows as a table, Markdown, CSV or JSON.

use crate::Style;

/// Which side a column is flush with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// One column of a [`Listing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in JSON and CSV, with its unit: `input_per_mtok_usd`.
    pub key: &'static str,
    /// Its heading for people.
    pub heading: &'static str,
    /// Which side it is flush with.
    pub align: Align,
}

/// One cell of a [`Listing`]. Text may come from anyone: each form cleans it for its medium.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing: blank for people, `null` in JSON.
    Empty,
    /// Text.
    Text(String),
    /// A number: as shown to people, and as it is.
    Number {
        /// For people: `1.23 ms`.
        shown: String,
        /// For programs.
        value: f64,
    },
    /// Yes or no.
    Flag(bool),
}

/// Rows under headings, to be shown in whichever form was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    /// What it lists; blank: no title line.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; each has one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

impl Listing {
    /// For a terminal.
    pub fn table(&self, style: Style) -> String {
        let _ = style;
        todo!("next commit")
    }

    /// As a Markdown table.
    pub fn markdown(&self) -> String {
        todo!("next commit")
    }

    /// As CSV, keys as headers.
    pub fn csv(&self) -> String {
        todo!("next commit")
    }

    /// As a JSON array of objects.
    pub fn json(&self) -> String {
        todo!("next commit")
    }
}
