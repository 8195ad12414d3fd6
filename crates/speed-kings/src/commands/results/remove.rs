//! `results rm`: removes runs.

use std::path::PathBuf;

use miette::Report;
use store::Entry;

use super::kept_by_name;
use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::config::problem::Problem;
use crate::outcome::{Exit, Failure};

/// Remove runs for good.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings results rm test_quick_20261122_101500
  speed-kings results rm monday tuesday --yes")]
pub(super) struct Args {
    /// The runs: folders, names that only one run has, or how these begin.
    #[arg(required = true)]
    runs: Vec<String>,

    /// Do not ask.
    #[arg(long, short)]
    yes: bool,

    /// Baselines too.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, shelf: &Shelf, context: &Context) -> Result<Exit, Failure> {
    let folders = named(&args.runs, shelf)?;
    if !args.force {
        spare_baselines(&folders, shelf)?;
    }
    let question = match folders.as_slice() {
        [folder] => format!("remove `{}` for good?", folder.display()),
        several => format!("remove these {} runs for good?\n{}", several.len(), lines(several)),
    };
    if !context.terminal.confirm(&question, args.yes)? {
        context.terminal.note("nothing was removed");
        return Ok(Exit::Done);
    }
    for folder in &folders {
        store::remove(&shelf.out, folder).map_err(Report::new)?;
        context.terminal.note(&format!("removed `{}`", folder.display()));
    }
    Ok(Exit::Done)
}

/// The folders of runs, each once.
fn named(runs: &[String], shelf: &Shelf) -> Result<Vec<PathBuf>, Failure> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for wanted in runs {
        let folder = store::find_only(&shelf.out, wanted).map_err(Report::new)?;
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    Ok(folders)
}

fn spare_baselines(folders: &[PathBuf], shelf: &Shelf) -> Result<(), Failure> {
    let kept = kept_by_name(shelf)?;
    let same = |entry: &Entry| folders.iter().any(|folder| folder.file_name() == entry.path.file_name());
    for entry in store::list(&shelf.out).map_err(Report::new)?.iter().filter(|entry| same(entry)) {
        let names = entry.head.as_ref().ok().and_then(|head: &store::Head| kept.get(&head.run_id));
        if let Some(names) = names {
            let baselines = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let problem = Problem::new(format!("`{}` is a run of the baseline {baselines}", entry.folder))
                .help("remove the baseline first, or the run with `--force`");
            return Err(Failure::from(Report::new(problem)));
        }
    }
    Ok(())
}

fn lines(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| format!("  {}", folder.display())).collect::<Vec<_>>().join("\n")
}
