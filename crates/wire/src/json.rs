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
///
/// Where the text is no JSON it ends: whatever is read from there on is nothing, and [`document`]
/// returns what was wrong. So readers need not look at every step, and cannot go on for ever.
pub(crate) struct Json<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
    error: Option<JsonError>,
}

/// Reads `text`, which must be one JSON value, with `read`.
pub(crate) fn document<'a, T>(text: &'a str, read: impl FnOnce(&mut Json<'a>) -> T) -> Result<T, JsonError> {
    let mut json = Json { text, at: 0, depth: 0, error: None };
    let value = read(&mut json);
    json.space();
    if json.at < text.len() {
        json.fail(Wanted::End);
    }
    json.error.map_or(Ok(value), Err)
}

impl<'a> Json<'a> {
    /// Walks an object, calling `field` at each of its values; `false` if it is something else.
    #[inline]
    pub(crate) fn object(&mut self, mut field: impl FnMut(&mut Self, &str)) -> bool {
        if !self.enter(b'{') {
            return false;
        }
        let mut more = !self.leave(b'}');
        let mut other_key;
        while more {
            let key = if let Some(key) = self.plain_key() {
                key
            } else {
                other_key = self.key();
                &other_key
            };
            field(self, key);
            more = self.more(b'}', Wanted::CommaOrBrace);
        }
        true
    }

