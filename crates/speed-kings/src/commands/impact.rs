//! `impact`: what waiting and prices come to for people and budgets.

use clap::ValueEnum;
use schema::projection::{Assumptions, WaitsFor};

use crate::commands::Context;
use crate::commands::assumed::{self, given};
use crate::commands::stored::{Shelf, records_of, summary_of};
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

    /// People who use it.
    #[arg(long, value_name = "N")]
    users: Option<f64>,

    /// Answers that one of them waits for in a day.
    #[arg(long, value_name = "N")]
    interactions_per_user_per_day: Option<f64>,

    /// Days of the year on which they do.
    #[arg(long, value_name = "N")]
    days_per_year: Option<f64>,

    /// What an hour of one of them costs, in US dollars.
    #[arg(long, value_name = "USD")]
    user_usd_per_hour: Option<f64>,

    /// What people wait for.
    #[arg(long, value_enum, value_name = "WHAT")]
    waits_for: Option<Wait>,

    /// What one replica of a self-hosted option costs an hour, in US dollars.
    #[arg(long, value_name = "USD")]
    replica_usd_per_hour: Option<f64>,

    /// Replicas of that option.
    #[arg(long, value_name = "N")]
    replicas: Option<f64>,

    #[command(flatten)]
    file: assumed::File,

    #[command(flatten)]
    shelf: Shelf,
}

/// What people wait for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wait {
    /// The whole answer: E2E.
    WholeAnswer,
    /// The first words: TTFT visible.
    FirstWords,
    /// The first words, and what comes slower than it is read.
    BeyondReading,
}

impl From<Wait> for WaitsFor {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::WholeAnswer => Self::WholeAnswer,
            Wait::FirstWords => Self::FirstWords,
            Wait::BeyondReading => Self::BeyondReading,
        }
    }
}

impl Args {
    fn flags(&self) -> Assumptions {
        Assumptions {
            users: given(self.users),
            interactions_per_user_per_day: given(self.interactions_per_user_per_day),
            days_per_year: given(self.days_per_year),
            user_usd_per_hour: given(self.user_usd_per_hour),
            replica_usd_per_hour: given(self.replica_usd_per_hour),
            replicas: given(self.replicas),
            waits_for: self.waits_for.map(WaitsFor::from),
            ..Assumptions::default()
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let assumptions = args.file.under(args.flags())?;
    let run = args.shelf.open(&args.run, context)?;
    let summary = summary_of(&run, context)?;
    let records = records_of(&run, context)?;
    let projected = stats::impact(&run.manifest.plan, &summary, &records, &assumptions);
    context.print_listing(&report::projections(&projected))?;
    if assumptions.users.is_none() {
        context
            .terminal
            .note("add `--users`, `--interactions-per-user-per-day` and `--days-per-year` for hours and money a year");
    }
    Ok(Exit::Done)
}
