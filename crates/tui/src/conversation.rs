//! Conversations while they are had: what is said, what each turn waits for as the context grows, and what is remembered.
//!
//! ```text
//! Progress ─▶ Table (who is at which turn, the records so far) ─▶ stats::conversations ─▶ chats, chart, memory
//!                                                            └──▶ Narrator: the same in sentences
//! ```
//!
//! Verdicts and lines are those of the result: the same functions over the same records.

mod chart;
mod chat;
mod memory;
mod narrator;
mod seat;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use schema::conversation::Script;
use schema::counted;
use schema::progress::Progress;
use schema::target::Target;

use crate::screen::{Reaction, Screen, View};
use crate::text;

pub use narrator::Narrator;
use seat::Table;

/// What is known before the first turn.
pub struct ConversationSetup {
    /// Who is talked with, in the plan's order.
    pub targets: Vec<Target>,
    /// Conversations with each.
    pub conversations: u32,
    /// Turns of each.
    pub turns: u32,
    /// What the user says in the conversation of each number.
    pub script: Box<dyn Fn(u64) -> Option<Script> + Send>,
}

/// Columns from which the chart and the memory stand side by side.
const WIDE: u16 = 150;

/// The screen of conversations.
///
/// Keys: s stops after the turns at hand, q and Esc get out of it ([`Reaction::Abort`]); once the last turn was answered, or
/// it is [closed](Conversation::close), Enter, q and Esc leave.
pub struct Conversation {
    table: Table,
    closed: bool,
}

impl Conversation {
    /// Nothing has been said yet.
    pub fn new(setup: ConversationSetup) -> Self {
        Self { table: Table::new(setup), closed: false }
    }

    /// Nothing more will be said: the last state stays until it is left.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Whether nothing is left that could be stopped or given up.
    fn is_over(&self) -> bool {
        self.closed || self.table.is_over()
    }

    fn head(&self, columns: usize, view: &View<'_>) -> Line<'static> {
        let theme = view.theme;
        let (conversations, turns) = (self.table.conversations(), self.table.turns());
        let each =
            if conversations == 1 { "one conversation".to_owned() } else { format!("{conversations} conversations") };
        let mut spans = vec![
            Span::styled("CONVERSATION", theme.accent),
            Span::styled(format!("  {each} of {turns} turns with each target"), theme.dim),
        ];
        if self.table.seats().iter().any(|seat| seat.target.simulated) {
            let all = self.table.seats().iter().all(|seat| seat.target.simulated);
            spans.push(Span::styled(if all { "  SIMULATED" } else { "  partly SIMULATED" }, theme.simulated));
        }
        if view.missed > 0 {
            spans.push(Span::styled(format!("  {} not drawn", counted(view.missed, "step")), theme.warn));
        }
        let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
        if used > columns { Line::styled("CONVERSATION", theme.accent) } else { Line::from(spans) }
    }

    fn foot(&self) -> &'static str {
        if self.is_over() { "Enter shows the results" } else { "s stops after this turn · q gives up" }
    }
}

impl Screen for Conversation {
    fn fold(&mut self, progress: &Progress) {
        self.table.fold(progress);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.table.judge(self.closed);
        let rows = [Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1)];
        let [head, body, foot] = Layout::vertical(rows).areas(frame.area());
        frame.render_widget(self.head(usize::from(head.width), view), head);
        frame.render_widget(Line::styled(self.foot(), view.theme.dim), foot);
        let places = Places::of(body, self.table.seats().len());
        chat::draw(frame, places.chats, &mut self.table, view);
        chart::draw(frame, places.chart, &self.table, view);
        memory::draw(frame, places.memory, &self.table, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Enter | KeyCode::Esc | KeyCode::Char('q') if self.is_over() => Reaction::Leave,
            KeyCode::Esc | KeyCode::Char('q') => Reaction::Abort,
            KeyCode::Char('s') if !self.is_over() => Reaction::Stop,
            _ => Reaction::Stay,
        }
    }
}

/// Where things stand.
struct Places {
    chats: Rect,
    chart: Rect,
    memory: Rect,
}

impl Places {
    /// Memory has the lines that it needs, a chart has what is left of the lower half.
    fn of(body: Rect, targets: usize) -> Self {
        let memory = u16::try_from(memory::lines(targets)).unwrap_or(u16::MAX);
        if body.width >= WIDE {
            let lower = (body.height * 2 / 5).max(memory + 4).min(body.height.saturating_sub(6));
            let [chats, lower] = Layout::vertical([Constraint::Fill(1), Constraint::Length(lower)]).areas(body);
            let [chart, memory] =
                Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(2).areas(lower);
            return Self { chats, chart, memory };
        }
        let memory = memory.min(body.height / 2);
        let left = body.height - memory;
        let chart = if left < 14 { 0 } else { (left / 3).max(6) };
        let rows = [Constraint::Fill(1), Constraint::Length(chart), Constraint::Length(memory)];
        let [chats, chart, memory] = Layout::vertical(rows).areas(body);
        Self { chats, chart, memory }
    }
}

/// A heading over the whole width of `area`, and what is left below it; `None` where there is no room for both.
fn under(frame: &mut Frame<'_>, area: Rect, heading: &str, view: &View<'_>) -> Option<Rect> {
    if area.height < 2 || area.width < 4 {
        return None;
    }
    let rest = usize::from(area.width).saturating_sub(text::width(heading) + 4);
    let line = Line::from(vec![
        Span::styled("── ", view.theme.border),
        Span::styled(heading.to_owned(), view.theme.accent),
        Span::styled(format!(" {}", "─".repeat(rest)), view.theme.border),
    ]);
    frame.render_widget(line, Rect { height: 1, ..area });
    Some(Rect { y: area.y + 1, height: area.height - 1, ..area })
}

#[cfg(test)]
mod tests;
