//! One file of settings, read key by key so that everything wrong with it is told at once, each with its
//! place.

use std::fmt;
use std::sync::Arc;

use garde::Validate;
use miette::{NamedSource, SourceOffset, SourceSpan};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Error, Location, Spanned};

use super::nearest::nearest;
use super::problem::{Problem, Problems, Source};
use super::settings::Settings;

/// One setting of a file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its line, from 1.
    pub(crate) line: u64,
    /// Settings that hold this one alone.
    pub(crate) settings: Settings,
}

/// Reads the settings in `text`, which is called `name` in messages.
///
/// # Errors
/// Every wrong key and value, each with its place.
pub(crate) fn read(name: &str, text: &str) -> Result<Vec<Entry>, Problems> {
    let source: Source = Arc::new(NamedSource::new(name, text.to_owned()).with_language("YAML"));
    let outline: Option<Outline> = serde_saphyr::from_str(text).map_err(|error| complaint(&error, &source))?;
    let known = Settings::keys();
    let mut problems = Problems::default();
    let mut entries = Vec::new();
    for (key, value) in outline.unwrap_or_default().0 {
        if known.contains(&key.value) {
            match entry(text, &key, value.referenced, &source) {
                Ok(entry) => entries.push(entry),
                Err(problem) => problems.0.push(problem),
            }
        } else {
            problems.0.push(unknown_key(&key, &known, &source));
        }
    }
    problems.or(entries)
}

/// Reads all of `text`, which is called `name` in messages, as a `T`.
///
/// # Errors
/// The first thing that is wrong with it, with its place.
pub(crate) fn read_whole<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, Problem> {
    let source: Source = Arc::new(NamedSource::new(name, text.to_owned()).with_language("YAML"));
    serde_saphyr::from_str(text).map_err(|error| complaint(&error, &source))
}

/// The value of one key, read as what it has to be and held against its bounds.
fn entry(text: &str, key: &Spanned<String>, at: Location, source: &Source) -> Result<Entry, Problem> {
    let only = OnlyKey(&key.value);
    let settings = serde_saphyr::with_deserializer_from_str(text, |document| only.deserialize(document))
        .map_err(|error| complaint(&error, source))?;
    check_bounds(&settings).map_err(|beyond| {
        let OutOfBounds { why, help } = beyond;
        problem_at(format!("`{}`: {why}", key.value), at, source).help(help)
    })?;
    Ok(Entry { line: key.referenced.line(), settings })
}

/// A value that its setting does not take.
#[derive(Debug)]
pub(crate) struct OutOfBounds {
    /// `lower than 1`.
    pub(crate) why: String,
    /// `use 1 or more`.
    pub(crate) help: String,
}

/// Holds a setting that stands alone against its bounds.
///
/// # Errors
/// How it is out of them.
pub(crate) fn check_bounds(setting: &Settings) -> Result<(), OutOfBounds> {
    setting.validate().map_err(|report| {
        let complaints: Vec<String> = report.iter().map(|(_, error)| error.to_string()).collect();
        let help: Vec<String> = complaints.iter().map(|complaint| within(complaint)).collect();
        OutOfBounds { why: complaints.join(", "), help: help.join(", ") }
    })
}

/// What would be within the bounds that `complaint` is about.
fn within(complaint: &str) -> String {
    let (what, bound) = match complaint.strip_prefix("length is ") {
        Some(bound) => ("a length of ", bound),
        None => ("", complaint),
    };
    match (bound.strip_prefix("lower than "), bound.strip_prefix("greater than ")) {
        (Some(least), _) => format!("use {what}{least} or more"),
        (_, Some(most)) => format!("use {what}{most} at most"),
        (None, None) => "`speed-kings config schema` lists all bounds".to_owned(),
    }
}

fn unknown_key(key: &Spanned<String>, known: &[String], source: &Source) -> Problem {
    let problem = problem_at(format!("`{}` is not a setting", key.value), key.referenced, source);
    match nearest(&key.value, known.iter().map(String::as_str)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("`speed-kings config schema` lists all settings"),
    }
}

