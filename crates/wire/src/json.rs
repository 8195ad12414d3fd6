//! A JSON reader that walks a text once, in place.
//!
//! A stream's events are small and many, and of each only a field or two is wanted. So instead of
//! building a tree, a [`Json`] steps through the text: interesting values are taken as slices of
//! it, the others are passed over, and both are checked, so that a text that was walked to its end
//! is one well-formed value. Nothing is allocated but strings with escapes.
//!
//! Reading is forgiving of shape, never of syntax: asked for a string where a number stands, it
//! passes over the number and answers `None`.

use std::borrow::Cow;
use std::fmt;

/// Where a text stops being JSON, and what was missing there. Small, because every step of the
/// reader may return one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {wanted} at byte {offset}")]
pub struct JsonError {
    /// Byte offset in the text, up to 4 GiB.
    pub offset: u32,
    /// What would have been right.
    pub wanted: Wanted,
}

/// What would have been right in place of what is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A value.
    Value,
    /// An object's key.
    Key,
    /// The colon after a key.
    Colon,
    /// The next field or the object's end.
    CommaOrBrace,
    /// The next element or the array's end.
    CommaOrBracket,
    /// A string's end.
    Quote,
    /// An escape that exists.
    Escape,
    /// A digit of a number.
    Digit,
    /// Fewer values within each other.
    LessNesting,
    /// Nothing more after the value.
    End,
    /// Bytes that are UTF-8.
    Utf8,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Value => "a value",
            Self::Key => "a key",
            Self::Colon => "`:`",
            Self::CommaOrBrace => "`,` or `}`",
            Self::CommaOrBracket => "`,` or `]`",
            Self::Quote => "the end of a string",
            Self::Escape => "an escape",
            Self::Digit => "a digit",
            Self::LessNesting => "less nesting",
            Self::End => "the end",
            Self::Utf8 => "UTF-8",
        })
    }
}

impl JsonError {
    pub(crate) fn at(offset: usize, wanted: Wanted) -> Self {
        Self { offset: u32::try_from(offset).unwrap_or(u32::MAX), wanted }
    }
}

/// Arrays and objects within each other; as deep as `serde_json` goes.
const MAX_DEPTH: u32 = 127;

/// A place in a JSON text. Every method that reads takes exactly one value.
pub(crate) struct Json<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

/// Reads `text`, which must be one JSON value, with `read`.
pub(crate) fn document<'a, T>(
    text: &'a str,
    read: impl FnOnce(&mut Json<'a>) -> Result<T, JsonError>,
) -> Result<T, JsonError> {
    let mut json = Json { text, at: 0, depth: 0 };
    let value = read(&mut json)?;
    json.space();
    if json.at == text.len() { Ok(value) } else { Err(json.error(Wanted::End)) }
}

