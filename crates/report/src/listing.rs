//! Plain listings: the same rows as a table, Markdown, CSV or JSON.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::terminal::{Line, Style};
use crate::{clean, csv, grid, json, markdown, terminal};

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

impl Cell {
    fn for_people(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number { shown, .. } => shown.clone(),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        }
    }

    fn for_csv(&self) -> String {
        match self {
            Self::Number { value, .. } => value.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Empty | Self::Text(_) => clean::cell(&self.for_people()),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number { value, .. } => serializer.serialize_f64(*value),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
        }
    }
}

/// One row as an object, in the order of the columns.
struct Object<'a> {
    columns: &'a [Column],
    cells: &'a [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, cell) in self.columns.iter().zip(self.cells) {
            map.serialize_entry(column.key, cell)?;
        }
        map.end()
    }
}

/// As an array of objects, one a row.
impl Serialize for Listing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|cells| Object { columns: &self.columns, cells }))
    }
}

impl Listing {
    /// For a terminal: the title, if there is one, then headings, a rule and the rows.
    pub fn table(&self, style: Style) -> String {
        let headings: Vec<grid::Lines> = self.columns.iter().map(|c| vec![c.heading.to_owned()]).collect();
        let aligns: Vec<Align> = self.columns.iter().map(|c| c.align).collect();
        let lines = |row: &Vec<Cell>| row.iter().map(|cell| vec![cell.for_people()]).collect();
        let rows: Vec<Vec<grid::Lines>> = self.rows.iter().map(lines).collect();
        let title = (!self.title.is_empty()).then(|| Line::Heading(clean::terminal(&self.title)));
        let grid = grid::ruled(&headings, &aligns, &rows, style.columns());
        let lines: Vec<Line> = title.into_iter().chain(terminal::headed(grid)).collect();
        style.finish(&lines)
    }

    /// As a Markdown table, under its title if there is one.
    pub fn markdown(&self) -> String {
        let mut lines = Vec::new();
        if !self.title.is_empty() {
            lines.extend([format!("# {}", clean::markdown(&self.title)), String::new()]);
        }
        let rules: Vec<&str> = self
            .columns
            .iter()
            .map(|c| match c.align {
                Align::Left => "---",
                Align::Right => "---:",
            })
            .collect();
        lines.push(markdown::row(self.columns.iter().map(|c| c.heading.to_owned())));
        lines.push(format!("| {} |", rules.join(" | ")));
        lines.extend(self.rows.iter().map(|row| markdown::row(row.iter().map(Cell::for_people))));
        lines.push(String::new());
        lines.join("\n")
    }

    /// As CSV: keys as headers, numbers as they are, text that no spreadsheet takes for a formula.
    pub fn csv(&self) -> String {
        let keys = self.columns.iter().map(|c| c.key.to_owned()).collect();
        csv::write(std::iter::once(keys).chain(self.rows.iter().map(|row| row.iter().map(Cell::for_csv).collect())))
    }

    /// As an indented JSON array of objects, one a row, keys in the order of the columns.
    pub fn json(&self) -> String {
        json::pretty(self)
    }
}
