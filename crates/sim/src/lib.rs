//! Plays an inference engine over a real socket, at the pace its caller sets.
//!
//! ```text
//! socket ─▶ http ─▶ ask ─▶ source (batch │ timer │ stepper) ─▶ format ─▶ exchange ─▶ socket
//!                                                                           └─▶ journal: when each byte was written
//! ```
//!
//! A request is read ([`Engine`]-specific routes and bodies become one kind of question), takes its place
//! in the simulated engine, and is answered in the engine's own wire format, one write an event.
//! Whatever is served says `x-simulated: speed-kings`; the `x-request-id` that goes back to the client
//! joins its record with the [`Entry`]s of the log.
//!
//! Invariants: threads and runtimes of its own, never the caller's; for one seed and one order of
//! arrival the same texts, lengths and faults; the arithmetic of batching reads no clock; bad requests
//! are answered, never a panic; sizes of heads and bodies are bounded. No TLS here: wrap
//! [`serve_connection`].

pub use config::{Config, Pace};
pub use connection::serve_connection;
pub use engine::{Engine, EngineModel};
pub use error::{NameError, SimError};
pub use fault::{Fault, FaultError, FaultPlan, HUGE_EVENT, HUGE_HEADER};
pub use journal::Entry;
pub use sim::Sim;
pub use state::State;
pub use stepper::Stepper;

mod answer;
mod ask;
mod batch;
mod clock;
mod config;
mod connection;
mod engine;
mod error;
mod exchange;
mod fault;
mod format;
mod head;
mod http;
mod journal;
mod metrics;
mod page;
mod problem;
mod scheduler;
mod sim;
mod socket;
mod source;
mod state;
mod stepper;
mod tokens;
mod voice;
