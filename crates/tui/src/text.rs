//! Text whose author is not us, made fit for cells.
//!
//! ```text
//! Untrusted ─▶ clusters ─▶ glyphs: of a width that terminals agree on ─▶ lines of at most so many columns
//! ```
//!
//! Terminals disagree about how wide some text is: emoji that are joined, coloured or made of other letters, and letters
//! followed by invisible ones. What they disagree about is taken apart or left out, so that whatever stands beside it
//! stays where it is:
//!
//! | what came | what is shown |
//! | --- | --- |
//! | control characters, bidirectional overrides, formatting of documents | `�` |
//! | zero-width characters, variation selectors, tags, soft hyphens | nothing |
//! | emoji joined to one, as families are | each by itself |
//! | emoji with a skin tone, keys with digits on them | without |
//! | flags | the letters of the country |
//! | more than eight accents on one letter | the first of them |
//! | tabs | four spaces |
//!
//! Here alone text is made fit; the records keep it as it came.

mod flow;
mod glyph;
#[cfg(test)]
mod tests;

use ratatui::buffer::CellWidth as _;
use schema::text::Untrusted;
use unicode_segmentation::UnicodeSegmentation as _;

pub use flow::Flow;

/// What stands for something that cannot be shown.
const UNSHOWN: &str = "\u{FFFD}";

/// Columns that `text` takes in cells; of text of ours, or that has been made fit.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(|cluster| usize::from(cluster.cell_width())).sum()
}

/// `text` as lines of at most `columns` columns, broken between words where that can be. Line breaks of the text are
/// kept. Text that grows is drawn faster as a [`Flow`].
pub fn wrap(text: &Untrusted, columns: usize) -> Vec<String> {
    let mut flow = Flow::default();
    flow.push(text);
    flow.last(usize::MAX, columns).map(str::to_owned).collect()
}

/// `text` as one line, however long. Line breaks become spaces.
pub fn line(text: &Untrusted) -> String {
    let mut line = String::new();
    glyph::of(text.raw(), &mut |glyph| {
        if glyph.is_break() {
            line.push(' ');
        } else {
            glyph.put(&mut line);
        }
    });
    line
}

/// The beginning of `text` that fits `columns`, with `…` where something was left out.
pub fn fit(text: &Untrusted, columns: usize) -> String {
    let line = line(text);
    if width(&line) <= columns {
        return line;
    }
    let Some(room) = columns.checked_sub(1) else { return String::new() };
    let mut used = 0;
    let fitting = line.graphemes(true).take_while(|cluster| {
        used += usize::from(cluster.cell_width());
        used <= room
    });
    fitting.chain(["…"]).collect()
}
