//! In what two values differ, as JSON has them.

use serde::Serialize;
use serde_json::{Number, Value};

/// One place where two values differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Where: keys and places with `.` between them.
    pub at: String,
    /// What one has there; `None`: nothing.
    pub before: Option<Value>,
    /// What the other has there.
    pub after: Option<Value>,
}

/// Numbers closer than this, relative to their size, are the same: one that was written and read again may have moved by
/// its last bit.
const SAME: f64 = 1e-12;

/// Every place where `before` and `after` differ, as deep as they can be told apart. A key that is absent and one that is
/// `null` are the same, and so are numbers that differ by less than 1e-12 of their size.
///
/// # Panics
/// When one of them cannot be JSON.
pub fn changes<T: Serialize>(before: &T, after: &T) -> Vec<Change> {
    let tree = |value: &T| serde_json::to_value(value).expect("what is kept on disk is plain data");
    let mut found = Vec::new();
    compare(String::new(), Some(&tree(before)), Some(&tree(after)), &mut found);
    found
}

fn compare(at: String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before.filter(|v| !v.is_null()), after.filter(|v| !v.is_null())) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let new = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(new) {
                compare(below(&at, key), one.get(key), other.get(key), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for place in 0..one.len().max(other.len()) {
                compare(below(&at, &place.to_string()), one.get(place), other.get(place), found);
            }
        }
        (Some(Value::Number(one)), Some(Value::Number(other))) if is_same(one, other) => {}
        (before, after) if before == after => {}
        (before, after) => found.push(Change { at, before: before.cloned(), after: after.cloned() }),
    }
}

fn is_same(one: &Number, other: &Number) -> bool {
    match (one.as_u64(), other.as_u64(), one.as_f64(), other.as_f64()) {
        (Some(one), Some(other), ..) => one == other,
        (_, _, Some(one), Some(other)) => (one - other).abs() <= SAME * one.abs().max(other.abs()),
        _ => one == other,
    }
}

fn below(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
