//! Voting on answers whose authors are hidden, and who they were.

mod tally;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Clear;
use schema::progress::Progress;

use crate::pages::{Answer, Answers, Page};
use crate::screen::{Reaction, Screen, View};

pub use tally::{tally_page, tally_text};

/// What a person says of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ballot {
    /// The one shown at this place is the best.
    One(usize),
    /// They are all alike.
    AllAlike,
    /// No vote.
    Skipped,
}

/// Full answers as A, B, C, and the question which is the best.
///
/// Keys: a letter, t for a tie or s for no vote chooses, Enter says so ([`Reaction::Leave`]); Esc is no vote; Tab and the
/// arrows are those of [`Answers`].
pub struct Voting {
    answers: Answers,
    /// Whether there is anything to vote for, place by place.
    said: Vec<bool>,
    chosen: Option<Ballot>,
}

impl Voting {
    /// On `answers`, in the order they are shown in, named by [`letter`]; how many of them no model wrote is told, but not
    /// which.
    pub fn new(answers: Vec<Answer>, simulated: usize) -> Self {
        let mark = match simulated {
            0 => "",
            some if some < answers.len() => "  SIMULATED: some of them",
            _ => "  SIMULATED: all of them",
        };
        let said = answers.iter().map(|answer| !answer.text.raw().trim().is_empty()).collect();
        Self { answers: Answers::new(format!("Which answer is the best?{mark}"), answers), said, chosen: None }
    }

    /// What was said, once the screen is left.
    pub fn ballot(&self) -> Option<Ballot> {
        self.chosen
    }

    fn foot(&self) -> String {
        let last = self.said.len().saturating_sub(1);
        let letters = if last > 0 { format!("{}–{}", letter(0), letter(last)) } else { letter(0) };
        match self.chosen {
            None => format!("{letters} the best · T a tie · S no vote · Tab chooses a column · ↑↓ PgUp PgDn scroll"),
            Some(Ballot::One(place)) => {
                format!("{} is the best? Enter says so · {letters} T S change it", letter(place))
            }
            Some(Ballot::AllAlike) => format!("They are alike? Enter says so · {letters} S change it"),
            Some(Ballot::Skipped) => format!("No vote? Enter says so · {letters} T change it"),
        }
    }

    /// The vote that a key stands for, if it is one of an answer that says something.
    fn vote(&self, key: char) -> Option<Ballot> {
        match key.to_ascii_lowercase() {
            't' => Some(Ballot::AllAlike),
            's' => Some(Ballot::Skipped),
            c => {
                let place = usize::try_from(u32::from(c).checked_sub(u32::from('a'))?).ok()?;
                self.said.get(place).is_some_and(|said| *said).then_some(Ballot::One(place))
            }
        }
    }
}

/// What the answer at that place is called while its author is hidden: A, B, C.
pub fn letter(place: usize) -> String {
    let letter = u8::try_from(place).ok().and_then(|place| b'A'.checked_add(place)).filter(u8::is_ascii_uppercase);
    letter.map_or_else(|| format!("#{}", place + 1), |letter| char::from(letter).to_string())
}

impl Screen for Voting {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.answers.draw(frame, view);
        let style = if self.chosen.is_some() { view.theme.accent } else { view.theme.dim };
        foot(frame, Line::styled(self.foot(), style));
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Enter if self.chosen.is_some() => Reaction::Leave,
            KeyCode::Enter => Reaction::Stay,
            KeyCode::Esc => {
                self.chosen = Some(Ballot::Skipped);
                Reaction::Leave
            }
            KeyCode::Char(c) => {
                self.chosen = self.vote(c).or(self.chosen);
                Reaction::Stay
            }
            _ => self.answers.press(key),
        }
    }
}

/// The same answers with their authors' names and figures, and how all votes stand.
///
/// Keys: Enter goes on ([`Reaction::Leave`]), t shows the tally, q and Esc end ([`Reaction::Abort`]).
pub struct Revealed {
    answers: Answers,
    tally: Page,
    shows_tally: bool,
}

impl Revealed {
    /// `title` says what was voted; `answers` tell who they are.
    pub fn new(title: impl Into<String>, answers: Vec<Answer>, tally: Page) -> Self {
        let hint = "Enter next prompt · t tally · q ends · Tab chooses a column · ↑↓ scroll";
        Self { answers: Answers::new(title, answers).with_hint(hint), tally, shows_tally: false }
    }
}

impl Screen for Revealed {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        if self.shows_tally { self.tally.draw(frame, view) } else { self.answers.draw(frame, view) }
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Char('t') => self.shows_tally = !self.shows_tally,
            _ if self.shows_tally => {
                if self.tally.press(key) != Reaction::Stay {
                    self.shows_tally = false;
                }
            }
            KeyCode::Enter => return Reaction::Leave,
            KeyCode::Char('q') | KeyCode::Esc => return Reaction::Abort,
            _ => return self.answers.press(key),
        }
        Reaction::Stay
    }
}

/// In the last row, over what stands there.
fn foot(frame: &mut Frame<'_>, line: Line<'_>) {
    let area = frame.area();
    let row = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
    frame.render_widget(Clear, row);
    frame.render_widget(line, row);
}

#[cfg(test)]
mod tests;
