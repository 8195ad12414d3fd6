//! `completions`.
use crate::commands::Context;
use crate::outcome::{Exit, Failure};
/// Run completions.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
/// Runs it.
pub(crate) fn run(_args: &Args, _context: &Context) -> Result<Exit, Failure> {
    Ok(Exit::Failed)
}
