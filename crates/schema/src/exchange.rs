//! One request and its answer as they went over the wire, for people who look closely. Nothing in here is a secret: who
//! fills it in has taken them out.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::Stamp;
use crate::record::Record;
use crate::target::Target;
use crate::text::Untrusted;
use crate::units::Moment;

/// Version of the format of [`Exchanges`]. Readers take this and older ones.
pub const EXCHANGE_FORMAT: u32 = 1;

/// A file of exchanges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchanges {
    /// [`EXCHANGE_FORMAT`] of the program that wrote it.
    pub format_version: u32,
    /// Version of that program.
    pub program_version: String,
    /// One with each target.
    pub exchanges: Vec<Exchange>,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// When it began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// With whom.
    pub target: Target,
    /// What was sent.
    pub request: Sent,
    /// The head of what came back, if anything did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Received>,
    /// The reads that brought its body, in order.
    pub reads: Vec<BodyRead>,
    /// The body, cut where its events end: one part for each event of the record, in their order. Fewer where the body
    /// was too large to be kept.
    pub parts: Vec<Part>,
    /// The body after its last event; all of it where it has no events.
    pub rest: Octets,
    /// Bytes of the body, from its end, that were not kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out_bytes: u64,
    /// What is kept of any request: the instants, the counts, the outcome.
    pub record: Record,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A request as it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The path with its query; over HTTP/2 the whole URL.
    pub target: String,
    /// The headers in their order.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Octets,
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// HTTP status.
    pub status: u16,
    /// The words beside it; HTTP/2 has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
    /// The headers in their order.
    pub headers: Vec<Header>,
}

/// One header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// Its name.
    pub name: Untrusted,
    /// Its value; absent: it is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Octets>,
}

/// A socket read that brought a piece of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BodyRead {
    /// When its last byte arrived, by `stamp`'s clock.
    pub arrival_ns: Moment,
    /// User-space read − kernel arrival, nanoseconds; zero where user space took the stamp.
    pub lag_ns: u32,
    /// Where `arrival_ns` came from.
    pub stamp: Stamp,
    /// Bytes of the body that it brought.
    pub bytes: u32,
}

/// What brought one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The bytes of the body from the end of the event before to the end of this one, comments included.
    pub raw: Octets,
    /// Generated text in it; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Untrusted>,
}

/// Bytes of which most is text. On disk: the text; where it is not UTF-8 `{"hex": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Written", into = "Written")]
pub struct Octets(Vec<u8>);

/// How [`Octets`] are written down.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes { hex: String },
}

impl Octets {
    /// The bytes as they came.
    pub fn raw(&self) -> &[u8] {
        &self.0
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are text.
    pub fn is_text(&self) -> bool {
        std::str::from_utf8(&self.0).is_ok()
    }

    /// As text, with `\xNN` for each byte that belongs to no character.
    #[must_use]
    pub fn shown(&self) -> Untrusted {
        let mut text = String::with_capacity(self.0.len());
        for chunk in self.0.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        }
        Untrusted::bounded(text, usize::MAX)
    }
}

impl From<Vec<u8>> for Octets {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for Octets {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<&str> for Octets {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<Octets> for Written {
    fn from(octets: Octets) -> Self {
        String::from_utf8(octets.0).map_or_else(|error| Self::Bytes { hex: hex(error.as_bytes()) }, Self::Text)
    }
}

impl From<Written> for Octets {
    /// What is no hex ends where it ends to be.
    fn from(written: Written) -> Self {
        match written {
            Written::Text(text) => Self(text.into_bytes()),
            Written::Bytes { hex } => Self(hex.as_bytes().chunks(2).map_while(byte).collect()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(digit.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn byte(digits: &[u8]) -> Option<u8> {
    let is_byte = digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit);
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().filter(|_| is_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], written: &str, shown: &str) {
        let octets = Octets::from(bytes);
        let json = serde_json::to_string(&octets).unwrap();
        assert_eq!(json, written);
        assert_eq!(serde_json::from_str::<Octets>(&json).unwrap(), octets);
        assert_eq!(octets.shown().raw(), shown);
    }

    #[test]
    fn bytes_are_written_as_the_text_they_are_or_else_in_hex() {
        check(b"data: \xc3\xa4\n", r#""data: ä\n""#, "data: ä\n");
        check(b"", r#""""#, "");
        check(b"a\xff\xc3b", r#"{"hex":"61ffc362"}"#, "a\\xff\\xc3b");
    }

    #[test]
    fn hex_that_is_none_is_no_reason_to_panic() {
        for (hex, expected) in [("61f", vec![0x61]), ("zz", vec![]), ("61éé", vec![0x61]), ("+1", vec![])] {
            let octets: Octets = serde_json::from_value(serde_json::json!({ "hex": hex })).unwrap();
            assert_eq!(octets.raw(), expected, "{hex}");
        }
    }
}
