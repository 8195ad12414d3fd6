//! The decoders against what real engines sent, against a second implementation, and against every
//! way to split the bytes.

#![expect(clippy::unwrap_used, reason = "tests may unwrap, their helpers too")]

mod capture;
mod encoding;
mod heads;
mod reference;
mod splits;
mod streams;
mod whole;
