//! What frames are drawn on: bytes for the terminal, in which everything stands where it was meant to.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Cell, CellWidth as _};
use ratatui::layout::{Position, Size};

/// What is drawn on at most: terminals may claim to be so large that no memory holds their cells.
const LARGEST: Size = Size { width: 2_000, height: 1_000 };

/// Hides the cursor, as every frame without one does again.
const HIDE: &[u8] = b"\x1b[?25l";

/// Bytes that wait to be sent. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Ink(Arc<Mutex<Vec<u8>>>);

impl Ink {
    /// All that was drawn since it was asked last: nothing, if nothing has changed.
    pub(super) fn take(&self) -> Vec<u8> {
        let bytes = std::mem::take(&mut *self.bytes());
        if bytes == HIDE { Vec::new() } else { bytes }
    }

    /// Only one thread at a time draws: nobody waits for another.
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Ink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A terminal that is told where to go on after everything whose width it may see differently, and that is never asked
/// anything: an answer could be late, or be taken for keys.
pub(super) struct Paper(CrosstermBackend<Ink>);

impl Paper {
    pub(super) fn new(ink: Ink) -> Self {
        Self(CrosstermBackend::new(ink))
    }
}

impl Backend for Paper {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut plain = Vec::new();
        for (x, y, cell) in content {
            if !is_doubtful(cell.symbol()) {
                plain.push((x, y, cell));
                continue;
            }
            // Each of these calls begins by moving to its first cell.
            self.0.draw(plain.drain(..))?;
            let mut blank = cell.clone();
            blank.set_symbol(" ");
            let width = cell.symbol().cell_width().max(1);
            self.0.draw((x..x.saturating_add(width)).map(|x| (x, y, &blank)))?;
            self.0.draw(std::iter::once((x, y, cell)))?;
        }
        self.0.draw(plain.into_iter())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.0.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        let Size { width, height } = self.0.size()?;
        Ok(Size { width: width.min(LARGEST.width), height: height.min(LARGEST.height) })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether terminals may disagree about how far this moves on: all but single letters of Europe, arrows, and the lines and
/// blocks that screens are drawn with.
fn is_doubtful(symbol: &str) -> bool {
    let mut characters = symbol.chars();
    let known = |it: char| {
        matches!(it, ' '..='~' | '\u{A1}'..='\u{AC}' | '\u{AE}'..='\u{2FF}' | '\u{370}'..='\u{3FF}' | '\u{2010}'..='\u{2027}'
            | '\u{2190}'..='\u{21FF}' | '\u{2500}'..='\u{25FF}' | '\u{2800}'..='\u{28FF}')
    };
    !(characters.next().is_some_and(known) && characters.next().is_none())
}
