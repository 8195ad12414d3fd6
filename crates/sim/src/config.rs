//! What is asked of a simulated engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::SecretString;

use crate::engine::{Engine, EngineModel};
use crate::fault::FaultPlan;
use crate::limits::Limits;
use crate::pace::Pace;
use crate::stall::Stall;

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
    /// A while in which the whole engine stands still.
    pub stall: Option<Stall>,
    /// What its clients may have, told in `x-ratelimit` headers; beyond it 429 with `Retry-After`.
    pub limits: Limits,
    /// Whether a vLLM at the pace of a model ([`Pace::Model`]) keeps prefixes of prompts, as vLLM does.
    pub prefix_cache: bool,
    /// Decides texts, lengths, jitter and who meets a fault.
    pub seed: u64,
    /// Operating-system threads that serve connections, at least 1.
    pub threads: usize,
    /// File for the ground-truth log, one JSON object per write; replaced if it exists.
    pub log: Option<PathBuf>,
    /// Keep the ground-truth log in memory, for [`crate::Sim::log`].
    pub keep_log: bool,
    /// Whether connections are encrypted, with a certificate made at start ([`crate::Sim::certificate`]).
    pub tls: bool,
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
            stall: None,
            limits: Limits::default(),
            prefix_cache: true,
            seed: 0,
            threads: 1,
            log: None,
            keep_log: false,
            tls: false,
            headers: Vec::new(),
            require_key: None,
        }
    }
}
