//! Figures as they change over time.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::histogram::axis;
use super::row::exactly;
use super::{Label, Range};
use crate::text::width;
use crate::theme::Theme;

/// One figure over time. Its mark tells it from the others, its colour only helps.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is, for the legend; those without a name are not in it.
    pub name: String,
    /// Drawn where it was; one column wide.
    pub mark: char,
    /// How the mark is drawn.
    pub style: Style,
    /// When, and how much.
    pub points: Vec<(f64, f64)>,
}

/// All of `series` in `rows` lines of `columns`: the legend first, then the figures with the ends of `y` beside them,
/// and the ends of `x` below. Where two meet, the later one of the list is seen. A mark for each point, and nothing
/// between points: what was not measured is not drawn. Nothing without rows or columns.
pub fn lines(
    series: &[Series],
    (x, y): (Range, Range),
    (columns, rows): (usize, usize),
    (x_label, y_label): (Label<'_>, Label<'_>),
    theme: &Theme,
) -> Vec<Line<'static>> {
    if columns == 0 || rows == 0 {
        return Vec::new();
    }
    let mut drawn = vec![legend(series, columns, theme)];
    let height = rows.saturating_sub(2);
    let (top, bottom) = (y_label(y.high()), y_label(y.low()));
    let gutter = width(&top).max(width(&bottom));
    // Without room for both, the names of the ends are what is left out.
    let (gutter, wide) = if gutter + 2 + 8 > columns { (0, columns) } else { (gutter, columns - gutter - 2) };
    let grid = plot(series, (x, y), (wide, height));
    for (row, cells) in grid.into_iter().enumerate() {
        let name = match row {
            0 => top.as_str(),
            _ if row + 1 == height => bottom.as_str(),
            _ => "",
        };
        let mut spans = Vec::new();
        if gutter > 0 {
            spans.push(Span::styled(format!("{}{name} │", " ".repeat(gutter - width(name))), theme.dim));
        }
        spans.extend(cells.iter().map(|cell| match cell {
            Some(index) => Span::styled(series[*index].mark.to_string(), series[*index].style),
            None => Span::raw(" "),
        }));
        drawn.push(Line::from(spans));
    }
    if rows > 1 {
        let left = if gutter > 0 { gutter + 2 } else { 0 };
        drawn.push(Line::styled(format!("{}{}", " ".repeat(left), axis(x, wide, x_label)), theme.dim));
    }
    drawn
}

/// Which series is seen in each cell, the top row first.
fn plot(series: &[Series], (x, y): (Range, Range), (columns, rows): (usize, usize)) -> Vec<Vec<Option<usize>>> {
    let mut grid = vec![vec![None; columns]; rows];
    if columns == 0 || rows == 0 {
        return grid;
    }
    for (index, series) in series.iter().enumerate() {
        for (when, much) in &series.points {
            grid[rows - 1 - y.part(*much, rows)][x.part(*when, columns)] = Some(index);
        }
    }
    grid
}

fn legend(series: &[Series], columns: usize, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for series in series.iter().filter(|series| !series.name.is_empty()) {
        let needed = 4 + width(&series.name);
        if used + needed > columns {
            break;
        }
        spans.push(Span::styled(format!("{} ", series.mark), series.style));
        spans.push(Span::styled(format!("{}  ", series.name), theme.dim));
        used += needed;
    }
    spans.push(Span::raw(exactly("", columns - used)));
    Line::from(spans)
}
