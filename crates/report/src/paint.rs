//! Colours, put on text that is already laid out and cleaned: layout never counts an escape sequence.

const RESET: &str = "\u{1b}[0m";
const BOLD: &str = "\u{1b}[1m";
const RED: &str = "\u{1b}[31m";
const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";

/// Words that have a colour wherever they stand, longer ones before those they contain.
const WORDS: &[(&str, &str)] = &[
    ("SIMULATED", YELLOW),
    ("too few samples", YELLOW),
    ("client-limited", RED),
    ("trustworthy", GREEN),
    ("no data", RED),
    ("check failed", RED),
    ("undecided", YELLOW),
    ("too close to call", YELLOW),
    ("not enough data", YELLOW),
    ("missed", RED),
    ("saturated", RED),
    ("warning", YELLOW),
];

/// The text in bold.
pub(crate) fn bold(text: &str) -> String {
    format!("{BOLD}{text}{RESET}")
}

/// The text with the words above in their colours.
pub(crate) fn words(text: &str) -> String {
    WORDS.iter().fold(text.to_owned(), |text, (word, colour)| text.replace(word, &format!("{colour}{word}{RESET}")))
}
