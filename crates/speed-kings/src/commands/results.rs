//! `results`: browses the runs on disk, and works on them one by one.

mod export;
mod list;
mod merge;
mod remove;
mod tag;

pub(crate) use list::{FilterArgs, bytes, kept_by_name};

use clap::Subcommand;
use report::{Align, Cell, Column, Listing};
use schema::manifest::{Found, Manifest};
use schema::target::TargetName;

use crate::args::Output;
use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

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
    context.print_summary(&summary, &run.manifest.plan)?;
    if let Some(found) = found(&run.manifest) {
        match context.output {
            Output::Table => context.terminal.print(&format!("\n{}", found.table(context.terminal.style())))?,
            Output::Markdown => context.terminal.print(&format!("\n{}", found.markdown()))?,
            // Numbers alone; the manifest has it.
            Output::Json | Output::Csv => {}
        }
    }
    context.terminal.note(&format!("run: {}", run.path.display()));
    Ok(Exit::Done)
}

/// What was found of the targets before they were measured, where anything was.
fn found(manifest: &Manifest) -> Option<Listing> {
    let is_simulated = |name: &TargetName| manifest.plan.targets.iter().any(|it| it.name == *name && it.simulated);
    let row = |target: &TargetName, what: &str, said: &str, source: &str| {
        let target = format!("{target}{}", if is_simulated(target) { " (SIMULATED)" } else { "" });
        [target.as_str(), what, said, source].map(|text| Cell::Text(text.to_owned())).to_vec()
    };
    let of = |found: &Found| {
        let Found { target, about, round_trip_ns } = found;
        let said = about.iter().map(|said| row(target, &said.name, said.value.raw(), &said.source));
        let round_trip = round_trip_ns.map(|time| row(target, "round trip", &time.to_string(), "TCP handshake"));
        said.chain(round_trip).collect::<Vec<_>>()
    };
    let column = |key, heading| Column { key, heading, align: Align::Left };
    let columns =
        vec![column("target", "Target"), column("name", "What"), column("value", "Found"), column("source", "By")];
    let rows: Vec<_> = manifest.found.iter().flat_map(of).collect();
    let title = "What was found of the targets before they were measured".to_owned();
    (!rows.is_empty()).then_some(Listing { title, columns, rows })
}
