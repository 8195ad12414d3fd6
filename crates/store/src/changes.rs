//! In what two values differ, as JSON has them.

use serde::Serialize;
use serde_json::Value;

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

/// Every place where `before` and `after` differ, as deep as they can be told apart. A key that is absent and one that is
/// `null` are the same.
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
        (before, after) if before == after => {}
        (before, after) => found.push(Change { at, before: before.cloned(), after: after.cloned() }),
    }
}

fn below(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}
