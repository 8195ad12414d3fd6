//! JSON written straight into bytes.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::json::plain_until;

/// One object being written.
pub(super) struct Fields<'a> {
    out: &'a mut Vec<u8>,
    /// What is added: it takes the place of fields of the same name, except that objects join.
    extra: Option<&'a Map<String, Value>>,
    /// Names of `extra` that have joined an object of ours.
    joined: Vec<&'static str>,
    begun: bool,
}

impl Fields<'_> {
    /// Writes one object: what `write` puts into it, and then what remains of `extra`.
    pub(super) fn write(out: &mut Vec<u8>, extra: Option<&Map<String, Value>>, write: impl FnOnce(&mut Fields<'_>)) {
        out.push(b'{');
        let mut fields = Fields { out, extra, joined: Vec::new(), begun: false };
        write(&mut fields);
        let Fields { out, joined, mut begun, .. } = fields;
        for (name, value) in extra.into_iter().flatten().filter(|(name, _)| !joined.contains(&name.as_str())) {
            if std::mem::replace(&mut begun, true) {
                out.push(b',');
            }
            text(out, name);
            out.push(b':');
            scalar(out, value);
        }
        out.push(b'}');
    }

    /// A field that `write` writes the value of.
    pub(super) fn with(&mut self, name: &'static str, write: impl FnOnce(&mut Vec<u8>)) {
        if self.extra.is_none_or(|extra| !extra.contains_key(name)) {
            self.name(name);
            write(self.out);
        }
    }

    /// A field that is a number, a truth or a tree.
    pub(super) fn value(&mut self, name: &'static str, value: impl Serialize) {
        self.with(name, |out| scalar(out, &value));
    }

    /// A field that is a text.
    pub(super) fn text(&mut self, name: &'static str, value: &str) {
        self.with(name, |out| text(out, value));
    }

    /// A field that is JSON already.
    pub(super) fn raw(&mut self, name: &'static str, json: &str) {
        self.with(name, |out| out.extend_from_slice(json.as_bytes()));
    }

    /// A field that is an object, which an object of the same name in `extra` joins.
    pub(super) fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Fields<'_>)) {
        let joining = match self.extra.and_then(|extra| extra.get(name)) {
            None => None,
            Some(Value::Object(joining)) => Some(joining),
            Some(_) => return,
        };
        self.joined.extend(joining.map(|_| name));
        self.name(name);
        Fields::write(self.out, joining, write);
    }

    fn name(&mut self, name: &'static str) {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(b',');
        }
        text(self.out, name);
        self.out.push(b':');
    }
}

/// Writes an array, each of `items` by `write`.
pub(super) fn array<T>(out: &mut Vec<u8>, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

/// Writes a text.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    escaped(out, text);
    out.push(b'"');
}

/// Writes the inside of a text.
pub(super) fn escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let to = plain_until(bytes, from);
        out.extend_from_slice(&bytes[from..to]);
        let Some(&special) = bytes.get(to) else { return };
        match special {
            b'"' | b'\\' => out.extend([b'\\', special]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            _ => out.extend([b'\\', b'u', b'0', b'0', HEX[usize::from(special >> 4)], HEX[usize::from(special & 15)]]),
        }
        from = to + 1;
    }
}

fn scalar(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(out, value).expect("numbers, truths and trees can be written to memory");
}
