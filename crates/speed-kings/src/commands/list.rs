//! `list`.
use crate::commands::Context;
use crate::outcome::{Exit, Failure};
/// Run list.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}
/// Runs it.
pub(crate) fn run(_args: &Args, _context: &Context) -> Result<Exit, Failure> {
    Ok(Exit::Failed)
}
