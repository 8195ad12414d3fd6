//! How values are spread: columns side by side, or rungs one below the other.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::row::{COLUMNS, bar, eighths, exactly};
use super::{Label, Range};
use crate::text::width;
use crate::theme::Theme;

/// How many values fall into each of equally wide parts of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    range: Range,
    counts: Vec<u64>,
}

impl Buckets {
    /// Nothing counted yet, in `parts` parts, at least one.
    pub fn new(range: Range, parts: usize) -> Self {
        Self { range, counts: vec![0; parts.max(1)] }
    }

    /// Those of `values`, in `parts` parts.
    pub fn of(range: Range, parts: usize, values: impl IntoIterator<Item = f64>) -> Self {
        let mut buckets = Self::new(range, parts);
        values.into_iter().for_each(|value| buckets.add(value, 1));
        buckets
    }

    /// Counts `value` so many times; what is outside the range counts in the part at its end.
    pub fn add(&mut self, value: f64, times: u64) {
        let part = self.range.part(value, self.counts.len());
        self.counts[part] = self.counts[part].saturating_add(times);
    }

    /// The range that is divided.
    pub const fn range(&self) -> Range {
        self.range
    }

    /// Values in each part, the lowest first.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The most values of a part.
    pub fn most(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or(0)
    }

    /// Lower and upper end of the part at `index`.
    pub fn ends(&self, index: usize) -> (f64, f64) {
        let parts = self.counts.len() as f64;
        (self.range.value(index as f64 / parts), self.range.value((index + 1) as f64 / parts))
    }
}

/// Columns side by side, `rows` lines high in all, the last of them the ends of the range, and the middle where there
/// is room. `most` values fill the height: the same for charts that are compared. Nothing without rows or columns.
pub fn histogram(
    buckets: &Buckets,
    most: u64,
    (columns, rows): (usize, usize),
    label: Label<'_>,
    (style, theme): (Style, &Theme),
) -> Vec<Line<'static>> {
    if columns == 0 || rows == 0 {
        return Vec::new();
    }
    let height = rows - 1;
    let parts = buckets.counts.len();
    let filled = |count: u64| eighths(count as f64 / most.max(1) as f64, height);
    let heights: Vec<_> = (0..columns).map(|column| filled(buckets.counts[column * parts / columns])).collect();
    let row = |row: usize| {
        let below = (height - 1 - row) * 8;
        heights.iter().map(|eighths| COLUMNS[eighths.saturating_sub(below).min(8)]).collect::<String>()
    };
    let mut lines: Vec<_> = (0..height).map(|line| Line::styled(row(line), style)).collect();
    lines.push(Line::styled(axis(buckets.range, columns, label), theme.dim));
    lines
}

/// Both ends of `range` at the ends of a line, and its middle between them where there is room; one of them where they
/// read alike.
pub(super) fn axis(range: Range, columns: usize, label: Label<'_>) -> String {
    let (low, middle, high) = (label(range.low()), label(range.value(0.5)), label(range.high()));
    let sides = width(&low) + width(&high);
    if sides + 1 > columns || low == high {
        return exactly(&low, columns);
    }
    let left = ((columns - width(&middle).min(columns)) / 2).saturating_sub(width(&low));
    let room = columns - sides;
    if left >= 2 && left + width(&middle) + 2 <= room {
        let right = room - left - width(&middle);
        return format!("{low}{}{middle}{}{high}", " ".repeat(left), " ".repeat(right));
    }
    format!("{low}{}{high}", " ".repeat(room))
}

/// A line for each part, the lowest first: where it begins, a bar, and how many. `most` values fill the bar.
pub fn ladder(
    buckets: &Buckets,
    most: u64,
    columns: usize,
    label: Label<'_>,
    (style, theme): (Style, &Theme),
) -> Vec<Line<'static>> {
    let names: Vec<_> = (0..buckets.counts.len()).map(|part| label(buckets.ends(part).0)).collect();
    let gutter = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let counted = buckets.most().to_string().len();
    let room = columns.saturating_sub(gutter + counted + 3);
    let line = |(name, count): (&String, &u64)| {
        if room == 0 {
            return Line::styled(exactly(&format!("{name} {count}"), columns), style);
        }
        let share = *count as f64 / most.max(1) as f64;
        Line::from(vec![
            Span::styled(format!("{name:>gutter$} │"), theme.dim),
            Span::styled(bar(share, room), style),
            Span::styled(format!(" {count:>counted$}"), theme.text),
        ])
    };
    names.iter().zip(&buckets.counts).map(line).collect()
}
