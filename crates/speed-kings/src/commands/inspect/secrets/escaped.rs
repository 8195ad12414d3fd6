//! Secrets that stand in JSON with escapes that nobody needs: `\u0073k-…` is a key, too.

use store::Redactor;

use super::MASK;

/// JSON within JSON within JSON: what is escaped oftener is not looked for.
const MOST_TIMES: usize = 4;

/// `bytes` with [`MASK`] in the place of each string that holds a secret once its escapes are taken back; `None` where
/// none does.
pub(super) fn without(bytes: &[u8], redactor: &Redactor) -> Option<Vec<u8>> {
    if !holds(bytes, redactor) {
        return None;
    }
    let masked: Vec<u8> =
        pieces(bytes).flat_map(|piece| if holds(piece, redactor) { MASK.as_bytes() } else { piece }).copied().collect();
    // It was in no string: who knows where it ends.
    Some(if holds(&masked, redactor) { MASK.into() } else { masked })
}

fn holds(bytes: &[u8], redactor: &Redactor) -> bool {
    let once = |bytes: &Vec<u8>| bytes.contains(&b'\\').then(|| taken_back(bytes));
    let times = std::iter::successors(Some(bytes.to_vec()), once).take(MOST_TIMES + 1).skip(1);
    times.into_iter().any(|text| *redactor.bytes(&text) != *text)
}

/// What stands between quotes that are not escaped, and the quotes.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let end = match rest {
            [] => return None,
            [b'"', ..] => 1,
            _ => end_of_string(rest),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn end_of_string(bytes: &[u8]) -> usize {
    let mut is_escaped = false;
    let ends = |byte: &u8| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    };
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// With each escape of JSON as the character that it stands for.
fn taken_back(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let (&b'\\', Some((&kind, behind))) = (&first, after.split_first()) else {
            plain.push(first);
            continue;
        };
        match (kind, unit(behind)) {
            (b'u', Some(unit)) => {
                rest = &behind[4..];
                let low = rest.strip_prefix(b"\\u").and_then(self::unit).filter(|_| (0xd800..0xdc00).contains(&unit));
                let units = [Some(unit), low];
                rest = if low.is_some() { &rest[6..] } else { rest };
                let text: String = char::decode_utf16(units.into_iter().flatten()).flatten().collect();
                plain.extend_from_slice(text.as_bytes());
            }
            (b'"' | b'\\' | b'/', _) => {
                plain.push(kind);
                rest = behind;
            }
            // No key has line breaks or tabs in it.
            _ => plain.push(first),
        }
    }
    plain
}

/// Four digits of a number in hex.
fn unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..4).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-live/4f9a/ü1";

    #[track_caller]
    fn check(body: &str, expected: Option<&str>) {
        let redactor = Redactor::new(&[KEY.to_owned().into()], &[]);
        let masked = without(body.as_bytes(), &redactor).map(|masked| String::from_utf8(masked).unwrap());
        assert_eq!(masked.as_deref(), expected, "{body}");
    }

    /// Each character of `text` as an escape.
    fn spelled(text: &str) -> String {
        text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_key_is_found_whatever_of_it_is_escaped() {
        let told = |key: &str| format!(r#"{{"error":{{"message":"no such key","key":"{key}"}}}}"#);
        let masked = told("***");
        for key in [r"\u0073k-live/4f9a/ü1", r"sk-live\/4f9a\/\u00fc1", &spelled(KEY)] {
            check(&told(key), Some(&masked));
        }
        let quoted = told(&spelled(KEY)).replace('\\', r"\\").replace('"', r#"\""#);
        check(&format!(r#"{{"detail":"{quoted}"}}"#), Some(r#"{"detail":"***"}"#));
        check(&format!("no JSON: {}", spelled(KEY)), Some("***"));
    }

    #[test]
    fn what_is_no_key_stays_as_it_came() {
        for body in
            [r#"{"a":"\u0073k-other\/key","b":"\ud83d\ude00\n\u12"}"#, "plain", r"\", r"\u", r#"{"a":"\"#, "\"\"\""]
        {
            check(body, None);
        }
        assert_eq!(taken_back(br"\ud83d\ude00 \ud83d \u0041\q"), "😀  A\\q".as_bytes());
    }
}
