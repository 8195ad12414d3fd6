//! `results`: browses the runs on disk, and works on them one by one.

mod export;
mod list;
mod merge;
mod remove;
mod tag;

pub(crate) use list::{FilterArgs, bytes, kept_by_name};

use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};
use clap::Subcommand;

/// Browse the runs on disk: list, show, tag, remove, export or merge them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results list --since 7d --model '*llama*'
  speed-kings results show latest
  speed-kings results show quick --output markdown
  speed-kings results tag latest +nightly -draft
  speed-kings results export latest --to requests.csv
  speed-kings results merge monday tuesday --name both
  speed-kings results rm test_quick_20261122_101500")]
pub(crate) struct Args {
    #[command(subcommand)]
    job: Job,

    #[command(flatten)]
    shelf: Shelf,
}

#[derive(Debug, Subcommand)]
enum Job {
    List(Box<list::Args>),
    /// Show the numbers of one run.
    #[command(after_help = "\
Examples:
  speed-kings results show latest
  speed-kings results show test_quick_20261122_101500 --output json")]
    Show {
        /// The run: `latest`, its folder, its name, or how any of these begin.
        #[arg(default_value = "latest")]
        run: String,
    },
    Tag(tag::Args),
    Rm(remove::Args),
    Export(export::Args),
    Merge(merge::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.job {
        Job::List(list) => list::run(list, &args.shelf, context),
        Job::Show { run } => show(run, &args.shelf, context),
        Job::Tag(tag) => tag::run(tag, &args.shelf, context),
        Job::Rm(remove) => remove::run(remove, &args.shelf, context),
        Job::Export(export) => export::run(export, &args.shelf, context),
        Job::Merge(merge) => merge::run(merge, &args.shelf, context),
    }
}

fn show(wanted: &str, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let (run, summary) = shelf.numbers(wanted, context)?;
    context.print_run(&summary, &run.manifest)?;
    context.terminal.note(&format!("run: {}", run.path.display()));
    Ok(Exit::Done)
}
