//! `test`: one quick request to each target.

use crate::args::run::RunArgs;
use crate::commands::Context;
use crate::config::resolve::{price_book, resolve};
use crate::outcome::{Exit, Failure};

/// Send one quick request to each target and say what came back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings test --providers all
  speed-kings test --url http://localhost:8000/v1 --model qwen3
  speed-kings test --mock")]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
}

/// Runs it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let settings = args.run.layered(context)?.settings();
    let prices = price_book(settings.prices.as_ref())?;
    resolve(&settings, context.surroundings(&prices))?;
    Ok(Exit::Failed)
}
