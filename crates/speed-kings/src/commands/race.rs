//! `race`.

use runner::Stop;
use tui::race::Race;

use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::heat::{Show, line_up};
use crate::commands::Context;
use crate::config::verb::RACE;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Race targets side by side, live.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many times they race; the first three are shown lane by lane, of all of them how they spread.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: Option<u32>,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// What makes so many requests a race: each is a heat of all targets, begun at one instant.
fn settled(runs: u32) -> String {
    format!("requests: {runs}\nblocks: {runs}\nconcurrency: 1\nside_by_side: true\nkeep_text: true\n")
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let runs = args.runs.unwrap_or(1);
    let wanted = Stage::wanted(&args.screen, context)?;
    let field = line_up(&args.run, &Way { verb: &RACE, settled: &settled(runs) }, context)?;
    let stop = Stop::new();
    super::interrupt::listen(&stop, context.terminal)?;
    let mut race = Race::new(field.setup(runs));
    let heat = if wanted {
        let mut stage = Stage::open(&args.screen, context)?;
        field.carry_out(Show::Screen(&mut stage, &mut race), &stop, context)?
    } else {
        field.carry_out(Show::Lines(&mut |_| Vec::new()), &stop, context)?
    };
    heat.tell(context)?;
    Ok(heat.exit())
}
