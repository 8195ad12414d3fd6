//! Frames in tests.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use schema::units::Moment;

use crate::{Screen, Theme, ThemeName, View};

/// A small terminal, a usual one, and a projector's.
pub(crate) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (250, 70)];

/// What `screen` draws at that many milliseconds of the run's clock.
pub(crate) fn drawn(screen: &mut dyn Screen, millis: u64, (columns, rows): (u16, u16)) -> String {
    let theme = Theme::of(ThemeName::Dark);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let view = View { now: Moment(millis * 1_000_000), theme: &theme, missed: 0 };
    terminal.draw(|frame| screen.draw(frame, &view)).unwrap();
    terminal.backend().to_string()
}
