//! A run under load, watched: what is asked and achieved, how answers come, what goes wrong, what it costs, who leads.
//!
//! ```text
//! Progress ─▶ stats::live::Board ─▶ panels, as many as there is room for, in one to three columns
//! ```

mod head;
mod load;
mod spread;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod words;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use schema::plan::Plan;
use schema::progress::Progress;
use schema::units::{Moment, Nanos};
use stats::live::{Board, Forming};

use crate::panel::{Panel, columns, stack};
use crate::screen::{Reaction, Screen, View};

pub(crate) use head::{of_all, seconds};
pub(crate) use load::{nanos, tall, timed};
#[cfg(test)]
pub(crate) use tests::script;

/// Columns from which on there are two of panels, and three.
const TWO: u16 = 100;
const THREE: u16 = 190;

/// How often verdicts are formed.
const FORMED_EVERY: Nanos = Nanos::from_secs(3);

/// What is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The run itself.
    Run,
    /// Before it, this machine against the built-in engine: which part of how many.
    Calibration {
        /// This part, from 1.
        part: u8,
        /// All.
        of: u8,
    },
}

/// The screen of a run under load.
#[derive(Debug)]
pub struct LiveView {
    occasion: Occasion,
    board: Board,
    formed: Option<(Moment, Vec<Forming>)>,
    asked_to_stop: bool,
}

impl LiveView {
    /// Before anything was seen of a run of `plan`.
    pub fn new(plan: &Plan, occasion: Occasion) -> Self {
        Self { occasion, board: Board::new(plan), formed: None, asked_to_stop: false }
    }

    /// Verdicts are made of everything at hand: not for every frame.
    fn form(&mut self, now: Moment) {
        let due = self.formed.as_ref().is_none_or(|(at, _)| now - *at >= FORMED_EVERY);
        if due && self.occasion == Occasion::Run {
            self.formed = Some((now, self.board.forming()));
        }
    }

    fn forming(&self) -> &[Forming] {
        self.formed.as_ref().map_or(&[], |(_, forming)| forming)
    }
}

impl Screen for LiveView {
    fn fold(&mut self, progress: &Progress) {
        self.board.fold(progress);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.form(view.now);
        let [top, body, foot] =
            Layout::vertical([Constraint::Length(3), Constraint::Fill(1), Constraint::Length(1)]).areas(frame.area());
        head::draw(frame, top, self, view);
        match frame.area().width {
            width if width >= THREE => three(frame, body, self, view),
            width if width >= TWO => two(frame, body, self, view),
            _ => one(frame, body, self, view),
        }
        head::foot(frame, foot, self, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => {
                self.asked_to_stop = true;
                Reaction::Stop
            }
            _ => Reaction::Stay,
        }
    }
}

fn one(frame: &mut Frame<'_>, area: Rect, live: &LiveView, view: &View<'_>) {
    let mut panels = vec![table::targets(live, view), load::load(live, view, 4)];
    panels.extend(load::steps(live, view));
    panels.extend(spread::both(live, view));
    panels.extend(status::verdict(live, view));
    panels.push(status::client(live, view));
    panels.extend(status::failures(live, view));
    panels.extend(status::cost(live, view));
    panels.extend(status::servers(live, view));
    panels.extend(status::notes(live, view));
    panels.extend(load::blocks(live, view));
    panels.push(load::over_time(live, view));
    stack(frame, area, panels, view.theme);
}

fn two(frame: &mut Frame<'_>, area: Rect, live: &LiveView, view: &View<'_>) {
    let area = above(frame, area, live, view);
    let parts = columns(area, 2);
    let mut left = vec![load::load(live, view, 12)];
    left.extend(load::steps(live, view));
    left.extend(spread::both(live, view));
    let mut right: Vec<Panel> = status::verdict(live, view).into_iter().collect();
    right.push(status::client(live, view));
    right.push(status::failures_or_none(live, view));
    right.extend(status::cost(live, view));
    right.extend(status::servers(live, view));
    right.push(load::over_time(live, view));
    right.extend(load::blocks(live, view));
    right.extend(status::notes(live, view));
    stack(frame, parts[0], left, view.theme);
    stack(frame, parts[1], right, view.theme);
}

fn three(frame: &mut Frame<'_>, area: Rect, live: &LiveView, view: &View<'_>) {
    let area = above(frame, area, live, view);
    let parts = columns(area, 3);
    let mut left = vec![load::load(live, view, 16)];
    left.extend(load::steps(live, view));
    left.push(load::over_time(live, view));
    left.extend(load::blocks(live, view));
    let middle = spread::both(live, view);
    let mut right: Vec<Panel> = status::verdict(live, view).into_iter().collect();
    right.push(status::client(live, view));
    right.push(status::failures_or_none(live, view));
    right.extend(status::cost(live, view));
    right.extend(status::servers(live, view));
    right.extend(status::notes(live, view));
    for (part, panels) in parts.into_iter().zip([left, middle, right]) {
        stack(frame, part, panels, view.theme);
    }
}

/// The table of targets over the whole width; what is left below it.
fn above(frame: &mut Frame<'_>, area: Rect, live: &LiveView, view: &View<'_>) -> Rect {
    let table = table::targets(live, view);
    let height = u16::try_from(table.wanted()).unwrap_or(u16::MAX).min(area.height / 3);
    let [top, below] = Layout::vertical([Constraint::Length(height), Constraint::Fill(1)]).areas(area);
    stack(frame, top, vec![table], view.theme);
    below
}

/// The letter that stands for a target wherever colour might not be seen.
#[expect(clippy::cast_possible_truncation, reason = "a number below 26")]
pub(crate) fn letter(place: usize) -> char {
    char::from(b'A' + (place % 26) as u8)
}
