//! Plays an inference engine over a real socket, at the pace its caller sets.

pub use config::{Config, Pace};
pub use engine::{Engine, EngineModel};
pub use error::{NameError, SimError};
pub use fault::{Fault, FaultError, FaultPlan, HUGE_EVENT, HUGE_HEADER};
pub use journal::Entry;
pub use sim::Sim;
pub use stepper::Stepper;

mod batch;
mod clock;
mod config;
mod engine;
mod error;
mod fault;
mod journal;
mod sim;
mod stepper;
mod tokens;
