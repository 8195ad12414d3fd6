//! One exchange with each target, looked at closely: what was sent, what came back, when, and what it came to.
//!
//! ```text
//! Progress ─▶ how far each has come ─┐
//! Exchange ─▶ timeline, figures ─────┴▶ a tab per target: request, answer, timeline, figures
//! ```
//!
//! While an exchange goes on its text is not shown: keys can only be taken out of all of it.

mod figures;
mod pages;
mod tab;
mod timeline;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use schema::exchange::{Exchange, Octets};
use schema::progress::Progress;
use schema::target::Target;
use schema::text::Untrusted;

use crate::screen::{Reaction, Screen, View};
use crate::text;
use crate::theme::{Theme, ThemeName};

pub use figures::{Figures, ending, figures, version};
use pages::Sheet;
use tab::Tab;
pub use timeline::{Carried, Filter, Row, by_gap, timeline};

/// What is shown of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Request,
    Answer,
    Timeline,
    Figures,
}

impl Leaf {
    const ALL: [Self; 4] = [Self::Request, Self::Answer, Self::Timeline, Self::Figures];

    const fn title(self) -> &'static str {
        match self {
            Self::Request => "1 Request",
            Self::Answer => "2 Answer",
            Self::Timeline => "3 Timeline",
            Self::Figures => "4 Figures",
        }
    }

    fn beside(self, step: isize) -> Self {
        let at = Self::ALL.iter().position(|leaf| *leaf == self).unwrap_or_default();
        Self::ALL[at.saturating_add_signed(step).min(Self::ALL.len() - 1)]
    }
}

/// The request as lines of plain text, made fit for a terminal.
pub fn request_text(exchange: &Exchange) -> Vec<String> {
    plain(|sheet| sheet.request(exchange))
}

/// The answer as lines of plain text, made fit for a terminal.
pub fn answer_text(exchange: &Exchange) -> Vec<String> {
    plain(|sheet| sheet.answer(exchange))
}

/// Bytes as they came as lines of plain text, made fit for a terminal.
pub fn raw_text(raw: &Octets) -> Vec<String> {
    plain(|sheet| sheet.raw(raw))
}

