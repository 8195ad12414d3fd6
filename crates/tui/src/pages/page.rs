//! One page of lines.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Text};
use schema::progress::Progress;

use super::Scroll;
use crate::screen::{Reaction, Screen, View};
use crate::theme::Theme;

/// Lines under a title, as many as there are: arrows, Page Up and Down, Home and End scroll; q, Esc and Enter leave.
///
/// Lines are asked for once a width, so they can be laid out for it; one that is wider all the same is cut at the edge.
/// Text of others must have gone through [`crate::text`] before it is made a line.
pub struct Page {
    title: String,
    hint: String,
    make: Box<Make>,
    made: Option<Made>,
    scroll: Scroll,
}

/// Lays lines out for a number of columns.
type Make = dyn Fn(u16, &Theme) -> Vec<Line<'static>> + Send;

/// Lines, and what they were made for.
struct Made {
    width: u16,
    theme: Theme,
    lines: Vec<Line<'static>>,
}

impl Page {
    /// A page of what `make` gives for a number of columns.
    pub fn new(title: impl Into<String>, make: impl Fn(u16, &Theme) -> Vec<Line<'static>> + Send + 'static) -> Self {
        let hint = "↑↓ PgUp PgDn scroll · q leaves".to_owned();
        Self { title: title.into(), hint, make: Box::new(make), made: None, scroll: Scroll::default() }
    }

    /// With other words for the keys, at its foot.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    fn lines(&mut self, width: u16, theme: &Theme) -> &[Line<'static>] {
        if self.made.as_ref().is_none_or(|made| made.width != width || made.theme != *theme) {
            self.made = Some(Made { width, theme: *theme, lines: (self.make)(width, theme) });
        }
        self.made.as_ref().map_or(&[], |made| &made.lines)
    }
}

impl Screen for Page {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let rows = [Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
        let [head, _, body, foot] = Layout::vertical(rows).areas(frame.area());
        let mut scroll = self.scroll;
        let lines = self.lines(body.width, view.theme);
        scroll.fit(lines.len(), body.height.into());
        let shown = Text::from(lines[scroll.shown()].to_vec()).style(view.theme.text);
        frame.render_widget(shown, body);
        self.scroll = scroll;
        frame.render_widget(Line::styled(self.title.as_str(), view.theme.accent), head);
        frame.render_widget(Line::styled(self.hint.as_str(), view.theme.dim), foot);
        let position = Line::styled(scroll.position(), view.theme.dim).right_aligned();
        if position.width() + self.title.chars().count() < head.width.into() {
            frame.render_widget(position, head);
        }
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc | KeyCode::Enter => Reaction::Leave,
            code => {
                self.scroll.press(code);
                Reaction::Stay
            }
        }
    }
}
