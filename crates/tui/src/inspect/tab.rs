//! One target's exchange on the screen: how far it has come, and when it is over, its pages.

use ratatui::Frame;
use ratatui::crossterm::event::KeyCode;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use schema::counted;
use schema::exchange::Exchange;
use schema::metric::Metric;
use schema::progress::Stage;
use schema::target::Target;
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use super::pages::Sheet;
use super::timeline::{Carried, Filter, Row, by_gap, timeline};
use super::{Leaf, version};
use crate::screen::View;
use crate::text;
use crate::theme::Theme;

/// From this width on raw events stand beside the timeline, not below it.
const BESIDE: u16 = 140;

/// Columns of a timeline before its text.
const BEFORE_TEXT: usize = 62;

/// Bytes of one event's text that a row is made of.
const LONGEST_VISIBLE: usize = 4 << 10;

/// A target.
pub(super) struct Tab {
    pub(super) name: String,
    pub(super) simulated: bool,
    /// Since when, and how far.
    state: Option<(Moment, &'static str)>,
    events: u32,
    /// Whether raw events are shown from the beginning.
    raw: bool,
    seen: Option<Box<Seen>>,
}

/// An exchange that is over.
struct Seen {
    exchange: Exchange,
    rows: Vec<Row>,
    filter: Filter,
    /// What is being typed to find.
    typed: Option<String>,
    /// Places in `rows` of those that the filter takes.
    chosen: Vec<usize>,
    /// The place in `chosen` of the one that is marked, and of the first that is shown.
    at: usize,
    top: usize,
    /// How many of the longest gaps have been visited.
    visited: usize,
    raw: bool,
    /// Of each page but the timeline: the first line that is shown.
    tops: [usize; 4],
    made: Option<Made>,
    /// Rows that had room when last drawn.
    room: usize,
}

/// Lines of a page, and what they were made for.
struct Made {
    leaf: Leaf,
    width: u16,
    theme: Theme,
    lines: Vec<Line<'static>>,
}

impl Tab {
    pub(super) fn new(target: &Target) -> Self {
        let name = target.name.as_str().to_owned();
        Self { name, simulated: target.simulated, state: None, events: 0, raw: false, seen: None }
    }

    pub(super) fn settle(&mut self, exchange: Exchange, filter: &Filter) {
        let rows = timeline(&exchange);
        let mut seen = Seen {
            exchange,
            rows,
            filter: filter.clone(),
            typed: None,
            chosen: Vec::new(),
            at: 0,
            top: 0,
            visited: 0,
            raw: self.raw,
            tops: [0; 4],
            made: None,
            room: 1,
        };
        seen.choose();
        self.seen = Some(Box::new(seen));
    }

    pub(super) fn set_raw(&mut self, raw: bool) {
        self.raw = raw;
        if let Some(seen) = &mut self.seen {
            seen.raw = raw;
        }
    }

    pub(super) fn fold(&mut self, at: Moment, stage: &Stage) {
        self.state = Some(match stage {
            Stage::Connecting => (at, "connecting"),
            Stage::Sent => (at, "waiting for an answer"),
            Stage::Answering { .. } => (at, "answering"),
            Stage::Heard { .. } => {
                self.events += 1;
                (at, "answering")
            }
        });
    }

    pub(super) fn is_typing(&self) -> bool {
        self.typed().is_some()
    }

    pub(super) fn typed(&self) -> Option<&str> {
        self.seen.as_ref()?.typed.as_deref()
    }