fn problem_at(message: String, at: Location, source: &Source) -> Problem {
    match span_of(at, source.inner()) {
        Some(span) => Problem::new(message).at(source, span),
        None => Problem::new(format!("{message}, in `{}`", source.name())),
    }
}

/// The bytes a parser points at; a single one where it knows line and column only.
fn span_of(at: Location, text: &str) -> Option<SourceSpan> {
    let known = at.span().byte_offset().zip(at.span().byte_len());
    if let Some((start, length)) = known {
        return Some((usize::try_from(start).ok()?, usize::try_from(length).ok()?).into());
    }
    let (line, column) = (usize::try_from(at.line()).ok()?, usize::try_from(at.column()).ok()?);
    Some((SourceOffset::from_location(text, line, column), 1).into())
}

/// The text a parser points at.
fn pointed_at(at: Option<Location>, source: &Source) -> &str {
    let span = at.and_then(|at| span_of(at, source.inner()));
    span.and_then(|span| source.inner().get(span.offset()..span.offset() + span.len())).unwrap_or_default()
}

/// A parser's complaint in our words.
fn complaint(error: &Error, source: &Source) -> Problem {
    let error = error.without_snippet();
    let at = error.location();
    let written = pointed_at(at, source);
    let (message, help) = match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("`{field}` is not a known key here"), Some(right_name(field, expected)))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("`{variant}` is not one of the choices"), Some(right_name(variant, expected)))
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("{unexpected} where {expected} is expected"), None)
        }
        Error::InvalidScalar { ty, .. } => (format!("`{written}` is not {}", kind_in_words(ty)), None),
        Error::InvalidBooleanStrict { .. } => (format!("`{written}` is not {}", kind_in_words("bool")), None),
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or(written);
            (format!("`{key}` is set twice"), Some("keep one of them".to_owned()))
        }
        Error::Unexpected { expected: "mapping start", .. } => {
            ("settings are written `key: value`, one a line".to_owned(), None)
        }
        Error::Message { msg, .. } => match msg.split_once("; ") {
            Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
            None => (msg.clone(), None),
        },
        other => (without_place(&other.to_string()), None),
    };
    let problem = match at {
        Some(at) => problem_at(message, at, source),
        None => Problem::new(format!("{message}, in `{}`", source.name())),
    };
    match help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

fn right_name(wrong: &str, right: &[&str]) -> String {
    match nearest(wrong, right.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of {}", right.join(", ")),
    }
}

/// What a Rust type is to someone who writes YAML.
fn kind_in_words(ty: &str) -> String {
    match ty {
        "u64" | "u32" => "a whole number, 0 or more".to_owned(),
        "f64" => "a number".to_owned(),
        "bool" | "boolean" => "`true` or `false`".to_owned(),
        other => format!("a value of type `{other}`"),
    }
}

/// The message without its ` at line 1, column 4`: the place is drawn.
fn without_place(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// The keys of a document with their places, and the places of their values.
#[derive(Default)]
struct Outline(Vec<(Spanned<String>, Spanned<IgnoredAny>)>);

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings, one `key: value` a line")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Outline(entries))
    }
}

/// Reads one key of a document as [`Settings`] and passes over the others.
struct OnlyKey<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for OnlyKey<'_> {
    type Value = Settings;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Settings, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OnlyKey<'_> {
    type Value = Settings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings, one `key: value` a line")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Settings, A::Error> {
        Settings::deserialize(MapAccessDeserializer::new(Filtered { map, key: self.0 }))
    }
}

/// A mapping that shows one of its keys only.
struct Filtered<'k, A> {
    map: A,
    key: &'k str,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Filtered<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            if key == self.key {
                let key: StrDeserializer<'_, A::Error> = self.key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            self.map.next_value::<IgnoredAny>()?;
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}
