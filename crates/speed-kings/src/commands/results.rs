//! `results`: browses the runs on disk.

use clap::Subcommand;
use report::{Align, Cell, Column, Listing};
use store::{Entry, Head};

use crate::commands::Context;
use crate::commands::stored::{Shelf, summary_of};
use crate::outcome::{Exit, Failure};

/// List the runs on disk, or show one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results list
  speed-kings results show latest
  speed-kings results show quick --output markdown")]
pub(crate) struct Args {
    #[command(subcommand)]
    job: Job,

    #[command(flatten)]
    shelf: Shelf,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// List the runs, newest first.
    #[command(after_help = "\
Examples:
  speed-kings results list
  speed-kings results list --out /data/results --output csv")]
    List,
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
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.job {
        Job::List => list(args, context)?,
        Job::Show { run } => show(run, args, context)?,
    }
    Ok(Exit::Done)
}

fn list(args: &Args, context: &Context) -> Result<(), Failure> {
    let entries = store::list(&args.shelf.out).map_err(miette::Report::new)?;
    context.print_listing(&listing(&entries))?;
    if entries.is_empty() {
        let out = args.shelf.out.display();
        context.terminal.note(&format!("no runs in `{out}`; `speed-kings benchmark --mock` makes one"));
    }
    Ok(())
}

fn listing(entries: &[Entry]) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    Listing {
        title: String::new(),
        columns: vec![
            left("run", "Run"),
            left("started", "Started"),
            left("status", "Status"),
            left("targets", "Targets"),
            right("requests", "Requests"),
            left("verdict", "Verdict"),
            left("simulated", "Simulated"),
        ],
        rows: entries.iter().map(row).collect(),
    }
}

fn row(entry: &Entry) -> Vec<Cell> {
    let folder = Cell::Text(entry.folder.clone());
    match &entry.head {
        Ok(head) => [vec![folder], head_cells(head)].concat(),
        Err(error) => {
            let mut cells = vec![folder, Cell::Empty, Cell::Text(format!("unreadable: {error}"))];
            cells.resize(7, Cell::Empty);
            cells
        }
    }
}

fn head_cells(head: &Head) -> Vec<Cell> {
    let targets: Vec<&str> = head.targets.iter().map(schema::target::TargetName::as_str).collect();
    vec![
        Cell::Text(head.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()),
        Cell::Text(head.status.in_words().to_owned()),
        Cell::Text(targets.join(", ")),
        head.requests.map_or(Cell::Empty, count),
        head.quality.as_ref().map_or(Cell::Empty, |quality| Cell::Text(quality.trust.in_words().to_owned())),
        Cell::Flag(head.simulated),
    ]
}

fn count(number: u64) -> Cell {
    Cell::Number { shown: number.to_string(), value: number as f64 }
}

fn show(wanted: &str, args: &Args, context: &Context) -> Result<(), Failure> {
    let run = args.shelf.open(wanted, context)?;
    let summary = summary_of(&run, context)?;
    context.print_summary(&summary, &run.manifest.plan)?;
    context.terminal.note(&format!("run: {}", run.path.display()));
    Ok(())
}
