//! A stored run, watched again: its records told as the steps they were made of, at their own pace or another.
//!
//! ```text
//! records ─▶ again (heats, begun at one instant) ─▶ script (steps in order of time) ─▶ Replay ─▶ the same screen
//! ```
//!
//! The screen cannot tell: it folds what it would have folded then, at the moments of the records.

#[cfg(test)]
pub(crate) mod fixture;
mod script;

use std::time::Duration;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Clear;
use schema::progress::Progress;
use schema::units::{Moment, Nanos};

use crate::screen::{Reaction, Screen, View};
use crate::text;
use crate::theme::Theme;

pub use script::{Step, again, measured, script};

/// Speeds that keys reach.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.001..=10_000.0;

/// What → and ← jump.
const JUMP: Nanos = Nanos::from_secs(1);

/// A screen that is shown an old run. Space pauses, `.` and `,` step, → and ← jump a second, Page Down and Page Up to the
/// next and the last heat, Home and End to the beginning and the end, + and - change the speed. All other keys are the
/// screen's.
pub struct Replay<S> {
    make: Box<dyn Fn() -> S + Send>,
    screen: S,
    steps: Vec<Step>,
    /// The first step that is still to come.
    next: usize,
    position: Moment,
    speed: f64,
    paused: bool,
    /// When it was last drawn, on the caller's clock.
    drawn: Option<Moment>,
}

impl<S: Screen> Replay<S> {
    /// `steps`, in order of time, before what `make` makes, `speed` times as fast as they happened.
    pub fn new(steps: Vec<Step>, speed: f64, make: impl Fn() -> S + Send + 'static) -> Self {
        let screen = make();
        Self {
            make: Box::new(make),
            screen,
            steps,
            next: 0,
            position: Moment::EPOCH,
            speed: speed.clamp(*SPEEDS.start(), *SPEEDS.end()),
            paused: false,
            drawn: None,
        }
    }

    /// How far it has come.
    pub const fn position(&self) -> Moment {
        self.position
    }

    /// Whether all has been shown.
    pub const fn is_over(&self) -> bool {
        self.next == self.steps.len()
    }

    fn end(&self) -> Moment {
        self.steps.last().map_or(Moment::EPOCH, |step| step.at)
    }

    /// Goes on by as much as has passed since it was last drawn.
    fn advance(&mut self, now: Moment) {
        let passed = self.drawn.map_or(Nanos::ZERO, |drawn| now - drawn);
        self.drawn = Some(now);
        if !self.paused {
            let played = Duration::from(passed).mul_f64(self.speed);
            self.play_to(self.position + Nanos::from(played));
        }
    }

    /// Goes on to `to`, or to the end.
    fn play_to(&mut self, to: Moment) {
        self.position = to.min(self.end());
        let due = self.steps[self.next..].iter().take_while(|step| step.at <= self.position);
        let folded = due.map(|step| self.screen.fold(&step.progress)).count();
        self.next += folded;
    }

    /// Goes to `to`, before or behind where it is.
    fn jump_to(&mut self, to: Moment) {
        if to < self.position {
            self.screen = (self.make)();
            self.next = 0;
        }
        self.play_to(to);
    }

    /// One moment at which something happened onwards, or back.
    fn step(&mut self, forward: bool) {
        self.paused = true;
        let there = if forward {
            self.steps[self.next..].first().map(|step| step.at)
        } else {
            self.steps[..self.next].iter().rev().map(|step| step.at).find(|at| *at < self.position)
        };
        self.jump_to(there.unwrap_or(if forward { self.end() } else { Moment::EPOCH }));
    }

    /// The beginning of the heat after this one, or of this one, or where it has just begun of the one before.
    fn heat(&mut self, forward: bool) {
        let mut begins =
            self.steps.iter().filter(|step| matches!(step.progress, Progress::Block { .. })).map(|step| step.at);
        let there = if forward {
            begins.find(|at| *at > self.position).unwrap_or(self.end())
        } else {
            let before = self.position - JUMP;
            begins.take_while(|at| *at < before).last().unwrap_or(Moment::EPOCH)
        };
        self.jump_to(there);
    }

    /// That it is a replay, where it is, and what keys do, as far as there is room.
    fn foot(&self, columns: usize) -> String {
        let seconds = |moment: Moment| Duration::from_nanos(moment.0).as_secs_f64();
        let (sign, keys) = match (self.is_over(), self.paused) {
            (true, _) => {
                ("■", ["Home again · ← 1 s back · Enter goes on · q leaves", "Home again · Enter goes on · q leaves"])
            }
            (false, paused) => {
                let keys = "space pause · , . step · ←→ 1 s · PgUp PgDn heat · + - speed · End · q leaves";
                (if paused { "‖" } else { "▶" }, [keys, "space , . ←→ PgUp PgDn + - End · q leaves"])
            }
        };
        let place =
            format!("REPLAY {sign} {:.1} of {:.1} s ×{}", seconds(self.position), seconds(self.end()), self.speed);
        let all = keys.map(|keys| format!("{place} · {keys}"));
        let fitting = all.into_iter().find(|foot| text::width(foot) <= columns);
        fitting.unwrap_or(place)
    }

    fn draw_foot(&self, frame: &mut Frame<'_>, theme: &Theme) {
        let area = frame.area();
        let foot = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
        frame.render_widget(Clear, foot);
        frame.render_widget(Line::styled(self.foot(area.width.into()), theme.accent), foot);
    }
}

impl<S: Screen> Screen for Replay<S> {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.advance(view.now);
        self.screen.draw(frame, &View { now: self.position, ..*view });
        if !self.screen.is_covered() {
            self.draw_foot(frame, view.theme);
        }
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            _ if self.screen.is_covered() => return self.screen.press(key),
            KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Char('.') => self.step(true),
            KeyCode::Char(',') => self.step(false),
            KeyCode::Right => self.jump_to(self.position + JUMP),
            KeyCode::Left => self.jump_to(self.position - JUMP),
            KeyCode::PageDown => self.heat(true),
            KeyCode::PageUp => self.heat(false),
            KeyCode::Home => self.jump_to(Moment::EPOCH),
            KeyCode::End => self.jump_to(self.end()),
            KeyCode::Char('+' | '=') => self.speed = (self.speed * 2.0).min(*SPEEDS.end()),
            KeyCode::Char('-') => self.speed = (self.speed / 2.0).max(*SPEEDS.start()),
            _ => return self.screen.press(key),
        }
        Reaction::Stay
    }
}

#[cfg(test)]
mod tests;
