//! The simulated engines over real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod client;
mod engine;
mod faults;
mod formats;
mod forms;
mod paces;
mod pages;
