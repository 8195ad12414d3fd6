//! Lists that may be written shorter: `a,b` on the command line and in YAML alike, or one item alone.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a sequence, or one text that holds its items divided by commas.
pub(crate) fn comma_or_sequence<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + FromStr<Err: fmt::Display>,
{
    deserializer.deserialize_any(CommaOrSequence(PhantomData)).map(Some)
}

/// Reads a sequence, or one item that stands alone.
pub(crate) fn one_or_sequence<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_any(OneOrSequence(PhantomData)).map(Some)
}

/// The JSON Schema of what [`one_or_sequence`] reads.
pub(crate) fn one_or_sequence_schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let item = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [{ "type": "array", "items": &item }, &item] })
}

/// The JSON Schema of what [`comma_or_sequence`] reads.
pub(crate) fn comma_or_sequence_schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    let item = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [{ "type": "array", "items": item }, { "type": "string" }] })
}

struct CommaOrSequence<T>(PhantomData<T>);

impl<'de, T> Visitor<'de> for CommaOrSequence<T>
where
    T: Deserialize<'de> + FromStr<Err: fmt::Display>,
{
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        text.split(',').map(|item| item.trim().parse().map_err(E::custom)).collect()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Vec<T>, A::Error> {
        collect(sequence)
    }
}

struct OneOrSequence<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrSequence<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or one item of it")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<T>, E> {
        let deserializer: StrDeserializer<'_, E> = text.into_deserializer();
        Ok(vec![T::deserialize(deserializer)?])
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        Ok(vec![T::deserialize(MapAccessDeserializer::new(map))?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Vec<T>, A::Error> {
        collect(sequence)
    }
}

fn collect<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(mut sequence: A) -> Result<Vec<T>, A::Error> {
    let mut items = Vec::new();
    while let Some(item) = sequence.next_element()? {
        items.push(item);
    }
    Ok(items)
}
