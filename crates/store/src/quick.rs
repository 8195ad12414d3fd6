//! Lines of JSON as this program writes them: what `serde_json` would write and read, at less than half of the cost.
//!
//! Nearly everything in a record is a key of ours or a whole number, and nothing in it is laid out or escaped. What is
//! of another kind is [`Unusual`] and left to `serde_json`, which alone decides what is no JSON and says why.

mod decode;
mod encode;

use std::fmt;

use serde::{de, ser};

pub(crate) use decode::decode;
pub(crate) use encode::encode;

/// Not as records usually are: `serde_json` knows what to make of it.
#[derive(Debug)]
pub(crate) struct Unusual;

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not what a record usually holds")
    }
}

impl std::error::Error for Unusual {}

impl ser::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

impl de::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
