//! Charts of one line.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::width;

/// Heights of a column, in eighths of a cell.
pub(super) const COLUMNS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Widths of a bar's end, in eighths of a cell.
const ENDS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// Eighths of `cells` cells that `share` (0 to 1) fills; a share above nothing fills at least one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shares are between 0 and 1")]
pub(super) fn eighths(share: f64, cells: usize) -> usize {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    let filled = (share * (cells * 8) as f64).round() as usize;
    if share > 0.0 && cells > 0 { filled.max(1) } else { filled }
}

/// A bar that fills `share` (0 to 1) of `columns`.
pub fn bar(share: f64, columns: usize) -> String {
    let filled = eighths(share, columns);
    let mut text = "█".repeat(filled / 8);
    if !filled.is_multiple_of(8) {
        text.push(ENDS[filled % 8]);
    }
    exactly(&text, columns)
}

/// The last `columns` of `values` as columns from zero up to `full`, the newest at the right; where a value is missing
/// there is a gap. Of values of zero or more.
pub fn sparkline(values: &[Option<f64>], full: f64, columns: usize) -> String {
    let shown = &values[values.len().saturating_sub(columns)..];
    let column = |value: &Option<f64>| match value {
        Some(value) if full > 0.0 => COLUMNS[eighths(value / full, 1).max(1)],
        Some(_) => COLUMNS[1],
        None => COLUMNS[0],
    };
    " ".repeat(columns - shown.len()) + &shown.iter().map(column).collect::<String>()
}

/// `text` in exactly `columns`: cut with `…`, or filled up with spaces. Of text that is ours; what others said goes
/// through [`crate::text::fit`] first.
pub fn exactly(text: &str, columns: usize) -> String {
    let wide = width(text);
    if wide <= columns {
        return format!("{text}{}", " ".repeat(columns - wide));
    }
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        if used + width(grapheme) >= columns {
            break;
        }
        used += width(grapheme);
        kept.push_str(grapheme);
    }
    if columns > 0 {
        kept.push('…');
        used += 1;
    }
    kept + &" ".repeat(columns.saturating_sub(used))
}
