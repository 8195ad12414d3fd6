//! Plays an inference engine over a real socket, at the pace its caller sets.
//!
//! ```text
//! socket ─▶ http ─▶ ask ─▶ source (batch │ servers │ law │ timer │ stepper) ─▶ format ─▶ exchange ─▶ socket
//!                                                                               when each byte left ◀─┴─▶ journal
//! ```
//!
//! A request is read ([`Engine`]-specific routes and bodies become one kind of question), takes its place
//! in the simulated engine, and is answered in the engine's own wire format, one write an event.
//! Whatever is served says `x-simulated: speed-kings`; the `x-request-id` that goes back to the client
//! joins its record with the [`Entry`]s of the log.
//!
//! Invariants: threads and runtimes of its own, never the caller's; for one seed and one order of
//! arrival the same texts, lengths, vectors and faults; the arithmetic of serving reads no clock; bad requests
//! are answered, never a panic; sizes of heads and bodies are bounded. TLS is at home ([`Config::tls`]); for another,
//! or none of ours, wrap [`serve_connection`].

pub use config::Config;
pub use connection::serve_connection;
pub use engine::{Engine, EngineModel};
pub use error::{NameError, SimError};
pub use fault::{Fault, FaultError, FaultPlan, HUGE_EVENT, HUGE_HEADER};
pub use journal::Entry;
pub use limits::{Limit, LimitError, Limits};
pub use pace::{Pace, PaceError};
pub use sim::Sim;
pub use stall::{Stall, StallError};
pub use state::State;
pub use stepper::Stepper;

mod answer;
mod ask;
mod batch;
mod body;
mod clock;
mod config;
mod connection;
mod discipline;
mod encryption;
mod engine;
mod error;
mod exchange;
mod fault;
mod format;
mod head;
mod http;
mod journal;
mod law;
mod limits;
mod metrics;
mod pace;
mod page;
mod prefix;
mod problem;
mod put;
mod recollection;
mod scheduler;
mod servers;
mod sim;
mod socket;
mod source;
mod stall;
mod state;
mod stepper;
mod tokens;
mod voice;