    /// Walks an array, calling `element` at each of its values; `false` if it is something else.
    #[inline]
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self)) -> bool {
        if !self.enter(b'[') {
            return false;
        }
        let mut more = !self.leave(b']');
        while more {
            element(self);
            more = self.more(b']', Wanted::CommaOrBracket);
        }
        true
    }

    /// A string without its escapes, a lone surrogate replaced by U+FFFD; `None` for anything else.
    #[inline]
    pub(crate) fn string(&mut self) -> Option<Cow<'a, str>> {
        if self.peek() != b'"' {
            self.skip();
            return None;
        }
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let end = plain_until(bytes, start);
        if bytes.get(end) != Some(&b'"') {
            return self.string_with_escapes();
        }
        self.at = end + 1;
        Some(Cow::Borrowed(&self.text[start..end]))
    }

    #[cold]
    fn string_with_escapes(&mut self) -> Option<Cow<'a, str>> {
        let start = self.at + 1;
        self.pass_string();
        self.error.is_none().then(|| Cow::Owned(unescape(&self.text[start..self.at - 1])))
    }

    /// A finite number; `None` for anything else.
    pub(crate) fn number(&mut self) -> Option<f64> {
        if let Some(whole) = self.small_whole() {
            return Some(whole.into());
        }
        if !matches!(self.byte(), b'-' | b'0'..=b'9') {
            self.skip();
            return None;
        }
        self.raw().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A whole number of at most nine digits, as counts are; takes nothing if something else stands here.
    fn small_whole(&mut self) -> Option<u32> {
        self.peek();
        let here = self.text.as_bytes().get(self.at..)?;
        let (mut whole, mut length) = (0, 0);
        while let Some(digit @ b'0'..=b'9') = here.get(length).filter(|_| length < 9) {
            whole = whole * 10 + u32::from(digit - b'0');
            length += 1;
        }
        let more = matches!(here.get(length), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
        if length == 0 || more || length > 1 && here[0] == b'0' {
            return None;
        }
        self.at += length;
        Some(whole)
    }

    /// A finite number, or a string that holds one; `None` for anything else.
    pub(crate) fn number_or_text(&mut self) -> Option<f64> {
        if self.peek() != b'"' {
            return self.number();
        }
        self.string()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// `true` only for `true`.
    pub(crate) fn is_true(&mut self) -> bool {
        self.raw() == "true"
    }

    /// The text of the value, whatever it is.
    pub(crate) fn raw(&mut self) -> &'a str {
        self.space();
        let start = self.at;
        self.skip();
        &self.text[start..self.at]
    }

    /// The first byte of the value: `{`, `[`, `"`, `n`, … ; 0 at the end of the text.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        let byte = self.byte();
        if byte > b' ' { byte } else { self.after_space() }
    }

    /// The first byte of the value, where space comes before it.
    #[inline(never)]
    fn after_space(&mut self) -> u8 {
        self.space();
        self.byte()
    }

    /// Passes over the value.
    pub(crate) fn skip(&mut self) {
        // What is passed over is nothing, more often than not.
        if self.text.as_bytes().get(self.at..self.at + 4) == Some(b"null") {
            self.at += 4;
            return;
        }
        match self.peek() {
            b'n' => self.literal("null"),
            b'"' => self.pass_string(),
            b'-' | b'0'..=b'9' => self.digits(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            _ => self.skip_nested(),
        }
    }

    /// Apart, because what is passed over is mostly a leaf, which then needs no place on the stack.
    #[inline(never)]
    fn skip_nested(&mut self) {
        match self.byte() {
            b'{' => drop(self.object(|json, _| json.skip())),
            b'[' => drop(self.array(Json::skip)),
            _ => self.fail(Wanted::Value),
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

    /// Ends the text here, where it should have gone on with what was `wanted`.
    #[cold]
    fn fail(&mut self, wanted: Wanted) {
        self.error.get_or_insert(JsonError::at(self.at, wanted));
        self.at = self.text.len();
    }

    /// Steps into the object or array that begins with `bracket`; passes over anything else.
    #[inline]
    fn enter(&mut self, bracket: u8) -> bool {
        if self.peek() == bracket && self.depth < MAX_DEPTH {
            self.depth += 1;
            self.at += 1;
            return true;
        }
        self.skip_instead(bracket);
        false
    }

    /// Passes over the value where one that begins with `bracket` was wanted.
    fn skip_instead(&mut self, bracket: u8) {
        if self.byte() == bracket {
            self.fail(Wanted::LessNesting);
        } else {
            self.skip();
        }
    }

    /// Steps out of the object or array if it ends here with `bracket`.
    #[inline]
    fn leave(&mut self, bracket: u8) -> bool {
        let ends = self.peek() == bracket;
        if ends {
            self.depth -= 1;
            self.at += 1;
        }
        ends
    }

    /// An object's key and the colon after it, if they are written as nearly all are: without escapes and space.
    #[inline]
    fn plain_key(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        if self.byte() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = plain_until(bytes, start);
        if bytes.get(end..end + 2) != Some(b"\":") {
            return None;
        }
        self.at = end + 2;
        Some(&self.text[start..end])
    }

    /// An object's key and the colon after it, however they are written.
    #[inline(never)]
    fn key(&mut self) -> Cow<'a, str> {
        if self.peek() != b'"' {
            self.fail(Wanted::Key);
        }
        let key = self.string().unwrap_or_default();
        if self.peek() == b':' {
            self.at += 1;
        } else {
            self.fail(Wanted::Colon);
        }
        key
    }

    /// Whether, after a comma, another value follows in the object or array; steps out of it if not.
    #[inline]
    fn more(&mut self, bracket: u8, wanted: Wanted) -> bool {
        if self.peek() == b',' {
            self.at += 1;
            return true;
        }
        if !self.leave(bracket) {
            self.fail(wanted);
        }
        false
    }

    #[inline]
    fn literal(&mut self, literal: &'static str) {
        if self.text.as_bytes().get(self.at..self.at + literal.len()) == Some(literal.as_bytes()) {
            self.at += literal.len();
        } else {
            self.fail(Wanted::Value);
        }
    }

    /// Passes over a string, standing at its opening quote.
    #[inline]
    fn pass_string(&mut self) {
        self.at = plain_until(self.text.as_bytes(), self.at + 1);
        if self.byte() == b'"' {
            self.at += 1;
        } else {
            self.pass_escapes();
        }
    }

    /// Passes over the rest of a string from its first escape on.
    #[cold]
    fn pass_escapes(&mut self) {
        while self.byte() == b'\\' {
            self.escape();
            self.at = plain_until(self.text.as_bytes(), self.at);
        }
        if self.byte() == b'"' {
            self.at += 1;
        } else {
            self.fail(Wanted::Quote);
        }
    }

    /// Passes over one escape, standing at its backslash.
    fn escape(&mut self) {
        let rest = &self.text.as_bytes()[self.at + 1..];
        match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') if rest.len() > 4 && rest[1..5].iter().all(u8::is_ascii_hexdigit) => self.at += 6,
            _ => self.fail(Wanted::Escape),
        }
    }

    /// Passes over a number, standing at its first byte.
    #[inline(never)]
    fn digits(&mut self) {
        if self.byte() == b'-' {
            self.at += 1;
        }
        if self.byte() == b'0' {
            self.at += 1;
        } else {
            self.run_of_digits();
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.run_of_digits();
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.run_of_digits();
        }
    }

    fn run_of_digits(&mut self) {
        if !self.byte().is_ascii_digit() {
            return self.fail(Wanted::Digit);
        }
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
    }
}

/// Index from `at` on of the first quote, backslash or control character, or the end.
#[expect(clippy::inline_always, reason = "measured: a fiftieth less work an answer")]
#[inline(always)]
pub(crate) fn plain_until(bytes: &[u8], at: usize) -> usize {
    let Some(mut rest) = bytes.get(at..) else { return bytes.len() };
    while let Some((chunk, after)) = rest.split_first_chunk() {
        let hits = not_plain(u64::from_le_bytes(*chunk));
        if hits != 0 {
            return bytes.len() - rest.len() + (hits.trailing_zeros() / 8) as usize;
        }
        rest = after;
    }
    let plain = rest.iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count();
    bytes.len() - rest.len() + plain
}

/// The high bit of each byte that is a quote, a backslash or a control character. A byte after such a one may light up
/// wrongly, but none before it: the lowest bit is right. With its bit 1 flipped a quote is 0x20, just above the control
/// characters, which stay among themselves: one subtraction finds both.
#[inline]
fn not_plain(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let quote_or_control = below(word ^ (ONES * 0x02), 0x21);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    (quote_or_control | backslash) & (ONES * 0x80)
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
