//! The real binary, as people run it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arrows;
mod command;
mod config;
mod errors;
mod help;
mod listings;
mod pipes;
