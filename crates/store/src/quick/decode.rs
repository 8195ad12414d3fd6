//! Reading.

use std::mem;

use memchr::memchr;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::Unusual;

/// The value that `line` holds.
pub(crate) fn decode<'de, T: Deserialize<'de>>(line: &'de [u8]) -> Result<T, Unusual> {
    let text = simdutf8::basic::from_utf8(line).map_err(|_| Unusual)?;
    // Without these a text ends at the next quote, and is as it stands.
    if line.iter().fold(0, |hits, byte| hits | u8::from(matches!(byte, 0..b' ' | b'\\'))) != 0 {
        return Err(Unusual);
    }
    let mut decoder = Decoder { text, at: 0 };
    let value = T::deserialize(&mut decoder)?;
    if decoder.at == text.len() { Ok(value) } else { Err(Unusual) }
}

/// Reads one value after the other.
struct Decoder<'de> {
    text: &'de str,
    /// Where the next value begins.
    at: usize,
}

impl<'de> Decoder<'de> {
    /// What is left, in bytes.
    fn rest(&self) -> &'de [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn next_is(&self, byte: u8) -> bool {
        self.text.as_bytes().get(self.at) == Some(&byte)
    }

    /// Passes over `byte`.
    fn take(&mut self, byte: u8) -> Result<(), Unusual> {
        if !self.next_is(byte) {
            return Err(Unusual);
        }
        self.at += 1;
        Ok(())
    }

    /// A whole number of at most 19 digits: any of those fits.
    fn number(&mut self) -> Result<u64, Unusual> {
        let rest = self.rest();
        let (mut len, mut number) = (0, 0_u64);
        for byte in rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            number = number.wrapping_mul(10).wrapping_add(digit.into());
            len += 1;
        }
        let padded = len > 1 && rest[0] == b'0';
        if !(1..=19).contains(&len) || padded {
            return Err(Unusual);
        }
        self.at += len;
        Ok(number)
    }

    /// A text in which nothing is escaped.
    fn string(&mut self) -> Result<&'de str, Unusual> {
        self.take(b'"')?;
        let rest = self.rest();
        let len = memchr(b'"', rest).ok_or(Unusual)?;
        let text = &self.text[self.at..self.at + len];
        self.at += len;
        self.take(b'"')?;
        Ok(text)
    }
}

macro_rules! numbers {
    ($($name:ident),*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
            visitor.visit_u64(self.number()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = Unusual;

    numbers!(deserialize_u8, deserialize_u16, deserialize_u32, deserialize_u64);

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unusual> {
        Err(Unusual)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        let (word, value) = if self.next_is(b't') { ("true", true) } else { ("false", false) };
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(Unusual);
        }
        self.at += word.len();
        visitor.visit_bool(value)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        visitor.visit_borrowed_str(self.string()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        // What is not there is left out.
        if self.next_is(b'n') { Err(Unusual) } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unusual> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.take(b'[')?;
        let value = visitor.visit_seq(Parts { decoder: self, close: b']', is_first: true })?;
        self.take(b']')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.take(b'{')?;
        let value = visitor.visit_map(Parts { decoder: self, close: b'}', is_first: true })?;
        self.take(b'}')?;
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        if self.next_is(b'"') {
            return visitor.visit_enum(StrDeserializer::new(self.string()?));
        }
        self.take(b'{')?;
        let value = visitor.visit_enum(Variant(self))?;
        self.take(b'}')?;
        Ok(value)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct map ignored_any
    }
}

/// Reads the parts of a value.
struct Parts<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    /// What comes after the last.
    close: u8,
    is_first: bool,
}

impl Parts<'_, '_> {
    /// Whether another part comes.
    fn next(&mut self) -> Result<bool, Unusual> {
        if self.decoder.next_is(self.close) {
            return Ok(false);
        }
        if !mem::take(&mut self.is_first) {
            self.decoder.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Unusual;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unusual> {
        if self.next()? { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Unusual;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unusual> {
        if self.next()? { seed.deserialize(&mut *self.decoder).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unusual> {
        self.decoder.take(b':')?;
        seed.deserialize(&mut *self.decoder)
    }
}

/// Reads a variant with what it holds.
struct Variant<'a, 'de>(&'a mut Decoder<'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unusual;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unusual> {
        let variant = seed.deserialize(&mut *self.0)?;
        self.0.take(b':')?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unusual;

    fn unit_variant(self) -> Result<(), Unusual> {
        Err(Unusual)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unusual> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Unusual> {
        Err(Unusual)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Unusual> {
        self.0.deserialize_struct("", fields, visitor)
    }
}
