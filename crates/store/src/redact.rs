//! The last guard before the disk, and before people: known secrets become `***`, whatever brought them here.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::memmem::Finder;
use schema::record::Record;
use schema::target::Target;
use schema::text::Untrusted;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{StoreError, quick};

/// What stands where a secret was.
const MASK: &str = "***";

/// Shorter values are placeholders (`EMPTY`, `ollama`), which stand in ordinary text by chance.
pub(crate) const SHORTEST_SECRET: usize = 8;

/// Finds secrets in text on its way to the disk or to people, as they are, escaped for JSON or
/// escaped for a URL.
pub struct Redactor {
    /// Longest first, so that a secret that contains another goes as a whole.
    needles: Vec<Finder<'static>>,
}

/// How JSON is laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Layout {
    /// All on one line, with a line feed at its end.
    Line,
    /// Indented, with a line feed at its end.
    Pretty,
}

impl Redactor {
    /// A guard for `secrets`. A value below eight bytes, or one that is part of a target's or provider's
    /// name, is a placeholder (LM Studio takes `lm-studio`), not a secret, and is left alone.
    pub fn new(secrets: &[SecretString], targets: &[Target]) -> Self {
        let is_name =
            |secret: &str| targets.iter().any(|t| t.name.as_str().contains(secret) || t.provider.contains(secret));
        let mut forms: Vec<String> = secrets
            .iter()
            .map(|s| s.expose_secret().trim())
            .filter(|s| s.len() >= SHORTEST_SECRET && !is_name(s))
            .flat_map(forms)
            .collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { needles: forms.iter().map(|form| Finder::new(form).into_owned()).collect() }
    }

    /// Whether any secret stands in `bytes`.
    pub(crate) fn finds(&self, bytes: &[u8]) -> bool {
        self.needles.iter().any(|needle| needle.find(bytes).is_some())
    }

    /// `bytes` without secrets.
    pub fn bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut clean = Cow::Borrowed(bytes);
        for needle in &self.needles {
            if needle.find(&clean).is_some() {
                clean = Cow::Owned(without(needle, &clean));
            }
        }
        clean
    }

    /// `text` with `***` in the place of each secret.
    pub fn text(&self, text: &str) -> String {
        // Needles and mask are UTF-8, so what is left between them is too.
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// `value` as JSON without secrets. Only the text in it is touched, never a number or a key, and
    /// what comes out reads back as a `T`.
    pub(crate) fn json<T>(&self, what: &'static str, value: &T, layout: Layout) -> Result<Vec<u8>, StoreError>
    where
        T: Serialize + DeserializeOwned,
    {
        let fail = |source| StoreError::Json { what, source };
        let plain = layout.encode(value).map_err(fail)?;
        if self.finds(&plain) { layout.encode(&self.value(what, value)?).map_err(fail) } else { Ok(plain) }
    }

    /// `value` without secrets in its text.
    ///
    /// # Errors
    /// It is no JSON, or one of the secrets is a word of the format.
    pub fn value<T>(&self, what: &'static str, value: &T) -> Result<T, StoreError>
    where
        T: Serialize + DeserializeOwned,
    {
        let mut tree = serde_json::to_value(value).map_err(|source| StoreError::Json { what, source })?;
        self.clean(&mut tree);
        T::deserialize(&tree).map_err(|_| StoreError::SecretIsWord)
    }

    /// A record as a line of JSON without secrets, also where a kept answer spells one across events.
    pub(crate) fn record(&self, record: &Record) -> Result<Vec<u8>, StoreError> {
        let masked = record.output.as_ref().and_then(|pieces| self.across(pieces));
        match masked {
            None => self.json("a record", record, Layout::Line),
            Some(output) => self.json("a record", &Record { output: Some(output), ..record.clone() }, Layout::Line),
        }
    }

    /// The pieces of a text with those masked that share a secret; `None` when there is none.
    pub fn across(&self, pieces: &[Untrusted]) -> Option<Vec<Untrusted>> {
        if self.needles.is_empty() {
            return None;
        }
        let whole: String = pieces.iter().map(Untrusted::raw).collect();
        let found: Vec<Range<usize>> = self
            .needles
            .iter()
            .flat_map(|needle| needle.find_iter(whole.as_bytes()).map(|at| at..at + needle.needle().len()))
            .collect();
        let mut end = 0;
        (!found.is_empty()).then(|| {
            pieces
                .iter()
                .map(|piece| {
                    let start = end;
                    end += piece.raw().len();
                    let shares = found.iter().any(|secret| secret.start < end && start < secret.end);
                    if shares { Untrusted::from(MASK) } else { piece.clone() }
                })
                .collect()
        })
    }

    fn clean(&self, tree: &mut Value) {
        match tree {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.clean(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} forms)", self.needles.len())
    }
}

/// The record of a short answer fits, so that its line does not grow piece by piece.
const USUAL_LINE_BYTES: usize = 1 << 10;

impl Layout {
    pub(crate) fn encode(self, value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
        let mut json = Vec::with_capacity(USUAL_LINE_BYTES);
        match self {
            Self::Line if quick::encode(&mut json, value).is_ok() => {}
            Self::Line => {
                json.clear();
                serde_json::to_writer(&mut json, value)?;
            }
            Self::Pretty => serde_json::to_writer_pretty(&mut json, value)?,
        }
        json.push(b'\n');
        Ok(json)
    }
}

/// The ways one secret may be spelled in a file: as it is, in JSON (which may itself be quoted in
/// JSON: a server's error within a record), in a URL.
fn forms(secret: &str) -> Vec<String> {
    let escaped = |text: &String| {
        let quoted = Value::from(text.as_str()).to_string();
        Some(quoted[1..quoted.len() - 1].to_owned())
    };
    std::iter::successors(Some(secret.to_owned()), escaped).take(4).chain([percent_encoded(secret)]).collect()
}

/// As in a URL's query: all but unreserved characters as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

fn without(needle: &Finder<'_>, bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = 0;
    for at in needle.find_iter(bytes) {
        clean.extend_from_slice(&bytes[rest..at]);
        clean.extend_from_slice(MASK.as_bytes());
        rest = at + needle.needle().len();
    }
    clean.extend_from_slice(&bytes[rest..]);
    clean
}
