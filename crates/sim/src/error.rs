//! What keeps an engine from starting, and names nobody here knows.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a simulated engine could not start.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SimError {
    /// The address is taken or not ours.
    #[error("cannot listen on `{listen}`")]
    #[diagnostic(code(sim::bind), help("choose another port, or port 0 for any free one"))]
    Bind {
        /// The address asked for.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The ground-truth log cannot be written.
    #[error("cannot write the log `{}`", path.display())]
    #[diagnostic(code(sim::log), help("name a file in a folder that exists and that you may write to"))]
    Log {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A thread or its runtime could not be had.
    #[error("cannot start the simulated engine's threads")]
    #[diagnostic(code(sim::threads), help("free some memory, processes or file descriptors and try again"))]
    Threads {
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate for `{listen}`")]
    #[diagnostic(code(sim::certificate), help("start the engine without TLS"))]
    Certificate {
        /// The address it was for.
        listen: SocketAddr,
        /// What was in the way.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A header that would break the answers it is sent with.
    #[error("`{name}` cannot be sent as a header")]
    #[diagnostic(code(sim::header), help("a header's name is one word without `:`, its value one line"))]
    Header {
        /// Its name.
        name: String,
    },
    /// A number of the engine's model that no engine can have.
    #[error("an engine cannot have `{field}` of {value}")]
    #[diagnostic(code(sim::model), help("{help}"))]
    Model {
        /// The field of [`crate::EngineModel`].
        field: &'static str,
        /// What it was.
        value: String,
        /// What it may be.
        help: &'static str,
    },
}

/// A name that is none of those on offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is no {kind}")]
#[diagnostic(code(sim::name), help("choose one of {choices}"))]
pub struct NameError {
    /// What was written, at most 80 characters.
    pub text: String,
    /// What it should have named.
    pub kind: &'static str,
    /// The names on offer.
    pub choices: String,
}

impl NameError {
    pub(crate) fn new<'a>(text: &str, kind: &'static str, choices: impl Iterator<Item = &'a str>) -> Self {
        let choices = choices.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Self { text: text.chars().take(80).collect(), kind, choices }
    }
}
