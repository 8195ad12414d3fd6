//! Text whose author is not us.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Text from a server, a model or a file: reaches a terminal, a page or a cell only through that
/// medium's cleaner. `Debug` and `Display` clean for the terminal, so printing one by accident is safe.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Untrusted(String);

impl Untrusted {
    /// Keeps at most `limit` bytes of `text`, cut at a character's edge.
    pub fn bounded(text: impl Into<String>, limit: usize) -> Self {
        let mut text = text.into();
        if text.len() > limit {
            let cut = (0..=limit).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
            text.truncate(cut);
            text.push('…');
        }
        Self(text)
    }

    /// The text as it came. Clean it for its medium before showing it.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text with control characters, escape sequences' introducers, bidirectional overrides and
    /// line breaks replaced: one safe terminal line.
    #[must_use]
    pub fn for_terminal(&self) -> String {
        self.0
            .chars()
            .map(|c| if is_unsafe(c) { if c.is_whitespace() { ' ' } else { '\u{FFFD}' } } else { c })
            .collect()
    }
}

/// Control characters (C0, C1), bidirectional controls, zero-width formatting and line separators.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({:?})", self.0)
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.for_terminal())
    }
}

impl From<&str> for Untrusted {
    /// Bounded to 4 KiB.
    fn from(text: &str) -> Self {
        Self::bounded(text, 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_never_reach_a_terminal() {
        let hostile = Untrusted::from("\u{1b}[2Jred\u{202e}tfel\nline\u{9b}x");
        assert_eq!(hostile.to_string(), "\u{FFFD}[2Jred\u{FFFD}tfel line\u{FFFD}x");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(Untrusted::bounded("äöü", 3).raw(), "ä…");
    }
}
