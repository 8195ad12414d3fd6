//! Answers in full, side by side.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, Borders};
use schema::progress::Progress;
use schema::text::Untrusted;

use super::Scroll;
use crate::screen::{Reaction, Screen, View};
use crate::text;
use crate::theme::Theme;

/// Columns that an answer needs to be read with pleasure; where there are fewer, fewer answers stand side by side.
const READABLE: u16 = 26;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whose: a name of ours, or a letter while names are hidden.
    pub name: String,
    /// Whether no model wrote it.
    pub simulated: bool,
    /// What was measured of it, in words.
    pub figures: Vec<String>,
    /// All of it, reasoning apart.
    pub text: Untrusted,
    /// What was thought before it was said.
    pub reasoning: Option<Untrusted>,
    /// Why there is none, or why it broke off.
    pub trouble: Option<Untrusted>,
}

/// Answers side by side, each scrolled by itself or all together: Tab chooses one or all, the arrows scroll.
#[derive(Debug)]
pub struct Answers {
    title: String,
    hint: String,
    columns: Vec<Column>,
    /// The chosen one; none: all together.
    chosen: Option<usize>,
}

/// An answer as it is drawn.
#[derive(Debug)]
struct Column {
    answer: Answer,
    scroll: Scroll,
    /// Its lines at the width they were last drawn with.
    wrapped: Option<(usize, Vec<Row>)>,
}

/// A line of an answer, and in which voice it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Row {
    Figure(String),
    Thought(String),
    Said(String),
    Trouble(String),
}

impl Answers {
    /// These answers.
    pub fn new(title: impl Into<String>, answers: Vec<Answer>) -> Self {
        let column = |answer| Column { answer, scroll: Scroll::default(), wrapped: None };
        Self {
            title: title.into(),
            hint: "↑↓ PgUp PgDn scroll · Tab chooses one · q leaves".to_owned(),
            columns: answers.into_iter().map(column).collect(),
            chosen: None,
        }
    }

    /// With other words for the keys, at its foot.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Those that have room, the chosen one among them.
    fn visible(&self, width: u16) -> std::ops::Range<usize> {
        let room = usize::from(width / READABLE).clamp(1, self.columns.len().max(1));
        let chosen = self.chosen.unwrap_or(0);
        let first = chosen.saturating_sub(room - 1).min(self.columns.len().saturating_sub(room));
        first..(first + room).min(self.columns.len())
    }

    fn choose(&mut self, step: isize) {
        let count = self.columns.len() + 1;
        let place = self.chosen.map_or(0, |chosen| chosen + 1);
        let next = (place + count).saturating_add_signed(step) % count;
        self.chosen = next.checked_sub(1);
    }
}

impl Column {
    fn rows(&mut self, width: usize) -> &[Row] {
        if self.wrapped.as_ref().is_none_or(|(columns, _)| *columns != width) {
            self.wrapped = Some((width, rows(&self.answer, width)));
        }
        self.wrapped.as_ref().map_or(&[], |(_, rows)| rows)
    }

    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look, theme: &Theme) {
        let border = if look.chosen { theme.accent } else { theme.border };
        let title = Line::styled(format!(" {} ", self.answer.name), theme.lane(look.lane));
        let mut block = Block::new().borders(Borders::ALL).border_style(border).title_top(title);
        if self.answer.simulated {
            block = block.title_top(Line::styled(" SIMULATED ", theme.simulated).right_aligned());
        }
        let inside = block.inner(area);
        let mut scroll = self.scroll;
        let rows = self.rows(inside.width.into());
        scroll.fit(rows.len(), inside.height.into());
        let lines: Vec<_> = rows[scroll.shown()].iter().map(|row| row.line(theme)).collect();
        let position = Line::styled(format!(" {} ", scroll.position()), theme.dim).right_aligned();
        frame.render_widget(block.title_bottom(position), area);
        frame.render_widget(Text::from(lines), inside);
        self.scroll = scroll;
    }
}

/// How a column stands out.
#[derive(Debug, Clone, Copy)]
struct Look {
    /// Its place among all.
    lane: usize,
    chosen: bool,
}

impl Row {
    fn line(&self, theme: &Theme) -> Line<'_> {
        match self {
            Self::Figure(text) | Self::Thought(text) => Line::styled(text, theme.dim),
            Self::Said(text) => Line::styled(text, theme.text),
            Self::Trouble(text) => Line::styled(text, theme.bad),
        }
    }
}

fn rows(answer: &Answer, width: usize) -> Vec<Row> {
    let ours = |line: &String| text::wrap(&Untrusted::from(line.as_str()), width);
    let mut rows: Vec<_> = answer.figures.iter().flat_map(ours).map(Row::Figure).collect();
    if !rows.is_empty() {
        rows.push(Row::Figure(String::new()));
    }
    if let Some(reasoning) = &answer.reasoning {
        rows.push(Row::Thought("reasoning:".to_owned()));
        rows.extend(text::wrap(reasoning, width).into_iter().map(Row::Thought));
        rows.push(Row::Thought("answer:".to_owned()));
    }
    if !answer.text.raw().is_empty() {
        rows.extend(text::wrap(&answer.text, width).into_iter().map(Row::Said));
    }
    if let Some(trouble) = &answer.trouble {
        rows.extend(text::wrap(trouble, width).into_iter().map(Row::Trouble));
    }
    rows
}

impl Screen for Answers {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
        let [head, body, foot] = Layout::vertical(rows).areas(frame.area());
        let visible = self.visible(body.width);
        let hidden = self.columns.len() - visible.len();
        let areas = Layout::horizontal(visible.clone().map(|_| Constraint::Fill(1))).split(body);
        for (lane, area) in visible.zip(areas.iter()) {
            let look = Look { lane, chosen: self.chosen == Some(lane) };
            self.columns[lane].draw(frame, *area, look, view.theme);
        }
        frame.render_widget(Line::styled(self.title.as_str(), view.theme.accent), head);
        frame.render_widget(Line::styled(self.hint.as_str(), view.theme.dim), foot);
        if hidden > 0 {
            let more = Line::styled(format!("{hidden} more: Tab"), view.theme.dim).right_aligned();
            frame.render_widget(more, head);
        }
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc | KeyCode::Enter => return Reaction::Leave,
            KeyCode::Tab | KeyCode::Right => self.choose(1),
            KeyCode::BackTab => self.choose(-1),
            code => {
                let all = 0..self.columns.len();
                for lane in self.chosen.map_or(all, |lane| lane..lane + 1) {
                    self.columns[lane].scroll.press(code);
                }
            }
        }
        Reaction::Stay
    }
}
