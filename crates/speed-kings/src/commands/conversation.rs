//! `conversation`.

use crate::args::run::RunArgs;
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::outcome::{Exit, Failure};

/// Hold a conversation of several turns with each target.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, _context: &Context) -> Result<Exit, Failure> {
    Err(miette::miette!("{args:?}").into())
}
