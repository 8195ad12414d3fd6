//! The stopwatch against simulated engines and scripted servers, over real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod connections;
mod embeddings;
mod encrypted;
mod faults;
mod forms;
mod http2;
mod limits;
mod parts;
mod published;
mod side;
mod sizes;
mod stage;
mod stamps;
mod tunnel;
mod watched;
