//! The stopwatch against simulated engines and scripted servers, over real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod connections;
mod encrypted;
mod faults;
mod http2;
mod limits;
mod stage;
mod stamps;
mod tunnel;