fn plain(write: impl FnOnce(Sheet<'_>) -> Vec<Line<'static>>) -> Vec<String> {
    let theme = Theme::of(ThemeName::Mono);
    write(Sheet::new(&theme, u16::MAX)).iter().map(|line| line.to_string().trim_end().to_owned()).collect()
}

/// The screen.
pub struct Inspect {
    tabs: Vec<Tab>,
    at: usize,
    leaf: Leaf,
    filter: Filter,
    note: Option<String>,
}

impl Inspect {
    /// Exchanges with these are under way.
    pub fn waiting(targets: &[Target], filter: Filter) -> Self {
        Self { tabs: targets.iter().map(Tab::new).collect(), at: 0, leaf: Leaf::Timeline, filter, note: None }
    }

    /// Exchanges that are over.
    pub fn of(exchanges: Vec<Exchange>, filter: Filter) -> Self {
        let mut screen = Self::waiting(&exchanges.iter().map(|one| one.target.clone()).collect::<Vec<_>>(), filter);
        let filter = &screen.filter;
        screen.tabs.iter_mut().zip(exchanges).for_each(|(tab, exchange)| tab.settle(exchange, filter));
        screen
    }

    /// With raw events shown beside the timeline from the beginning, or not.
    #[must_use]
    pub fn with_raw(mut self, raw: bool) -> Self {
        self.tabs.iter_mut().for_each(|tab| tab.set_raw(raw));
        self
    }

    /// The exchange with the target at `index` is over. One that is not there is of no interest.
    pub fn settle(&mut self, index: usize, exchange: Exchange) {
        if let Some(tab) = self.tabs.get_mut(index) {
            tab.settle(exchange, &self.filter);
        }
    }

    /// Says something at the foot until the next key.
    pub fn say(&mut self, note: impl Into<String>) {
        self.note = Some(note.into());
    }

    /// Whether keys are being taken for text, so that letters mean nothing else.
    pub fn is_typing(&self) -> bool {
        self.tab().is_some_and(Tab::is_typing)
    }

    fn tab(&self) -> Option<&Tab> {
        self.tabs.get(self.at)
    }

    fn turn(&mut self, forward: bool) {
        let count = self.tabs.len().max(1);
        self.at = (self.at + if forward { 1 } else { count - 1 }) % count;
    }

    fn tab_line(&self, theme: &Theme, columns: u16) -> Line<'static> {
        // Each has its share of the line.
        let share = usize::from(columns) / self.tabs.len().max(1);
        let spans = self.tabs.iter().enumerate().flat_map(|(index, tab)| {
            let mut style = theme.lane(index);
            if index == self.at {
                style = style.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            }
            let mark = if tab.simulated { " SIMULATED" } else { "" };
            let room = share.saturating_sub(mark.len() + 3);
            let name = format!(" {} ", text::fit(&Untrusted::from(tab.name.as_str()), room));
            [Span::styled(name, style), Span::styled(mark, theme.simulated), Span::raw(" ")]
        });
        spans.collect()
    }

    fn leaf_line(&self, theme: &Theme) -> Line<'static> {
        let spans = Leaf::ALL.into_iter().flat_map(|leaf| {
            let style = if leaf == self.leaf { theme.accent } else { theme.dim };
            [Span::styled(leaf.title(), style), Span::raw("   ")]
        });
        spans.collect()
    }

    fn hint(&self) -> &'static str {
        match self.leaf {
            Leaf::Timeline => "Enter raw · l longest gap · f kind · / find · s save · Tab target · q leaves",
            _ => "↑↓ PgUp PgDn scroll · ←→ pages · s save · Tab next target · q leaves",
        }
    }

    fn foot(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let line = match (self.tab().and_then(Tab::typed), &self.note) {
            (Some(typed), _) => Line::from(vec![
                Span::styled("find: ", theme.accent),
                Span::styled(text::line(&Untrusted::from(typed)), theme.text),
                Span::styled("▏ Enter keeps it, Esc drops it", theme.dim),
            ]),
            (None, Some(note)) => {
                Line::styled(text::fit(&Untrusted::from(note.as_str()), area.width.into()), theme.accent)
            }
            (None, None) => Line::styled(self.hint(), theme.dim),
        };
        frame.render_widget(line, area);
    }
}

impl Screen for Inspect {
    fn fold(&mut self, progress: &Progress) {
        if let Progress::Moved { ticket, at, stage } = progress
            && let Some(tab) = self.tabs.iter_mut().find(|tab| tab.name == ticket.target.as_str())
        {
            tab.fold(*at, stage);
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let rows = [
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
        ];
        let [tabs, standing, leaves, _, body, foot] = Layout::vertical(rows).areas(frame.area());
        frame.render_widget(self.tab_line(view.theme, tabs.width), tabs);
        frame.render_widget(self.leaf_line(view.theme), leaves);
        self.foot(frame, foot, view.theme);
        let Some(tab) = self.tabs.get_mut(self.at) else { return };
        frame.render_widget(tab.standing(view, standing.width), standing);
        tab.draw(frame, body, self.leaf, view.theme);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        self.note = None;
        let typing = self.is_typing();
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc if !typing => return Reaction::Leave,
            KeyCode::Tab if !typing => self.turn(true),
            KeyCode::BackTab if !typing => self.turn(false),
            KeyCode::Right if !typing => self.leaf = self.leaf.beside(1),
            KeyCode::Left if !typing => self.leaf = self.leaf.beside(-1),
            KeyCode::Char(digit @ '1'..='4') if !typing => self.leaf = Leaf::ALL[digit as usize - '1' as usize],
            code => {
                let leaf = self.leaf;
                if let Some(tab) = self.tabs.get_mut(self.at) {
                    tab.press(code, leaf);
                }
            }
        }
        Reaction::Stay
    }
}
