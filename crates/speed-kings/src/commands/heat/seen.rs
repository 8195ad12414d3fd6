//! A screen that may be left before its run is sealed.

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use schema::progress::Progress;
use tui::{Reaction, Screen, View};

/// A screen, and whether the person has left it already: then it need not be shown again once the run is over.
pub(crate) struct Seen<S> {
    pub(crate) screen: S,
    pub(crate) is_left: bool,
}

impl<S> Seen<S> {
    pub(crate) const fn new(screen: S) -> Self {
        Self { screen, is_left: false }
    }
}

impl<S: Screen> Screen for Seen<S> {
    fn fold(&mut self, progress: &Progress) {
        self.screen.fold(progress);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.screen.draw(frame, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        let reaction = self.screen.press(key);
        self.is_left |= reaction == Reaction::Leave;
        reaction
    }

    fn paste(&mut self, text: &str) -> Reaction {
        self.screen.paste(text)
    }
}
