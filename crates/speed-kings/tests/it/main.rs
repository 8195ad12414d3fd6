//! The real binary, as people run it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arrows;
mod command;
mod config;
mod e2e_bounds;
mod e2e_commands;
mod e2e_compare;
mod e2e_gate;
mod e2e_history;
mod e2e_load;
mod e2e_mock;
mod e2e_outcomes;
mod e2e_projections;
mod e2e_providers;
mod e2e_run;
mod e2e_search;
mod e2e_secrets;
mod e2e_server;
mod e2e_shapes;
mod e2e_side_by_side;
mod e2e_stops;
mod e2e_theatre_benchmark;
mod e2e_theatre_conversation;
mod e2e_theatre_demo;
mod e2e_theatre_inspect;
mod e2e_theatre_race;
mod e2e_theatre_rush;
mod e2e_theatre_try_it;
mod e2e_verdicts;
mod errors;
mod help;
mod listings;
mod pipes;
mod pty;
mod pty_desk;
mod pty_stage;
