//! Text whose author is not us, made fit for cells.

use schema::text::Untrusted;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns that `text` takes, as terminals count them.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` as lines of at most `columns` columns, broken between words where that can be, cleaned of all that is no
/// printable text. Line breaks of the text are kept.
pub fn wrap(text: &Untrusted, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.raw().split('\n') {
        let clean = Untrusted::bounded(paragraph, usize::MAX).for_terminal();
        let mut line = String::new();
        for word in clean.split_word_bounds() {
            if width(&line) + width(word) > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for grapheme in word.graphemes(true) {
                if width(&line) + width(grapheme) > columns && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                line.push_str(grapheme);
            }
        }
        lines.push(line);
    }
    lines
}

/// The beginning of `text` that fits `columns`, with `…` where something was left out.
pub fn fit(text: &Untrusted, columns: usize) -> String {
    let clean = text.for_terminal();
    if width(&clean) <= columns {
        return clean;
    }
    let mut kept = String::new();
    for grapheme in clean.graphemes(true) {
        if width(&kept) + width(grapheme) + 1 > columns {
            break;
        }
        kept.push_str(grapheme);
    }
    kept.push('…');
    kept
}
