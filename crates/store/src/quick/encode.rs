//! Writing.

use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeStruct, SerializeStructVariant, Serializer};

use super::Unusual;

/// Adds `value` to `line`, or a part of it when it is unusual.
pub(crate) fn encode(line: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Unusual> {
    value.serialize(Encoder { line })
}

/// Writes one value.
struct Encoder<'a> {
    line: &'a mut Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// The name of a field, between `before` and its value.
    #[expect(clippy::inline_always, reason = "the length of a key is known where it is inlined, and no call copies it")]
    #[inline(always)]
    fn key(&mut self, before: u8, key: &'static str) {
        debug_assert!(is_plain(key), "`{key}` is the name of a field or variant");
        self.line.extend_from_slice(&[before, b'"']);
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
    }

    const fn parts(self, open: u8, close: &'static str) -> Parts<'a> {
        Parts { line: self.line, open: Some(open), close }
    }
}

/// Whether nothing in `text` is to be escaped.
fn is_plain(text: &str) -> bool {
    // It does not stop at the first hit, so that many bytes are looked at together.
    text.bytes().fold(0, |hits, byte| hits | u8::from(matches!(byte, 0..b' ' | b'"' | b'\\'))) == 0
}

/// Writes the parts of one value.
struct Parts<'a> {
    line: &'a mut Vec<u8>,
    /// What comes before the first part.
    open: Option<u8>,
    /// What comes after the last.
    close: &'static str,
}

impl Parts<'_> {
    /// What comes before the next part.
    fn separator(&mut self) -> u8 {
        self.open.take().unwrap_or(b',')
    }

    #[expect(clippy::inline_always, reason = "the length of a key is known where it is inlined, and no call copies it")]
    #[inline(always)]
    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unusual> {
        let separator = self.separator();
        let mut encoder = Encoder { line: self.line };
        encoder.key(separator, key);
        value.serialize(encoder)
    }

    fn close(self) {
        self.line.extend(self.open);
        self.line.extend_from_slice(self.close.as_bytes());
    }
}

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {$(
        fn $name(self, value: $type) -> Result<(), Unusual> {
            self.line.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            Ok(())
        }
    )*};
}

macro_rules! unusual {
    ($($name:ident($($type:ty),*) -> $result:ty),* $(,)?) => {$(
        fn $name(self, $(_: $type),*) -> Result<$result, Unusual> {
            Err(Unusual)
        }
    )*};
}

impl<'a> Serializer for Encoder<'a> {
    type Ok = ();
    type Error = Unusual;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Impossible<(), Unusual>;
    type SerializeTupleStruct = Impossible<(), Unusual>;
    type SerializeTupleVariant = Impossible<(), Unusual>;
    type SerializeMap = Impossible<(), Unusual>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    integers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    integers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);

    fn serialize_bool(self, value: bool) -> Result<(), Unusual> {
        self.line.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Unusual> {
        if !is_plain(text) {
            return serde_json::to_writer(self.line, text).map_err(|_| Unusual);
        }
        self.line.push(b'"');
        self.line.extend_from_slice(text.as_bytes());
        self.line.push(b'"');
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Unusual> {
        self.line.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unusual> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unusual> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unusual> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unusual> {
        let mut parts = self.parts(b'{', "}");
        parts.field(variant, value)?;
        parts.close();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Unusual> {
        Ok(self.parts(b'[', "]"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Unusual> {
        Ok(self.parts(b'{', "}"))
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Unusual> {
        self.key(b'{', variant);
        Ok(self.parts(b'{', "}}"))
    }

    unusual! {
        serialize_f32(f32) -> (),
        serialize_f64(f64) -> (),
        serialize_char(char) -> (),
        serialize_bytes(&[u8]) -> (),
        serialize_unit() -> (),
        serialize_unit_struct(&'static str) -> (),
        serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap,
    }
}

impl SerializeSeq for Parts<'_> {
    type Ok = ();
    type Error = Unusual;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unusual> {
        let separator = self.separator();
        self.line.push(separator);
        value.serialize(Encoder { line: self.line })
    }

    fn end(self) -> Result<(), Unusual> {
        self.close();
        Ok(())
    }
}

impl SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Unusual;

    #[expect(clippy::inline_always, reason = "the length of a key is known where it is inlined, and no call copies it")]
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unusual> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Unusual> {
        self.close();
        Ok(())
    }
}

impl SerializeStructVariant for Parts<'_> {
    type Ok = ();
    type Error = Unusual;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unusual> {
        self.field(key, value)
    }

    fn end(self) -> Result<(), Unusual> {
        self.close();
        Ok(())
    }
}