    /// One line: how it stands, or how it went, as much of it as fits so many columns.
    pub(super) fn standing(&self, view: &View<'_>, columns: u16) -> Line<'static> {
        let theme = view.theme;
        let Some(seen) = &self.seen else {
            let text = self.state.map_or("about to be asked".to_owned(), |(since, state)| {
                format!("{state}, {}, {} since the last step", counted(self.events, "event"), view.now - since)
            });
            return Line::styled(text, theme.warn);
        };
        let record = &seen.exchange.record;
        let status = record.status.map_or("no answer".to_owned(), |status| status.to_string());
        let style = if record.outcome.is_complete() { theme.good } else { theme.bad };
        let span = |metric| {
            let value = stats::metric_values(record, metric).next();
            value.map(|ns| Nanos::from_secs_f64(ns / 1e9).to_string())
        };
        let tokens = record.tokens.map(|tokens| format!("{} by {}", counted(tokens.output, "token"), tokens.source));
        let facts = [
            Some(version(&seen.exchange).to_owned()),
            span(Metric::Ttft).map(|ttft| format!("TTFT {ttft}")),
            span(Metric::E2e).map(|e2e| format!("E2E {e2e}")),
            Some(counted(record.events.len(), "event")),
            tokens,
        ];
        let mut line = Line::from(Span::styled(status, style.add_modifier(Modifier::BOLD)));
        for fact in facts.into_iter().flatten().map(|fact| format!(" · {fact}")) {
            if line.width() + text::width(&fact) <= columns.into() {
                line.push_span(Span::styled(fact, theme.text));
            }
        }
        line
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, leaf: Leaf, theme: &Theme) {
        let Some(seen) = &mut self.seen else {
            frame.render_widget(
                Line::styled("What was sent and what came back is shown when it is over.", theme.dim),
                area,
            );
            return;
        };
        match leaf {
            Leaf::Timeline => seen.draw_timeline(frame, area, theme),
            _ => seen.draw_page(frame, area, leaf, theme),
        }
    }

    pub(super) fn press(&mut self, key: KeyCode, leaf: Leaf) {
        if let Some(seen) = &mut self.seen {
            match leaf {
                _ if seen.typed.is_some() => seen.type_in(key),
                Leaf::Timeline => seen.press_in_timeline(key),
                _ => {
                    let (top, room) = (seen.tops[leaf as usize], seen.room);
                    seen.tops[leaf as usize] = moved(top, key, room).unwrap_or(top);
                }
            }
        }
    }
}

/// Where a key for scrolling leads to from `at`; beyond the end is for the drawing to put right.
fn moved(at: usize, key: KeyCode, room: usize) -> Option<usize> {
    let page = room.saturating_sub(1).max(1);
    Some(match key {
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => at.saturating_add(1),
        KeyCode::PageUp => at.saturating_sub(page),
        KeyCode::PageDown | KeyCode::Char(' ') => at.saturating_add(page),
        KeyCode::Home | KeyCode::Char('g') => 0,
        KeyCode::End | KeyCode::Char('G') => usize::MAX,
        _ => return None,
    })
}

impl Seen {
    /// Takes the filter's choice anew, with the marked row kept where it is still there.
    fn choose(&mut self) {
        let marked = self.chosen.get(self.at).copied();
        self.chosen = self.filter.choose(&self.rows, &self.exchange);
        self.at = marked.and_then(|marked| self.chosen.iter().position(|at| *at >= marked)).unwrap_or_default();
        self.visited = 0;
    }

    fn type_in(&mut self, key: KeyCode) {
        let Some(typed) = &mut self.typed else { return };
        match key {
            KeyCode::Char(c) if typed.len() < 100 => typed.push(c),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Enter => {
                self.filter.holding = self.typed.take().unwrap_or_default();
                self.choose();
            }
            KeyCode::Esc => {
                self.typed = None;
                self.filter.holding.clear();
                self.choose();
            }
            _ => {}
        }
    }

    fn press_in_timeline(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter | KeyCode::Char('r') => self.raw = !self.raw,
            KeyCode::Char('/') => self.typed = Some(self.filter.holding.clone()),
            KeyCode::Char('f') => {
                self.filter.next(&self.rows);
                self.choose();
            }
            KeyCode::Char('l') => self.visit_gap(),
            key => {
                self.at = moved(self.at, key, self.room).unwrap_or(self.at).min(self.chosen.len().saturating_sub(1));
            }
        }
    }

    /// Goes to the longest gap, and with each further time to the next longest.
    fn visit_gap(&mut self) {
        let order = by_gap(&self.rows, &self.chosen);
        if let Some(row) = order.get(self.visited % order.len().max(1)) {
            self.visited += 1;
            self.at = self.chosen.iter().position(|at| at == row).unwrap_or(self.at);
        }
    }

    fn draw_page(&mut self, frame: &mut Frame<'_>, area: Rect, leaf: Leaf, theme: &Theme) {
        let is_made = |made: &Made| made.leaf == leaf && made.width == area.width && made.theme == *theme;
        if !self.made.as_ref().is_some_and(is_made) {
            let sheet = Sheet::new(theme, area.width);
            let lines = match leaf {
                Leaf::Request => sheet.request(&self.exchange),
                Leaf::Answer => sheet.answer(&self.exchange),
                Leaf::Figures | Leaf::Timeline => sheet.figures(&self.exchange),
            };
            self.made = Some(Made { leaf, width: area.width, theme: *theme, lines });
        }
        let lines = self.made.as_ref().map_or(&[][..], |made| &made.lines);
        self.room = area.height.into();
        let top = &mut self.tops[leaf as usize];
        *top = (*top).min(lines.len().saturating_sub(self.room));
        let shown = lines.iter().skip(*top).take(self.room).cloned().collect::<Vec<_>>();
        frame.render_widget(Text::from(shown), area);
    }

