//! `results merge`: several runs of one plan as one.

use jiff::Zoned;
use miette::Report;
use schema::manifest::Tag;
use store::{MergeAs, Run};
use uuid::Uuid;

use crate::commands::Context;
use crate::commands::benchmark::pages;
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Put the records of several runs of one plan together as a new run; the old ones stay.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results merge monday tuesday wednesday --name midweek
  speed-kings results merge test_a_20261120_080000 test_a_20261121_080000 --name a --tag pooled

Targets, workload and load have to be equal; seeds, bounds and numbers of requests need not be.")]
pub(super) struct Args {
    /// The runs, two at least.
    #[arg(required = true, num_args = 2..)]
    runs: Vec<String>,

    /// What the new run is called.
    #[arg(long, value_name = "NAME")]
    name: String,

    /// Tags for it, beside those of the runs.
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<Tag>,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let mut runs = Vec::new();
    for wanted in &args.runs {
        let path = store::find(&shelf.out, wanted).map_err(Report::new)?;
        runs.push(Run::open(&path).map_err(Report::new)?);
    }
    let target = MergeAs {
        out: &shelf.out,
        name: &args.name,
        run_id: Uuid::now_v7(),
        now: Zoned::now().datetime(),
        program_version: env!("CARGO_PKG_VERSION"),
    };
    let mut merged = store::merge(&runs, &target).map_err(Report::new)?;
    let directory = merged.draft.directory();
    store::tag(directory.path(), &args.tag, &[]).map_err(Report::new)?;
    let numbers = runner::recompute(&directory.run()).map_err(Report::new)?;
    let end = runner::End {
        status: merged.status,
        ended: merged.ended,
        summary: Some(&numbers.summary),
        notes: &[merged.notes, numbers.problems].concat(),
        pages: &(Box::new(pages) as runner::Pages),
    };
    let manifest = runner::conclude(directory, &end).map_err(Report::new)?;
    let published = merged.draft.publish().map_err(Report::new)?;
    context.print_run(&numbers.summary, &manifest)?;
    for note in &manifest.notes {
        context.terminal.note(&format!("note: {note}"));
    }
    context.terminal.note(&format!("run kept in {}", published.path().display()));
    Ok(Exit::Done)
}
