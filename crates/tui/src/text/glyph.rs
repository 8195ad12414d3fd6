//! From text as it came to glyphs: what stands in one or two cells, and cannot be torn apart.

use ratatui::buffer::CellWidth as _;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};
use unicode_width::UnicodeWidthChar;

use super::UNSHOWN;

/// Characters of one glyph at most; what is piled on top of that is left out.
const MOST: usize = 9;

/// Cells of one glyph at most: scripts of India join several letters to one.
pub(super) const WIDEST: usize = 4;

/// Joins what stands before and after it.
const JOINER: char = '\u{200D}';

/// Something to put into cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph<'a> {
    /// A cluster of characters and the spaces that make up its width, or a line break.
    pub(super) text: &'a str,
    /// Cells.
    pub(super) width: usize,
}

impl Glyph<'_> {
    /// What stands for something that cannot be shown.
    const UNSHOWN: Self = Self { text: UNSHOWN, width: 1 };

    /// Puts it at the end of `fit`; what would become one with what stands there, now that something between them was
    /// left out, is not shown.
    pub(super) fn put(self, fit: &mut String) -> Self {
        let at = fit.len();
        fit.push_str(self.text);
        let is_joined = !self.text.starts_with(|it: char| it.is_ascii())
            && GraphemeCursor::new(at, fit.len(), true).is_boundary(fit, 0) == Ok(false);
        if !is_joined {
            return self;
        }
        fit.truncate(at);
        fit.push_str(UNSHOWN);
        Self::UNSHOWN
    }

    pub(super) fn is_break(self) -> bool {
        self.text == "\n"
    }

    pub(super) fn is_space(self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }
}

/// Hands each glyph of `text` to `put`.
pub(super) fn of(text: &str, put: &mut impl FnMut(Glyph<'_>)) {
    let mut rest = text;
    while let Some((cluster, after)) = split(rest) {
        of_cluster(cluster, put);
        rest = after;
    }
}

/// The first cluster, and what comes after it.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let end = match text.as_bytes() {
        [first, second, ..] if first.is_ascii() && second.is_ascii() && *first != b'\r' => 1,
        _ => text.graphemes(true).next()?.len(),
    };
    Some(text.split_at(end))
}

/// Hands each glyph that a cluster is shown as to `put`.
pub(super) fn of_cluster(cluster: &str, put: &mut impl FnMut(Glyph<'_>)) {
    if let [b' '..=b'~' | b'\n'] = cluster.as_bytes() {
        return put(Glyph { text: cluster, width: usize::from(cluster != "\n") });
    }
    let mut fit = String::new();
    for (index, character) in cluster.chars().enumerate() {
        match character {
            '\n' => fit.push('\n'),
            '\t' => fit.push_str("    "),
            '\r' => {}
            '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{B}' | '\u{C}' => fit.push(' '),
            // A flag's letters.
            '\u{1F1E6}'..='\u{1F1FF}' => {
                fit.extend(char::from_u32(u32::from(character) - 0x1F1E6 + u32::from('A')));
            }
            // A skin tone; by itself it would join whatever stands before it.
            '\u{1F3FB}'..='\u{1F3FF}' => fit.push_str(if index == 0 { UNSHOWN } else { "" }),
            _ if is_left_out(character) => {}
            _ if is_unfit(character) => fit.push_str(UNSHOWN),
            _ => fit.push(character),
        }
    }
    if cluster.contains(JOINER) && fit.chars().filter(|it| it.width() == Some(2)).count() > 1 {
        // As many as there are: each is as wide as everywhere.
        fit.chars()
            .filter(|it| it.width() != Some(0))
            .take(MOST)
            .for_each(|it| put_fit(it.encode_utf8(&mut [0; 4]), put));
    } else {
        fit.graphemes(true).for_each(|cluster| put_fit(cluster, put));
    }
}

/// Hands a cluster of fit characters to `put`, as wide as the widest terminal shows it.
fn put_fit(cluster: &str, put: &mut impl FnMut(Glyph<'_>)) {
    if cluster == "\n" {
        return put(Glyph { text: cluster, width: 0 });
    }
    let end = cluster.char_indices().nth(MOST).map_or(cluster.len(), |(end, _)| end);
    let cluster = &cluster[..end];
    let width = usize::from(cluster.cell_width());
    let singly: usize = cluster.chars().filter_map(UnicodeWidthChar::width).sum();
    match cluster.chars().next().and_then(UnicodeWidthChar::width) {
        None | Some(0) => put(Glyph::UNSHOWN),
        Some(_) if width.max(singly) > WIDEST => put(Glyph::UNSHOWN),
        Some(_) if singly > width => {
            // Terminals that know nothing of what belongs together need more room.
            put(Glyph { text: &format!("{cluster}{}", " ".repeat(singly - width)), width: singly });
        }
        Some(_) => put(Glyph { text: cluster, width }),
    }
}

/// Invisible, and of a width that depends on the terminal.
const fn is_left_out(character: char) -> bool {
    matches!(character,
        '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2065}' | '\u{20E3}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Steers terminals, reorders text, or is no character.
fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}'
            | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{206F}' | '\u{FDD0}'..='\u{FDEF}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1345F}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}')
        || u32::from(character) & 0xFFFE == 0xFFFE
}
