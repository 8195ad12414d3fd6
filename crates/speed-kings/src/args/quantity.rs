//! Quantities as people write them, kept as written so that they can be shown again.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schema::units::{Nanos, Rate, UnitError, Usd};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A quantity with its unit, and the words it was written in: `30s`, `5/s`, `2usd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quantity<T> {
    /// What it means.
    pub(crate) value: T,
    written: String,
}

/// What an editor may know of a kind of quantity.
pub(crate) trait Spelling: FromStr<Err = UnitError> {
    /// Name of the kind in the JSON Schema.
    const KIND: &str;
    /// Regular expression of right spellings.
    const PATTERN: &str;
    /// Some right spellings.
    const EXAMPLES: &[&str];
}

impl Spelling for Nanos {
    const KIND: &str = "time";
    const PATTERN: &str = r"^[0-9._]+ ?(ns|us|µs|ms|s|sec|m|min|h)$";
    const EXAMPLES: &[&str] = &["30s", "200ms", "5m"];
}

impl Spelling for Rate {
    const KIND: &str = "request rate";
    const PATTERN: &str = r"^[0-9._]+ ?/ ?(s|sec|m|min|h)$";
    const EXAMPLES: &[&str] = &["5/s", "90/min"];
}

impl Spelling for Usd {
    const KIND: &str = "amount of money";
    const PATTERN: &str = r"^(\$ ?[0-9.]+|[0-9.]+ ?(usd|USD|cents))$";
    const EXAMPLES: &[&str] = &["2usd", "$0.50", "20cents"];
}

impl<T: Spelling> FromStr for Quantity<T> {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let value = text.parse().map_err(QuantityError)?;
        Ok(Self { value, written: text.trim().to_owned() })
    }
}

impl<T> fmt::Display for Quantity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

/// A [`UnitError`] with its advice on the same line, for places that show one line only.
#[derive(Debug, thiserror::Error)]
#[error("{0}; write it like {example}", example = .0.example)]
pub(crate) struct QuantityError(UnitError);

impl<T> Serialize for Quantity<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de, T: Spelling> Deserialize<'de> for Quantity<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written(PhantomData))
    }
}

/// Reads the text of a [`Quantity`].
struct Written<T>(PhantomData<T>);

impl<T: Spelling> Visitor<'_> for Written<T> {
    type Value = Quantity<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} such as `{}`", T::KIND, T::EXAMPLES[0])
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Quantity<T>, E> {
        text.parse().map_err(E::custom)
    }
}

impl<T: Spelling> JsonSchema for Quantity<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::KIND.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": T::PATTERN, "examples": T::EXAMPLES })
    }
}
