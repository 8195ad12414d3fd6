//! Columns side by side, laid out for a width. The only place that draws terminal tables, and so
//! the only place that must clean what goes into them.

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use crate::clean;
use crate::listing::Align;

/// A line under the headings, nothing else.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Blanks between two columns: one of padding, one where a rule would stand.
pub(crate) const GAP: usize = 2;

/// What stands in one place: its lines, top to bottom.
pub(crate) type Lines = Vec<String>;

/// Draws `rows` under `headings`, wrapping what is wider than `width`. Lines end without blanks.
pub(crate) fn ruled(headings: &[Lines], aligns: &[Align], rows: &[Vec<Lines>], width: u16) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(RULED).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(headings.iter().zip(aligns).map(|(text, align)| cell(text, *align)));
    for row in rows {
        table.add_row(row.iter().zip(aligns).map(|(lines, align)| cell(lines, *align)));
    }
    keep_names_whole(&mut table, width);
    draw(table, 1)
}

/// The first column names what its row is about, and people copy names: it is wrapped only where it would take more than
/// half the width.
fn keep_names_whole(table: &mut Table, width: u16) {
    let longest = table.column_max_content_widths().first().copied().unwrap_or(0);
    if let Some(names) = table.column_mut(0).filter(|_| longest <= width / 2) {
        names.set_constraint(ColumnConstraint::ContentWidth);
    }
}

/// Draws label and text pairs, the text wrapped beside its label, everything indented by `indent`.
pub(crate) fn labelled(pairs: &[(String, String)], label_width: u16, indent: u16, width: u16) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).set_width(width - indent);
    for (label, text) in pairs {
        table.add_row([label, text].map(|part| cell(std::slice::from_ref(part), Align::Left)));
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(label_width + 2)));
    }
    let margin = " ".repeat(usize::from(indent));
    draw(table, 2).into_iter().map(|line| format!("{margin}{line}")).collect()
}

/// One paragraph, wrapped.
pub(crate) fn paragraph(text: &str, width: u16) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.add_row([cell(&[text.to_owned()], Align::Left)]);
    draw(table, 0)
}

/// Stands for a blank at which no line is broken, while a table is laid out.
const TIED: char = '\u{a0}';

/// Ties each unit to its number, so that no line ends between them.
fn tie_units(text: &str) -> String {
    let mut tied = String::with_capacity(text.len());
    for word in text.split(' ') {
        let unit = word.trim_end_matches([',', ';', '.', ')', ':']);
        let is_tied = matches!(unit, "%" | "ns" | "µs" | "ms" | "s") && tied.ends_with(|c: char| c.is_ascii_digit());
        if !tied.is_empty() {
            tied.push(if is_tied { TIED } else { ' ' });
        }
        tied.push_str(word);
    }
    tied
}

fn cell(lines: &[String], align: Align) -> Cell {
    let clean: Vec<String> = lines.iter().map(|line| tie_units(&clean::terminal(line))).collect();
    Cell::new(clean.join("\n")).set_alignment(match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    })
}

/// The table's lines, its columns but the last followed by `padding` blanks.
fn draw(mut table: Table, padding: u16) -> Vec<String> {
    let last = table.column_count().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { padding }));
    }
    table.lines().map(|line| line.replace(TIED, " ").trim_end().to_owned()).collect()
}