    fn draw_timeline(&mut self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let (list, raw) = match (self.raw, area.width >= BESIDE) {
            (false, _) => (area, None),
            (true, true) => {
                let parts = [Constraint::Fill(3), Constraint::Length(2), Constraint::Fill(2)];
                let [list, _, raw] = Layout::horizontal(parts).areas(area);
                (list, Some(raw))
            }
            (true, false) => {
                let [list, raw] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(area);
                (list, Some(raw))
            }
        };
        let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(list);
        frame.render_widget(self.heading(theme, head.width), head);
        self.room = body.height.into();
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(self.room.max(1)));
        let longest = by_gap(&self.rows, &self.chosen).first().copied();
        let shown = self.chosen.iter().enumerate().skip(self.top).take(self.room);
        let lines = shown.map(|(place, at)| {
            let style = if longest == Some(*at) { theme.warn } else { theme.text };
            let style = if place == self.at { style.add_modifier(Modifier::REVERSED) } else { style };
            self.line(&self.rows[*at], style, body.width)
        });
        frame.render_widget(Text::from(lines.collect::<Vec<_>>()), body);
        if let Some(raw) = raw {
            self.draw_raw(frame, raw, theme);
        }
    }

    fn heading(&self, theme: &Theme, columns: u16) -> Line<'static> {
        let gap = format!(
            "{:>5} {:>9} {:>9} {:>6} {:>3} {:<9} {:>9}  {}",
            "#", "at", "gap", "bytes", "tok", "kind", "lag", "  text"
        );
        let mut filters = Vec::new();
        if let Some(carried) = self.filter.carried {
            filters.push(format!("only {}", carried.in_words()));
        }
        if !self.filter.holding.is_empty() {
            filters.push(format!("holding {:?}", self.filter.holding));
        }
        let room = usize::from(columns).saturating_sub(gap.len() + 2);
        let count = format!("{} of {}", self.chosen.len(), self.rows.len());
        let filters = if filters.is_empty() { String::new() } else { format!("{} ({count})", filters.join(", ")) };
        let filters = text::fit(&Untrusted::from(filters.as_str()), room);
        Line::from(vec![Span::styled(gap, theme.dim), Span::raw("  "), Span::styled(filters, theme.accent)])
    }

    fn line(&self, row: &Row, style: Style, columns: u16) -> Line<'static> {
        let unknown = || "–".to_owned();
        let front = format!(
            "{:>5} {:>9} {:>9} {:>6} {:>3} {:<9} {:>9} {} ",
            row.number,
            row.at.to_string(),
            row.gap.map_or_else(unknown, |gap| gap.to_string()),
            row.bytes,
            row.tokens.map_or_else(unknown, |tokens| tokens.to_string()),
            row.carried.in_words(),
            row.lag.map_or_else(|| "user".to_owned(), |lag| lag.to_string()),
            if row.shared { "+" } else { " " },
        );
        let room = usize::from(columns).saturating_sub(BEFORE_TEXT);
        let said = row.text(&self.exchange).map_or_else(String::new, |text| visible(text, room));
        Line::from(vec![Span::styled(front, style), Span::styled(said, style)])
    }

    fn draw_raw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let row = self.chosen.get(self.at).map(|at| &self.rows[*at]);
        let what = |row: &Row| if row.carried == Carried::Piece { "piece" } else { "event" };
        let title = row.map_or_else(String::new, |row| format!("── {} {} as it came ", what(row), row.number));
        frame.render_widget(Line::styled(title, theme.border), head);
        let sheet = Sheet::new(theme, body.width);
        let lines = match row.and_then(|row| row.raw(&self.exchange)) {
            Some(raw) => sheet.raw_within(&raw, body.height.into()),
            None => vec![Line::styled("its bytes were not kept, or a secret was among them", theme.dim)],
        };
        frame.render_widget(Text::from(lines), body);
    }
}

/// Text with its line breaks and edges to be seen.
fn visible(said: &Untrusted, columns: usize) -> String {
    // Of a long one no more is looked at than can have room.
    let marked = Untrusted::bounded(said.raw(), LONGEST_VISIBLE).raw().replace('\n', "⏎");
    text::fit(&Untrusted::bounded(marked, usize::MAX), columns)
}
