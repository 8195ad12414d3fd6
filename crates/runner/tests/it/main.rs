//! Whole runs against simulated engines and scripted servers, over real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod budgets;
mod conversations;
mod cut;
mod dropped;
mod large;
mod limits;
mod load_models;
mod precise;
mod retries;
mod search;
mod side_by_side;
mod stage;
mod stall;
mod stopped;
mod trouble;
