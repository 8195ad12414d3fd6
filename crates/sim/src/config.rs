//! What is asked of a simulated engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use schema::units::Nanos;
use secrecy::SecretString;

use crate::engine::{Engine, EngineModel};
use crate::fault::FaultPlan;
use crate::stepper::Stepper;

/// When tokens leave.
#[derive(Debug, Clone)]
pub enum Pace {
    /// As an engine of these numbers would: queue, batch, KV cache. Timers have the 1 ms of tokio's
    /// clock; lateness of a step does not add up over an answer.
    Model(EngineModel),
    /// Each stream by its own timer, whatever the others do: for accuracy and scale tests. Deadlines
    /// are absolute from the request's arrival and rounded up to tokio's 1 ms.
    Fixed {
        /// From the request's arrival to the first token.
        ttft: Nanos,
        /// From one event to the next; zero: as fast as the socket takes them, one event a write.
        itl: Nanos,
    },
    /// A token leaves when the test releases it.
    Stepped(Stepper),
}

/// A simulated engine, before it runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whose formats and manners.
    pub engine: Engine,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The model's name, as it is served.
    pub model: String,
    /// When tokens leave.
    pub pace: Pace,
    /// What goes wrong, each for its share of the requests.
    pub faults: Vec<FaultPlan>,
    /// Decides texts, lengths, jitter and who meets a fault.
    pub seed: u64,
    /// Operating-system threads that serve connections, at least 1.
    pub threads: usize,
    /// File for the ground-truth log, one JSON object per write; replaced if it exists.
    pub log: Option<PathBuf>,
    /// Keep the ground-truth log in memory, for [`crate::Sim::log`].
    pub keep_log: bool,
    /// Sent with every answer, beside the engine's own headers.
    pub headers: Vec<(String, String)>,
    /// The key that requests must show as bearer token or `x-api-key`, else 401.
    pub require_key: Option<SecretString>,
}

impl Config {
    /// The engine by its own numbers on a free loopback port, serving `sim-ENGINE`, without faults, key or log.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            model: format!("sim-{engine}"),
            pace: Pace::Model(EngineModel::of(engine)),
            faults: Vec::new(),
            seed: 0,
            threads: 1,
            log: None,
            keep_log: false,
            headers: Vec::new(),
            require_key: None,
        }
    }
}
