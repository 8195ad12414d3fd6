//! What is read rather than watched: pages that scroll, one after another.

mod answers;
mod page;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::progress::Progress;

use crate::screen::{Reaction, Screen, View};

pub use answers::{Answer, Answers};
pub use page::Page;

/// Screens one after another: where Enter would leave one, it goes on to the next; Backspace and ← go back. Each draws
/// the whole frame, its own hints included, and gets all other keys; whatever else it leaves by leaves all of them.
pub struct Pages {
    cards: Vec<Box<dyn Screen>>,
    at: usize,
}

impl Pages {
    /// `first` and what follows it.
    pub fn new(first: Box<dyn Screen>) -> Self {
        Self { cards: vec![first], at: 0 }
    }

    /// With `next` behind the last.
    #[must_use]
    pub fn then(mut self, next: impl Screen + 'static) -> Self {
        self.cards.push(Box::new(next));
        self
    }

    /// With the one at `at`, from 0, shown; the last where there are fewer.
    #[must_use]
    pub fn opened_at(mut self, at: usize) -> Self {
        self.at = at.min(self.cards.len() - 1);
        self
    }

    /// Which is shown, from 0.
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl Screen for Pages {
    fn fold(&mut self, progress: &Progress) {
        self.cards.iter_mut().for_each(|card| card.fold(progress));
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.cards[self.at].draw(frame, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        if self.at > 0 && matches!(key.code, KeyCode::Backspace | KeyCode::Left) {
            self.at -= 1;
            return Reaction::Stay;
        }
        let reaction = self.cards[self.at].press(key);
        let goes_on = key.code == KeyCode::Enter && reaction == Reaction::Leave && self.at + 1 < self.cards.len();
        if goes_on {
            self.at += 1;
            return Reaction::Stay;
        }
        reaction
    }
}

/// How far a column of lines has been scrolled.
#[derive(Debug, Clone, Copy, Default)]
struct Scroll {
    /// The first line that is shown.
    top: usize,
    /// Lines that there are.
    lines: usize,
    /// Lines that have room.
    room: usize,
}

impl Scroll {
    /// Adapts to what is there now.
    fn fit(&mut self, lines: usize, room: usize) {
        (self.lines, self.room) = (lines, room);
        self.top = self.top.min(lines.saturating_sub(room));
    }

    /// Follows a key; whether it was one for scrolling.
    fn press(&mut self, key: KeyCode) -> bool {
        let page = self.room.saturating_sub(1).max(1);
        let last = self.lines.saturating_sub(self.room);
        self.top = match key {
            KeyCode::Up | KeyCode::Char('k') => self.top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.top + 1,
            KeyCode::PageUp => self.top.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top + page,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => last,
            _ => return false,
        }
        .min(last);
        true
    }

    /// The lines that are shown.
    fn shown(&self) -> std::ops::Range<usize> {
        self.top..(self.top + self.room).min(self.lines)
    }

    /// `12–30 of 45`, or `all` where nothing is out of sight.
    fn position(&self) -> String {
        let shown = self.shown();
        if shown.len() == self.lines {
            return "all".to_owned();
        }
        format!("{}–{} of {}", shown.start + 1, shown.end, self.lines)
    }
}

#[cfg(test)]
mod tests;
