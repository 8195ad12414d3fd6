//! Whole runs against simulated engines, over real sockets.

mod cut;
mod load_models;
mod search;
mod stage;
mod stall;
mod trouble;
