//! Why a run cannot begin or go on.

use std::io;
use std::path::PathBuf;

use schema::units::Usd;
use store::StoreError;
use transport::SetupError;

/// A run that cannot begin, or whose records cannot be kept. A request that fails is none of these:
/// it is a result.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum RunError {
    /// The run directory.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// The way to make connections.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setup(#[from] SetupError),
    /// More connections than the process may hold.
    #[error("the load needs {needed} open files, and this process may have {limit}")]
    #[diagnostic(
        code(runner::descriptors),
        help("raise the limit with `ulimit -n {needed}`, or lower the concurrency")
    )]
    Descriptors {
        /// What is needed.
        needed: u64,
        /// What there is.
        limit: u64,
    },
    /// The budget pays for nothing.
    #[error("the budget of {budget} pays for no request: the cheapest could cost {least}")]
    #[diagnostic(code(runner::unaffordable), help("raise `--budget`, or ask for shorter answers with `--max-tokens`"))]
    Unaffordable {
        /// What may be spent.
        budget: Usd,
        /// What a target's first request could cost, at the cheapest target.
        least: Usd,
    },
    /// A thread could not be started.
    #[error("the {thread} thread could not be started")]
    #[diagnostic(
        code(runner::thread),
        help(
            "the system has no more threads, memory or open files for this user (`ulimit -u`, `ulimit -v`, `ulimit -n`): \
             raise the limit, or end what else runs"
        )
    )]
    Thread {
        /// Which.
        thread: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The run was stopped by trouble, and then could not be sealed either.
    #[error("the run in `{}` was stopped, and could not be sealed", path.display())]
    #[diagnostic(
        code(runner::not_sealed),
        help(
            "free some space; what was recorded is kept, and the run opens as one that was killed: `speed-kings results list`"
        )
    )]
    NotSealed {
        /// Its directory.
        path: PathBuf,
        /// What stopped it.
        #[source]
        trouble: Box<RunError>,
    },
    /// A bug on our side.
    #[error("the {thread} thread panicked; what was recorded until then is kept")]
    #[diagnostic(code(runner::panicked), help("this is a bug: please report it with the lines above"))]
    Panicked {
        /// Which.
        thread: &'static str,
    },
}
