//! A race: every target's stream in a lane of its own, begun at one instant; after the first heats, how they spread.
//!
//! ```text
//! Progress ─▶ heat (a track per lane: stages, pieces, record) ─▶ order ─▶ lanes, ranking, photo finish
//!         └─▶ tally (TTFT and E2E of every measured heat) ──────────────▶ distributions
//! ```
//!
//! What a lane shows while it runs comes from the same instants that its record will hold; once the record is there,
//! its figures are shown in their place.

mod heat;
mod order;
mod track;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::progress::Progress;
use schema::record::Record;
use schema::target::TargetName;
use schema::text::Untrusted;
use schema::units::Moment;

use crate::screen::{Reaction, Screen, View};

use heat::Heat;
pub use order::Standing;
pub use track::State;

/// Heats that are shown lane by lane; from then on their distributions.
pub const LIVE_HEATS: u64 = 3;

/// One target of a race, with what is known of it before the start.
#[derive(Debug, Clone)]
pub struct Lane {
    /// What it is called.
    pub name: TargetName,
    /// Whether it is a simulated engine.
    pub simulated: bool,
    /// Where it listens, as a person would write it.
    pub endpoint: String,
    /// The model's id.
    pub model: String,
    /// The engine's real configuration, as it was fetched from it: names and values, in the order to be shown.
    pub about: Vec<(String, Untrusted)>,
}

/// What is known before the start.
#[derive(Debug, Clone)]
pub struct RaceSetup {
    /// The prompt of the first heat.
    pub prompt: Untrusted,
    /// Who races, in the plan's order.
    pub targets: Vec<Lane>,
    /// Measured heats.
    pub runs: u32,
    /// Output limit of a request, as planned; its record may say another.
    pub max_tokens: u32,
    /// For a blind race: which of `targets` is shown as A, as B, and so on. Names, models and configuration are
    /// hidden then. Targets that it leaves out follow in the plan's order.
    pub blind: Option<Vec<usize>>,
}

/// The screen of a race.
#[derive(Debug)]
pub struct Race {
    setup: RaceSetup,
    heat: Heat,
    over: bool,
}

impl Race {
    /// A race that has not begun.
    pub fn new(setup: RaceSetup) -> Self {
        let heat = Heat::new(setup.targets.len());
        Self { setup, heat, over: false }
    }

    /// Says that the run is over: nothing more will come.
    pub fn close(&mut self) {
        self.over = true;
    }

    /// Whether there is nothing more to watch: every lane of the last heat has its record, or the run is over.
    pub fn finished(&self) -> bool {
        self.over
    }

    /// How the lanes of the present heat stand, best first.
    pub fn standings(&self, now: Moment) -> Vec<Standing> {
        order::standings(&self.heat, now)
    }

    /// The record of `target`'s part in the present heat, once it is there.
    pub fn record(&self, target: usize) -> Option<&Record> {
        self.heat.tracks.get(target)?.record.as_deref()
    }
}

impl Screen for Race {
    fn fold(&mut self, progress: &Progress) {
        let _ = progress;
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let _ = (frame, view, &self.setup);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Enter if self.finished() => Reaction::Leave,
            KeyCode::Esc | KeyCode::Char('q') => Reaction::Abort,
            _ => Reaction::Stay,
        }
    }
}
