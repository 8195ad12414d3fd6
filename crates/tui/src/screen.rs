//! What every screen is.

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use schema::progress::Progress;
use schema::units::Moment;

use crate::theme::Theme;

/// The circumstances in which a frame is drawn.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// What time it is on the run's clock.
    pub now: Moment,
    /// The colours.
    pub theme: &'a Theme,
    /// Steps of the run that this viewer missed because it was too slow; nothing that is kept was lost with them.
    pub missed: u64,
}

/// What is to happen after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing but the next frame.
    Stay,
    /// The person is done with this screen. A run that goes on is watched until its end.
    Leave,
    /// The person wants the run to stop: nothing more is sent; asked a second time, what is in flight is given up.
    Stop,
    /// The person wants to be out of it: what is in flight is given up at once.
    Abort,
}

/// Something that is drawn, and that keys are meant for. [`Send`]: what is measured is drawn by a thread of its own.
pub trait Screen: Send {
    /// Takes one step of a run in.
    fn fold(&mut self, progress: &Progress);

    /// Draws all of it.
    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>);

    /// A key was pressed. Ctrl-C never comes here: it stops the run, or leaves where there is none.
    fn press(&mut self, key: KeyEvent) -> Reaction;

    /// Whether a page lies over it, whose keys and hints hold until it is put away.
    fn is_covered(&self) -> bool {
        false
    }

    /// Text was pasted, as it came: its line breaks are no Enter keys. Screens that want no text ignore it.
    fn paste(&mut self, _text: &str) -> Reaction {
        Reaction::Stay
    }
}
