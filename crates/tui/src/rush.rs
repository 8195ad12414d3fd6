//! A crowd at each target, watched user by user; what one alone got is measured first, and what the crowd gets is held
//! against it.
//!
//! ```text
//! Progress ─┬▶ crowd: what each user is doing, and how many wait ─┬▶ a part of the screen for each target
//!           └▶ stats::live::Board: TTFT, throughput, errors ──────┘
//! ```

mod crowd;
mod draw;
#[cfg(test)]
mod tests;
mod words;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::plan::{Load, Plan};
use schema::progress::Progress;
use schema::record::Phase;
use stats::Change;
use stats::live::Board;

use crate::screen::{Reaction, Screen, View};
use crowd::Crowd;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// One user alone at each target.
    Alone,
    /// The crowd.
    Crowd,
    /// Nothing any more.
    Over,
}

/// The screen of a rush.
#[derive(Debug)]
pub struct Rush {
    act: Act,
    /// Users of the crowd at each target.
    size: u32,
    /// What is being carried out.
    board: Board,
    crowds: Vec<Crowd>,
    /// What one alone got, once that is known.
    alone: Option<Board>,
    changes: Vec<Change>,
    stopping: bool,
}

impl Rush {
    /// Before anything was seen. `plan` is what is carried out first: one user alone at each target where `alone_first`,
    /// else the crowd, of `size` users.
    pub fn new(plan: &Plan, size: u32, alone_first: bool) -> Self {
        Self {
            act: if alone_first { Act::Alone } else { Act::Crowd },
            size,
            board: Board::new(plan),
            crowds: crowds(plan, if alone_first { 1 } else { size }),
            alone: None,
            changes: Vec::new(),
            stopping: false,
        }
    }

    /// One alone is done; now comes the crowd.
    pub fn let_in(&mut self, plan: &Plan) {
        self.act = Act::Crowd;
        self.alone = Some(std::mem::replace(&mut self.board, Board::new(plan)));
        self.crowds = crowds(plan, self.size);
    }

    /// All is over: this is what the crowd made of the figures.
    pub fn conclude(&mut self, changes: Vec<Change>) {
        self.act = Act::Over;
        self.changes = changes;
    }

    /// Median TTFT of one alone at the target at `place`.
    fn alone_at(&self, place: usize) -> Option<schema::units::Nanos> {
        self.alone.as_ref()?.targets().get(place)?.ttft().supported(0.5)
    }

    fn place(&self, name: &schema::target::TargetName) -> Option<usize> {
        self.board.targets().iter().position(|seen| seen.name() == name)
    }
}

fn crowds(plan: &Plan, size: u32) -> Vec<Crowd> {
    let in_waves = matches!(plan.load, Load::Crowd { .. });
    plan.targets.iter().map(|_| Crowd::new(size, in_waves)).collect()
}

impl Screen for Rush {
    fn fold(&mut self, progress: &Progress) {
        self.board.fold(progress);
        match progress {
            Progress::Moved { ticket, stage, .. } if ticket.phase == Phase::Measured => {
                if let Some(place) = self.place(&ticket.target) {
                    self.crowds[place].step(ticket, stage);
                }
            }
            Progress::Recorded(record) if record.phase == Phase::Measured => {
                if let Some(place) = self.place(&record.target) {
                    self.crowds[place].end(record);
                }
            }
            Progress::Pulse { in_flight, .. } => {
                for ((crowd, seen), in_flight) in self.crowds.iter_mut().zip(self.board.targets()).zip(in_flight) {
                    if *in_flight == 0 {
                        crowd.rest();
                    }
                    if seen.turn().is_some() {
                        crowd.look();
                    }
                }
            }
            _ => {}
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        draw::all(frame, self, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match (key.code, self.act) {
            (KeyCode::Char('q') | KeyCode::Esc | KeyCode::Enter, Act::Over) => Reaction::Leave,
            (KeyCode::Char('q') | KeyCode::Esc, _) => {
                self.stopping = true;
                Reaction::Stop
            }
            _ => Reaction::Stay,
        }
    }
}
