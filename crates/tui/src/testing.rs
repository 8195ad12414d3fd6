//! What the tests of several screens share: frames, and who is shown in them.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use schema::target::{Price, Target};
use schema::units::Moment;

use crate::{Screen, Theme, ThemeName, View};

/// A small terminal, a usual one, and a projector's.
pub(crate) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (250, 70)];

/// What `screen` draws at that many milliseconds of the run's clock.
pub(crate) fn drawn(screen: &mut dyn Screen, millis: u64, size: (u16, u16)) -> String {
    terminal(screen, millis, size).backend().to_string()
}

/// The same, a text for each row, without what a wide character covers.
pub(crate) fn rows(screen: &mut dyn Screen, millis: u64, (columns, rows): (u16, u16)) -> Vec<String> {
    let terminal = terminal(screen, millis, (columns, rows));
    let buffer = terminal.backend().buffer();
    let row = |row: u16| {
        let mut text = String::new();
        let mut column = 0;
        while column < columns {
            let symbol = buffer[(column, row)].symbol();
            text.push_str(symbol);
            column += u16::try_from(crate::text::width(symbol)).unwrap().max(1);
        }
        text
    };
    (0..rows).map(row).collect()
}

fn terminal(screen: &mut dyn Screen, millis: u64, (columns, rows): (u16, u16)) -> Terminal<TestBackend> {
    let theme = Theme::of(ThemeName::Dark);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let view = View { now: Moment(millis * 1_000_000), theme: &theme, missed: 0 };
    terminal.draw(|frame| screen.draw(frame, &view)).unwrap();
    terminal
}

pub(crate) fn target(name: &str, simulated: bool) -> Target {
    let plain = Target::plain(name.parse().unwrap(), "vllm", "model", "http://localhost:8000".parse().unwrap());
    Target { simulated, ..plain }
}

/// One dollar a million input tokens, two dollars output.
pub(crate) fn price() -> Price {
    Price {
        input_per_mtok_usd: "1usd".parse().unwrap(),
        output_per_mtok_usd: "2usd".parse().unwrap(),
        cached_input_per_mtok_usd: None,
        as_of: "2026-11-01".parse().unwrap(),
        source: "https://example.com".into(),
        note: None,
    }
}
