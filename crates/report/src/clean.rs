//! One cleaner a medium. Names, model ids, notes and messages may come from anyone.

use schema::text::Untrusted;

/// One line that a terminal shows as it is: no control sequence, no line break, at most 4 KiB.
pub(crate) fn terminal(text: &str) -> String {
    Untrusted::from(text).for_terminal()
}

/// Text that Markdown shows as it is, within a table cell too: no markup, no HTML, no link.
pub(crate) fn markdown(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '&' => clean.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '|' | '[' | ']' | '~' | '#' | '!' => clean.extend(['\\', c]),
            _ => clean.push(c),
        }
    }
    clean
}

/// Text that a spreadsheet takes for text: what it would take for a formula gets an apostrophe
/// before it.
pub(crate) fn cell(text: &str) -> String {
    let clean = terminal(text);
    let formula = clean.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if formula { format!("'{clean}") } else { clean }
}

/// Text that XML shows as it is, in elements and attributes: no markup, and no character that XML 1.0 does not know.
pub(crate) fn xml(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in terminal(text).chars() {
        match c {
            '<' => clean.push_str("&lt;"),
            '>' => clean.push_str("&gt;"),
            '&' => clean.push_str("&amp;"),
            '"' => clean.push_str("&quot;"),
            '\'' => clean.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => clean.push('\u{fffd}'),
            _ => clean.push(c),
        }
    }
    clean
}

/// JSON in which the controls that JSON itself lets stand (C1, bidirectional, zero-width) are
/// escaped: it means the same, and may be printed. They stand in strings only, being no JSON.
pub(crate) fn json(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{7f}'..='\u{9f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => clean.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            _ => clean.push(c),
        }
    }
    clean
}
