//! `impact`: what waiting and prices come to for people and budgets.

use crate::commands::Context;
use crate::commands::assumed::People;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Tell what a run's waiting and prices come to in hours and money, as intervals, under assumptions that are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Nothing about your users is guessed: what is not given is not projected.

Examples:
  speed-kings impact latest --users 500 --interactions-per-user-per-day 20 --days-per-year 220
  speed-kings impact latest --assumptions ours.yaml --output markdown
  speed-kings impact latest --replica-usd-per-hour 2.5 --replicas 4")]
pub(crate) struct Args {
    /// The run: `latest`, its folder, its name, or how any of these begin.
    #[arg(default_value = "latest")]
    run: String,

    #[command(flatten)]
    people: People,

    #[command(flatten)]
    shelf: Shelf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let assumptions = args.people.assumptions()?;
    let (run, summary, records) = args.shelf.numbers_and_records(&args.run, context)?;
    let projected = stats::impact(&run.manifest.plan, &summary, &records, &assumptions);
    context.print_projected(&projected)?;
    if assumptions.users.is_none() {
        context
            .terminal
            .note("add `--users`, `--interactions-per-user-per-day` and `--days-per-year` for hours and money a year");
    }
    Ok(Exit::Done)
}
