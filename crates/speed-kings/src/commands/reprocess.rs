//! `reprocess`: makes the numbers of stored runs anew from their records.

pub(super) mod reseal;

use std::path::{Path, PathBuf};

use miette::Report;
use report::{Align, Cell, Column, Listing};
use store::StoreError;

use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::config::problem::Problem;
use crate::outcome::{Exit, Failure};
use reseal::{Mode, Resealed, reseal};

/// What is told of a run among all that cannot be made anew yet.
const STILL_GOING_ON: &str = "it is still going on; its numbers are made when it ends";

/// Make the numbers of stored runs anew from their records, and tell what changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings reprocess latest
  speed-kings reprocess quick --dry-run
  speed-kings reprocess --all

Summaries, ranking, curves and tables are replaced and sealed with new checksums; records are never changed. A run that
was killed is sealed as interrupted, with the requests that were in flight as far as they had come.")]
pub(crate) struct Args {
    /// The runs: folders, names, or how these begin.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    runs: Vec<String>,

    /// Every run there is, but for those still going on.
    #[arg(long)]
    all: bool,

    /// Only tell what would change.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    shelf: Shelf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let folders = if args.all { all(&args.shelf)? } else { named(&args.runs, &args.shelf)? };
    let mode = if args.dry_run { Mode::DryRun } else { Mode::Seal };
    let mut table = Table::default();
    for folder in &folders {
        match reseal(folder, mode) {
            // Nobody asked for this one by its name.
            Err(StoreError::GoingOn { .. }) if args.all => table.row(folder, "left as it is", STILL_GOING_ON),
            outcome => table.add(folder, outcome, mode, context),
        }
    }
    table.print(context)
}

/// The folders of the runs of these names.
pub(super) fn named(runs: &[String], shelf: &Shelf) -> Result<Vec<PathBuf>, Failure> {
    runs.iter().map(|wanted| store::find(&shelf.out, wanted).map_err(|error| Report::new(error).into())).collect()
}

/// The folders of all runs whose manifest can be read.
fn all(shelf: &Shelf) -> Result<Vec<PathBuf>, Failure> {
    let entries = store::list(&shelf.out).map_err(Report::new)?;
    Ok(entries.into_iter().filter(|entry| entry.head.is_ok()).map(|entry| entry.path).collect())
}

/// What became of each run, to be printed, and whether all went well.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
    failed: bool,
}

impl Table {
    /// Adds what became of the run in `folder`.
    pub(super) fn add(&mut self, folder: &Path, outcome: Result<Resealed, StoreError>, mode: Mode, context: &Context) {
        match outcome {
            Ok(resealed) => {
                for problem in resealed.problems.iter().chain(&resealed.tampered) {
                    context.terminal.note(&format!("note: {}: {problem}", name(folder)));
                }
                self.failed |= !resealed.tampered.is_empty();
                let result = match (mode, resealed.changes.is_empty()) {
                    (Mode::DryRun, true) => "unchanged",
                    (Mode::DryRun, false) => "would change",
                    (_, true) => "sealed again, unchanged",
                    (_, false) => "sealed again",
                };
                self.row(folder, result, &resealed.changes.join("; "));
            }
            // Numbers that came without records are as good as they get.
            Err(error @ StoreError::NoRecords { .. }) => self.row(folder, "left as it is", &error.to_string()),
            Err(error) => self.fail(folder, &error),
        }
    }

    /// Adds a run, or something else, with what became of it.
    pub(super) fn row(&mut self, folder: &Path, result: &str, detail: &str) {
        self.rows.push(vec![
            Cell::Text(name(folder)),
            Cell::Text(result.to_owned()),
            if detail.is_empty() { Cell::Empty } else { Cell::Text(detail.to_owned()) },
        ]);
    }

    /// Adds what could not be worked on.
    pub(super) fn fail(&mut self, folder: &Path, error: &StoreError) {
        self.failed = true;
        self.row(folder, "failed", &Problem::from_diagnostic(error).to_string());
    }

    /// Prints all of it.
    pub(super) fn print(self, context: &Context) -> Result<Exit, Failure> {
        let column = |key, heading| Column { key, heading, align: Align::Left };
        let columns = vec![column("run", "Run"), column("result", "Result"), column("changes", "Changes")];
        context.print_listing(&Listing { title: String::new(), columns, rows: self.rows })?;
        Ok(if self.failed { Exit::Failed } else { Exit::Done })
    }
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}
