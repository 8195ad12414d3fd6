//! The text format itself (version 0.0.4, and `OpenMetrics` as far as it differs): series with their values.
//!
//! Comments (`HELP`, `TYPE`, `UNIT`), timestamps and exemplars are passed over: names say enough, and a page is of
//! the moment it arrived. A line that is not of the format fails the page, as it does in Prometheus: half a sum is
//! worse than none.

use std::borrow::Cow;

use schema::text::Untrusted;

use super::PageError;

/// Bytes of a name at most.
const NAME_BYTES: usize = 512;
/// Bytes of a label's value at most.
const VALUE_BYTES: usize = 16 << 10;
/// Labels of a series at most.
const LABELS: usize = 128;
/// Characters of a line that an error shows.
const SHOWN: usize = 60;

/// One series of a page with its value. Borrows from the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Series<'a> {
    /// Empty where it is quoted: no metric of ours needs that.
    pub(super) name: &'a str,
    pub(super) labels: Labels<'a>,
    pub(super) value: f64,
}

/// The labels of a series as they stand between the braces, checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    /// The value of the label `name`.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = Rest(self.0);
        while let Ok(Some(label)) = rest.label() {
            if label.name == name {
                return label.value.map(unescaped);
            }
        }
        None
    }
}

/// All series of a page, up to its end or to the `# EOF` of `OpenMetrics`.
pub(super) fn series(page: &str) -> impl Iterator<Item = Result<Series<'_>, PageError>> {
    let lines = page.lines().enumerate().take_while(|(_, line)| line.trim() != "# EOF");
    lines.filter_map(|(index, line)| match read(line) {
        Ok(series) => series.map(Ok),
        Err(wrong) => Some(Err(wrong.on_line(index + 1))),
    })
}

/// What is wrong with a line.
enum Wrong<'a> {
    Expected(&'static str, &'a str),
    TooLarge(&'static str, usize),
}

impl Wrong<'_> {
    fn on_line(self, line: usize) -> PageError {
        match self {
            Self::TooLarge(what, limit) => PageError::TooLarge { what, limit },
            Self::Expected(wanted, at) => {
                let found: String = at.chars().take(SHOWN).collect();
                PageError::NotUnderstood { line, wanted, found: Untrusted::from(found.as_str()) }
            }
        }
    }
}

/// The series of one line; `None` for a comment or a blank line.
fn read(line: &str) -> Result<Option<Series<'_>>, Wrong<'_>> {
    let mut rest = Rest(line);
    rest.skip_blanks();
    if rest.0.is_empty() || rest.0.starts_with('#') {
        return Ok(None);
    }
    let name = if rest.0.starts_with('{') { "" } else { rest.name(true)? };
    rest.skip_blanks();
    let labels = if rest.take('{') { rest.labels()? } else { Labels("") };
    let value = rest.number("a value")?;
    rest.skip_blanks();
    if !rest.0.is_empty() && !rest.0.starts_with('#') {
        rest.number("a timestamp")?;
        rest.skip_blanks();
    }
    if rest.0.is_empty() || rest.0.starts_with('#') {
        Ok(Some(Series { name, labels, value }))
    } else {
        Err(rest.expected("the end of the line"))
    }
}

/// One label, or a quoted name, which has no value.
struct Label<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    const fn expected(&self, what: &'static str) -> Wrong<'a> {
        Wrong::Expected(what, self.0)
    }

    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', '\r']);
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// The first `len` bytes.
    fn cut(&mut self, len: usize) -> &'a str {
        let (head, rest) = self.0.split_at(len);
        self.0 = rest;
        head
    }

    fn name(&mut self, colons: bool) -> Result<&'a str, Wrong<'a>> {
        let part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || (colons && *byte == b':');
        let len = self.0.bytes().take_while(|byte| part(byte)).count();
        if len == 0 || self.0.as_bytes()[0].is_ascii_digit() {
            return Err(self.expected("a name"));
        }
        if len > NAME_BYTES { Err(Wrong::TooLarge("bytes in a name", NAME_BYTES)) } else { Ok(self.cut(len)) }
    }

    /// A text in quotes, still escaped.
    fn quoted(&mut self) -> Result<&'a str, Wrong<'a>> {
        let mut escaped = false;
        let end = self.0.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        match end {
            Some(len) if len > VALUE_BYTES => Err(Wrong::TooLarge("bytes in a label", VALUE_BYTES)),
            Some(len) => Ok(&self.cut(len + 2)[1..=len]),
            None => Err(self.expected("a closing quote")),
        }
    }

    /// The next label, or `None` where none follows.
    fn label(&mut self) -> Result<Option<Label<'a>>, Wrong<'a>> {
        self.skip_blanks();
        if self.0.is_empty() || self.0.starts_with('}') {
            return Ok(None);
        }
        let quoted = self.0.starts_with('"');
        let name = if quoted { self.quoted()? } else { self.name(false)? };
        self.skip_blanks();
        let mut value = None;
        if self.take('=') {
            self.skip_blanks();
            value = self.0.starts_with('"').then(|| self.quoted()).transpose()?;
        }
        if value.is_none() && !quoted {
            return Err(self.expected("a quoted value"));
        }
        self.skip_blanks();
        if !self.take(',') && !self.0.is_empty() && !self.0.starts_with('}') {
            return Err(self.expected("a comma or a closing brace"));
        }
        Ok(Some(Label { name, value }))
    }

    /// All labels up to the closing brace.
    fn labels(&mut self) -> Result<Labels<'a>, Wrong<'a>> {
        let begin = self.0;
        let mut count = 0;
        while self.label()?.is_some() {
            count += 1;
            if count > LABELS {
                return Err(Wrong::TooLarge("labels in a series", LABELS));
            }
        }
        let labels = &begin[..begin.len() - self.0.len()];
        if self.take('}') { Ok(Labels(labels)) } else { Err(self.expected("a closing brace")) }
    }

    fn number(&mut self, what: &'static str) -> Result<f64, Wrong<'a>> {
        self.skip_blanks();
        let len = self.0.find([' ', '\t', '\r']).unwrap_or(self.0.len());
        match self.0[..len].parse() {
            Ok(value) => {
                self.cut(len);
                Ok(value)
            }
            Err(_) => Err(self.expected(what)),
        }
    }
}

/// A quoted text as it was meant: `\\`, `\"` and `\n` are the escapes there are; others stand for themselves.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, if character == '\\' { characters.next() } else { None }) {
            ('\\', Some('n')) => clean.push('\n'),
            ('\\', Some(escaped @ ('\\' | '"'))) => clean.push(escaped),
            (_, Some(other)) => clean.extend(['\\', other]),
            (character, None) => clean.push(character),
        }
    }
    clean.into()
}

#[cfg(test)]
mod tests;
