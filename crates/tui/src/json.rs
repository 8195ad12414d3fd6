//! JSON laid out and told apart by colour, whatever it really is: text that is no JSON comes out as well, nothing of it
//! is lost, and numbers, doubled names and the order of fields stay as they were written.

use std::ops::Range;

use ratatui::style::Style;

use crate::theme::Theme;

/// What a piece of JSON is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Braces, brackets, commas, colons.
    Mark,
    /// A field's name.
    Name,
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true`, `false`, `null`.
    Word,
    /// What JSON has none of, and the space between.
    Other,
}

impl Class {
    /// How it is drawn.
    pub const fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Name => theme.accent,
            Self::Text => theme.good,
            Self::Number | Self::Word => theme.warn,
            Self::Mark => theme.dim,
            Self::Other => theme.text,
        }
    }
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is.
    pub class: Class,
    /// The piece.
    pub text: &'a str,
}

/// One line of laid-out JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row<'a> {
    /// How deep it stands, in steps.
    pub depth: usize,
    /// What stands on it, without line breaks of ours.
    pub pieces: Vec<Piece<'a>>,
}

/// Whether `text` looks like JSON that is worth laying out.
pub fn is_likely(text: &str) -> bool {
    let text = text.trim_start();
    let element = |rest: &str| rest.trim_start().starts_with(|c: char| "{[\"]-tfn".contains(c) || c.is_ascii_digit());
    text.starts_with('{') || text.strip_prefix('[').is_some_and(element)
}

/// All of `text` as pieces, space included: joined they are the text again.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (class, length) = next(&text[at..]);
        pieces.push(Piece { class, text: &text[at..at + length] });
        at += length;
    }
    name_names(&mut pieces);
    pieces
}

/// `text` laid out: a line for each field and element, as JSON is indented. What is no JSON stays where it is.
pub fn rows(text: &str) -> Vec<Row<'_>> {
    let pieces: Vec<_> = pieces(text).into_iter().filter(|piece| !is_space(piece)).collect();
    let mut page = Layout::default();
    for (index, piece) in pieces.iter().enumerate() {
        page.put(*piece, pieces.get(index + 1).map(|next| next.text));
    }
    page.rows
}

/// Lines that begin with what is no JSON, as the events of a stream are: what stands before the JSON, and where in the
/// line that begins.
pub fn embedded(line: &str) -> Option<Range<usize>> {
    let from = line.find(": ").map(|at| at + 2)?;
    (from <= LONGEST_FIELD && is_likely(&line[from..])).then_some(from..line.len())
}

/// `data: ` and the like are no longer.
const LONGEST_FIELD: usize = 16;

#[derive(Default)]
struct Layout<'a> {
    rows: Vec<Row<'a>>,
    depth: usize,
    /// Whether what comes next begins a line.
    breaks: bool,
}

impl<'a> Layout<'a> {
    fn put(&mut self, piece: Piece<'a>, next: Option<&str>) {
        let closes = matches!(piece.text, "}" | "]") && piece.class == Class::Mark;
        if closes {
            self.depth = self.depth.saturating_sub(1);
        }
        let breaks = std::mem::take(&mut self.breaks);
        if breaks || self.rows.is_empty() {
            self.rows.push(Row { depth: self.depth, pieces: Vec::new() });
        }
        let row = self.rows.last_mut().expect("there is one by now");
        row.pieces.push(piece);
        if piece.class != Class::Mark {
            // A second value where none can be begins a line of its own; a colon or comma follows on this one.
            self.breaks = next.is_some_and(|next| !matches!(next, ":" | "," | "}" | "]")) || self.closes_next(next);
            return;
        }
        match piece.text {
            "{" | "[" => {
                self.depth += 1;
                // Nothing in it: both marks on one line.
                self.breaks = !matches!((piece.text, next), ("{", Some("}")) | ("[", Some("]")));
            }
            "}" | "]" => self.breaks = next != Some(","),
            "," => self.breaks = true,
            _ => row.pieces.push(SPACE),
        }
    }

    /// Whether what comes closes what is open.
    fn closes_next(&self, next: Option<&str>) -> bool {
        self.depth > 0 && matches!(next, Some("}" | "]"))
    }
}

/// After a colon.
const SPACE: Piece<'static> = Piece { class: Class::Other, text: " " };

fn is_space(piece: &Piece<'_>) -> bool {
    piece.class == Class::Other && piece.text.trim_matches(is_json_space).is_empty()
}

fn is_json_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The class and the length of the piece that `text` begins with; it is not empty.
fn next(text: &str) -> (Class, usize) {
    let first = text.as_bytes()[0];
    match first {
        b'{' | b'}' | b'[' | b']' | b',' | b':' => (Class::Mark, 1),
        b'"' => (Class::Text, string(text)),
        b' ' | b'\t' | b'\n' | b'\r' => (Class::Other, text.find(|c| !is_json_space(c)).unwrap_or(text.len())),
        _ => {
            let length = text.find(|c| is_json_space(c) || "{}[],:\"".contains(c)).unwrap_or(text.len());
            let class = match &text[..length] {
                "true" | "false" | "null" => Class::Word,
                _ if first == b'-' || first.is_ascii_digit() => Class::Number,
                _ => Class::Other,
            };
            (class, length)
        }
    }
}

/// Length of the string that `text` begins with, quotes included; all of it where it does not end.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Strings before a colon are names.
fn name_names(pieces: &mut [Piece<'_>]) {
    let mut colon = false;
    for piece in pieces.iter_mut().rev() {
        if piece.class == Class::Text && colon {
            piece.class = Class::Name;
        }
        if !is_space(piece) {
            colon = piece.text == ":";
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn laid_out(text: &str) -> String {
        let row = |row: Row<'_>| {
            let pieces: String = row.pieces.iter().map(|piece| piece.text).collect();
            format!("{}{pieces}", "  ".repeat(row.depth)).trim_end().to_owned()
        };
        rows(text).into_iter().map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn json_is_laid_out_and_stays_what_it_is() {
        insta::assert_snapshot!(
            laid_out(r#" {"b":1.50e+3,"a":[1,-2,{}],"a":{"x":null},"t":"a, \"b\": {c}","e":[],"y":[[true]]}"#),
            @r#"
        {
          "b": 1.50e+3,
          "a": [
            1,
            -2,
            {}
          ],
          "a": {
            "x": null
          },
          "t": "a, \"b\": {c}",
          "e": [],
          "y": [
            [
              true
            ]
          ]
        }
        "#
        );
    }

    #[test]
    fn what_is_broken_is_laid_out_as_far_as_it_goes() {
        insta::assert_snapshot!(
            laid_out("{\"a\": 1 2 oops \"b\": [}, ]] : {\"unfinished: 1}"),
            @r#"
        {
          "a": 1
          2
          oops
          "b": [
          },
        ]
        ]
        : {
          "unfinished: 1}
        "#
        );
        assert_eq!(laid_out("not JSON at all"), "not\nJSON\nat\nall");
        assert_eq!(laid_out(""), "");
        assert_eq!(laid_out("{\"a\":1}\n{\"b\":2}\n"), "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}");
    }

    #[test]
    fn names_and_texts_are_told_apart() {
        let classes: Vec<_> = pieces(r#"{"a" : "b"}"#).iter().map(|piece| piece.class).collect();
        let expected = [Class::Mark, Class::Name, Class::Other, Class::Mark, Class::Other, Class::Text, Class::Mark];
        assert_eq!(classes, expected);
    }

    #[test]
    fn the_json_of_an_event_is_found_behind_its_field() {
        assert_eq!(embedded("data: {\"a\":1}"), Some(6..13));
        assert_eq!(embedded("data: [1]"), Some(6..9));
        assert_eq!(embedded("data: [DONE]"), None);
        assert_eq!(embedded("data: hello"), None);
        assert_eq!(embedded(": a comment about {\"a\":1}"), None);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_panics(text in r#"([{}\[\],:" \n\\a-zé0-9.-]|true|null){0,60}"#) {
            let joined: String = pieces(&text).iter().map(|piece| piece.text).collect();
            prop_assert_eq!(&joined, &text);
            let without = |text: &str| text.replace(is_json_space, "");
            let rows: String = rows(&text).iter().flat_map(|row| row.pieces.iter().map(|piece| piece.text)).collect();
            prop_assert_eq!(without(&rows), without(&text));
        }
    }
}
