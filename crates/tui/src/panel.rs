//! Screens made of parts, each with a heading of its own: those that there is no room for are left out whole.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use schema::text::Untrusted;

use crate::chart::exactly;
use crate::text::{fit, width};
use crate::theme::Theme;

/// What a part says in so many columns and lines.
type Says<'a> = Box<dyn Fn(usize, usize) -> Vec<Line<'static>> + 'a>;

/// A part of a screen.
pub(crate) struct Panel<'a> {
    heading: Cow<'static, str>,
    /// Lines that it needs at least, and those it has a use for, without its heading.
    lines: (usize, usize),
    /// The higher, the sooner it is left out.
    rank: u8,
    says: Says<'a>,
}

impl<'a> Panel<'a> {
    /// One that says something in `least` to `most` lines. The higher its `rank`, the sooner it is left out.
    pub(crate) fn new(
        heading: impl Into<Cow<'static, str>>,
        rank: u8,
        (least, most): (usize, usize),
        says: impl Fn(usize, usize) -> Vec<Line<'static>> + 'a,
    ) -> Self {
        Self { heading: heading.into(), lines: (least, most.max(least)), rank, says: Box::new(says) }
    }

    /// One that says these lines, and some of them where there is no room for all.
    pub(crate) fn of(heading: &'static str, rank: u8, lines: Vec<Line<'static>>) -> Self {
        let (least, most) = (lines.len().min(1), lines.len());
        Self::new(heading, rank, (least, most), move |_, rows| lines.iter().take(rows).cloned().collect())
    }

    /// Lines that it has a use for, with its heading.
    pub(crate) const fn wanted(&self) -> usize {
        self.lines.1 + 1
    }
}

/// Draws parts one below the other.
pub(crate) fn stack(frame: &mut Frame<'_>, area: Rect, mut panels: Vec<Panel<'_>>, theme: &Theme) {
    let room = usize::from(area.height);
    let needed = |panels: &[Panel]| panels.iter().map(|panel| panel.lines.0 + 1).sum::<usize>();
    while needed(&panels) > room {
        let Some((last, _)) = panels.iter().enumerate().max_by_key(|(_, panel)| panel.rank) else { return };
        panels.remove(last);
    }
    let mut heights: Vec<usize> = panels.iter().map(|panel| panel.lines.0).collect();
    let mut spare = room - needed(&panels);
    while spare > 0 {
        let before = spare;
        for (height, panel) in heights.iter_mut().zip(&panels) {
            if spare > 0 && *height < panel.lines.1 {
                (*height, spare) = (*height + 1, spare - 1);
            }
        }
        if spare == before {
            break;
        }
    }
    let columns = usize::from(area.width);
    let mut lines = Vec::with_capacity(room);
    for (panel, height) in panels.iter().zip(heights) {
        lines.push(heading(&panel.heading, columns, theme));
        let mut said = (panel.says)(columns, height);
        said.truncate(height);
        said.resize_with(height, Line::default);
        lines.extend(said.into_iter().map(|line| fitted(line, columns)));
    }
    frame.render_widget(Text::from(lines), area);
}

/// With `…` where there is no room for all of it.
fn fitted(mut line: Line<'static>, columns: usize) -> Line<'static> {
    let mut room = columns;
    if line.width() > columns {
        for span in &mut line.spans {
            let wide = width(&span.content);
            if wide >= room {
                // Something is left out after it, if not of it.
                let more = format!("{}…", span.content);
                span.content = fit(&Untrusted::bounded(more, usize::MAX), room).into();
            }
            room = room.saturating_sub(wide);
        }
    }
    line
}

/// `── TTFT ─────`
fn heading(heading: &str, columns: usize, theme: &Theme) -> Line<'static> {
    let after = columns.saturating_sub(width(heading) + 4);
    if after == 0 {
        return Line::styled(exactly(heading, columns), theme.accent);
    }
    Line::from(vec![
        Span::styled("── ", theme.border),
        Span::styled(heading.to_owned(), theme.accent),
        Span::styled(format!(" {}", "─".repeat(after)), theme.border),
    ])
}

/// `area` cut into so many columns with a gap between them.
pub(crate) fn columns(area: Rect, count: u16) -> Vec<Rect> {
    const GAP: u16 = 2;
    let count = count.max(1);
    let wide = area.width.saturating_sub(GAP * (count - 1)) / count;
    let column = |number: u16| Rect {
        x: area.x + number * (wide + GAP),
        // What does not divide goes to the last.
        width: if number + 1 == count { area.width - number * (wide + GAP) } else { wide },
        ..area
    };
    if wide == 0 { vec![area] } else { (0..count).map(column).collect() }
}

/// Pieces of a line, each in its columns: cut or filled, a blank between them.
pub(crate) fn row(cells: Vec<(String, usize, bool, ratatui::style::Style)>) -> Line<'static> {
    let mut spans = Vec::new();
    for (text, columns, right, style) in cells {
        if !spans.is_empty() {
            spans.push(Span::raw(" "));
        }
        let wide = width(&text);
        let text = if right && wide < columns { format!("{}{text}", " ".repeat(columns - wide)) } else { text };
        spans.push(Span::styled(exactly(&text, columns), style));
    }
    Line::from(spans)
}