impl<'a> Json<'a> {
    /// Walks an object, calling `field` at each of its values; `false` if it is something else.
    #[inline]
    pub(crate) fn object(
        &mut self,
        mut field: impl FnMut(&mut Self, &str) -> Result<(), JsonError>,
    ) -> Result<bool, JsonError> {
        if self.peek() != b'{' {
            return self.skip().map(|()| false);
        }
        self.enter()?;
        if self.peek() == b'}' {
            self.leave();
            return Ok(true);
        }
        loop {
            if self.peek() != b'"' {
                return Err(self.error(Wanted::Key));
            }
            let (raw, escaped) = self.quoted()?;
            if self.peek() != b':' {
                return Err(self.error(Wanted::Colon));
            }
            self.at += 1;
            if escaped {
                field(self, &unescape(raw))?;
            } else {
                field(self, raw)?;
            }
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.leave();
                    return Ok(true);
                }
                _ => return Err(self.error(Wanted::CommaOrBrace)),
            }
        }
    }

    /// Walks an array, calling `element` at each of its values; `false` if it is something else.
    #[inline]
    pub(crate) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), JsonError>,
    ) -> Result<bool, JsonError> {
        if self.peek() != b'[' {
            return self.skip().map(|()| false);
        }
        self.enter()?;
        if self.peek() == b']' {
            self.leave();
            return Ok(true);
        }
        loop {
            element(self)?;
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.leave();
                    return Ok(true);
                }
                _ => return Err(self.error(Wanted::CommaOrBracket)),
            }
        }
    }

    /// A string without its escapes, a lone surrogate replaced by U+FFFD; `None` for anything else.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Option<Cow<'a, str>>, JsonError> {
        if self.peek() != b'"' {
            return self.skip().map(|()| None);
        }
        let (raw, escaped) = self.quoted()?;
        Ok(Some(if escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) }))
    }

    /// A finite number; `None` for anything else.
    pub(crate) fn number(&mut self) -> Result<Option<f64>, JsonError> {
        if !matches!(self.peek(), b'-' | b'0'..=b'9') {
            return self.skip().map(|()| None);
        }
        let text = self.raw()?;
        if text.len() < 10
            && let Ok(whole) = text.parse::<u32>()
        {
            return Ok(Some(whole.into()));
        }
        Ok(text.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    /// A finite number, or a string that holds one; `None` for anything else.
    pub(crate) fn number_or_text(&mut self) -> Result<Option<f64>, JsonError> {
        if self.peek() != b'"' {
            return self.number();
        }
        let text = self.string()?;
        Ok(text.and_then(|text| text.trim().parse().ok()).filter(|number: &f64| number.is_finite()))
    }

    /// `true` only for `true`.
    pub(crate) fn is_true(&mut self) -> Result<bool, JsonError> {
        Ok(self.raw()? == "true")
    }

    /// The text of the value, whatever it is.
    pub(crate) fn raw(&mut self) -> Result<&'a str, JsonError> {
        self.space();
        let start = self.at;
        self.skip()?;
        Ok(&self.text[start..self.at])
    }

    /// The first byte of the value: `{`, `[`, `"`, `n`, … ; 0 at the end of the text.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        if self.byte() <= b' ' {
            self.space();
        }
        self.byte()
    }

    /// Passes over the value.
    pub(crate) fn skip(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            b'"' => self.quoted().map(drop),
            b'{' => self.object(|json, _| json.skip()).map(drop),
            b'[' => self.array(Json::skip).map(drop),
            b'n' => self.literal("null"),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'-' | b'0'..=b'9' => self.digits(),
            _ => Err(self.error(Wanted::Value)),
        }
    }

    #[inline]
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while matches!(self.byte(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    #[cold]
    fn error(&self, wanted: Wanted) -> JsonError {
        JsonError::at(self.at, wanted)
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(Wanted::LessNesting));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.at += 1;
    }

    fn literal(&mut self, literal: &'static str) -> Result<(), JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            return Err(self.error(Wanted::Value));
        }
        self.at += literal.len();
        Ok(())
    }

    /// The inside of a string, and whether it has escapes. Stands at the opening quote.
    #[expect(clippy::inline_always, reason = "measured: an eighth less time an event")]
    #[inline(always)]
    fn quoted(&mut self) -> Result<(&'a str, bool), JsonError> {
        let start = self.at + 1;
        self.at = plain_until(self.text.as_bytes(), start);
        if self.byte() == b'"' {
            self.at += 1;
            return Ok((&self.text[start..self.at - 1], false));
        }
        self.quoted_with_escapes(start)
    }

    #[cold]
    fn quoted_with_escapes(&mut self, start: usize) -> Result<(&'a str, bool), JsonError> {
        while self.byte() == b'\\' {
            self.escape()?;
            self.at = plain_until(self.text.as_bytes(), self.at);
        }
        if self.byte() != b'"' {
            return Err(self.error(Wanted::Quote));
        }
        self.at += 1;
        Ok((&self.text[start..self.at - 1], true))
    }

    /// Passes over one escape, standing at its backslash.
    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = &self.text.as_bytes()[self.at + 1..];
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.len() > 4 && rest[1..5].iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return Err(self.error(Wanted::Escape)),
        };
        self.at += length;
        Ok(())
    }

    /// Passes over a number, standing at its first byte.
    fn digits(&mut self) -> Result<(), JsonError> {
        if self.byte() == b'-' {
            self.at += 1;
        }
        match self.byte() {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.run_of_digits()?,
            _ => return Err(self.error(Wanted::Digit)),
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.run_of_digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.run_of_digits()?;
        }
        Ok(())
    }

    fn run_of_digits(&mut self) -> Result<(), JsonError> {
        if !self.byte().is_ascii_digit() {
            return Err(self.error(Wanted::Digit));
        }
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }
}

/// Index from `at` on of the first quote, backslash or control character, or the end. Eight bytes
/// at a time: in each of the three masks a byte after a true hit may light up wrongly, but none
/// before it, so the lowest bit of all three is right.
#[inline(always)]
pub(crate) fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zeroes = |word: u64| word.wrapping_sub(ONES) & !word;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = zeroes(word ^ (ONES * u64::from(b'"')));
        let backslash = zeroes(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let hits = (quote | backslash | control) & HIGH;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// The text that `raw`, whose escapes have been checked, stands for.
fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, length) = match escape.as_bytes()[0] {
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b't' => ('\t', 1),
            b'u' => code_point(escape),
            other => (char::from(other), 1),
        };
        text.push(character);
        rest = &escape[length..];
    }
    text.push_str(rest);
    text
}

/// The character of `uXXXX`, or of `uXXXX\uXXXX` where that is a surrogate pair, and its length.
fn code_point(escape: &str) -> (char, usize) {
    let unit = |from: usize| escape.get(from..from + 4).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let first = unit(1).unwrap_or(0xFFFD);
    if let Some(character) = char::from_u32(first) {
        return (character, 5);
    }
    let second = escape.get(5..7).filter(|s| *s == "\\u").and_then(|_| unit(7));
    match (first, second) {
        (0xD800..0xDC00, Some(low @ 0xDC00..0xE000)) => {
            (char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00)).unwrap_or('\u{FFFD}'), 11)
        }
        _ => ('\u{FFFD}', 5),
    }
}

#[cfg(test)]
mod tests;
