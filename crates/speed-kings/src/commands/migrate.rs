//! `migrate`: brings runs of older formats, and files that lie about, to the current one.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use schema::FORMAT_VERSION;
use schema::text::Untrusted;
use store::{Loose, MANIFEST, StoreError};

use crate::commands::Context;
use crate::commands::benchmark::pages;
use crate::commands::reprocess::Table;
use crate::commands::reprocess::reseal::{Mode, reseal};
use crate::commands::stored::Shelf;
use crate::outcome::{Exit, Failure};

/// Bring runs of older formats to the current one, and make runs of result files that lie about.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings migrate --all --dry-run
  speed-kings migrate test_quick_20261122_101500
  speed-kings migrate old/requests.jsonl summary.json
  speed-kings migrate --all --remove

Taken over are records (`requests.jsonl`), summaries that were written with `--output json`, and folders of runs whose
manifest is gone. What is not known about them is said and kept with the run. Doing it again changes nothing.")]
pub(crate) struct Args {
    /// Runs, and files or folders to take over.
    #[arg(value_name = "RUN|FILE", required_unless_present = "all", conflicts_with = "all")]
    runs: Vec<String>,

    /// Every run in the folder of results, and all that lies about there.
    #[arg(long)]
    all: bool,

    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,

    /// Remove the originals: files that were taken over, and manifests of the older format.
    #[arg(long)]
    remove: bool,

    #[command(flatten)]
    shelf: Shelf,
}

/// One thing to bring up to date.
enum Item {
    Run(PathBuf),
    /// Asked for by name, or only found lying about.
    Loose(PathBuf, Asked),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    ByName,
    Found,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let items = if args.all { all(&args.shelf)? } else { named(args)? };
    let mut table = Table::default();
    for item in &items {
        match item {
            Item::Run(folder) => migrate(folder, args, &mut table, context),
            Item::Loose(path, asked) => match take_over(path, args, context) {
                Ok((result, detail)) => table.row(path, result, &detail),
                Err(StoreError::NotAdoptable { why, .. }) if *asked == Asked::Found => {
                    table.row(path, "left as it is", &why);
                }
                Err(error) => table.fail(path, &error),
            },
        }
    }
    table.print(context)
}

fn all(shelf: &Shelf) -> Result<Vec<Item>, Failure> {
    let fail = |error| Failure::from(miette::Report::new(error));
    let runs = store::list(&shelf.out).map_err(fail)?.into_iter().filter(|entry| entry.path.join(MANIFEST).exists());
    let loose = store::loose(&shelf.out).map_err(fail)?;
    let loose = loose.into_iter().map(|path| Item::Loose(path, Asked::Found));
    Ok(runs.map(|entry| Item::Run(entry.path)).chain(loose).collect())
}

fn named(args: &Args) -> Result<Vec<Item>, Failure> {
    let item = |wanted: &String| {
        let places = [PathBuf::from(wanted), args.shelf.out.join(wanted)];
        let lies = |path: &&PathBuf| path.is_file() || (path.is_dir() && !path.join(MANIFEST).exists());
        match places.iter().find(lies) {
            Some(path) if !wanted.is_empty() => Ok(Item::Loose(path.clone(), Asked::ByName)),
            _ => store::find(&args.shelf.out, wanted).map(Item::Run).map_err(|e| miette::Report::new(e).into()),
        }
    };
    args.runs.iter().map(item).collect()
}

/// Brings one run to the current format.
fn migrate(folder: &Path, args: &Args, table: &mut Table, context: &Context) {
    let mode = match (args.dry_run, args.remove) {
        (true, _) => Mode::DryRun,
        (false, true) => Mode::Seal,
        (false, false) => Mode::SealKeeping,
    };
    match store::head(folder) {
        Ok(head) if head.format_version == FORMAT_VERSION => table.row(folder, "up to date", ""),
        Ok(_) => table.add(folder, reseal(folder, mode), mode, context),
        Err(error) => table.fail(folder, &error),
    }
}

/// Makes a run of what lies about; says what became of it.
fn take_over(path: &Path, args: &Args, context: &Context) -> Result<(&'static str, String), StoreError> {
    let out = &args.shelf.out;
    let loose = Loose::look(path)?;
    if let Some(run) = loose.already(out)? {
        return finish("taken over before", path, &run, args);
    }
    for lacking in &loose.lacking {
        let path = Untrusted::from(path.to_string_lossy().as_ref()).for_terminal();
        context.terminal.note(&format!("note: {path}: {lacking}"));
    }
    if args.dry_run {
        return Ok(("would be taken over", String::new()));
    }
    let local = |moment: jiff::Timestamp| moment.to_zoned(TimeZone::system()).datetime();
    let mut adopted = loose.adopt(out, env!("CARGO_PKG_VERSION"), local)?;
    let directory = adopted.draft.directory();
    let (summary, problems) = match loose.summary {
        Some(summary) => (*summary, Vec::new()),
        None => runner::recompute(&directory.run()).map(|numbers| (numbers.summary, numbers.problems))?,
    };
    let end = runner::End {
        status: adopted.status,
        ended: adopted.ended,
        summary: Some(&summary),
        notes: &[adopted.notes, problems].concat(),
        pages: &(Box::new(pages) as runner::Pages),
    };
    runner::conclude(directory, &end)?;
    let published = adopted.draft.publish()?;
    finish("taken over", path, published.path(), args)
}

/// Removes the original of what has become a run, where that was asked for.
fn finish(result: &'static str, path: &Path, run: &Path, args: &Args) -> Result<(&'static str, String), StoreError> {
    let as_run = format!("as `{}`", run.file_name().unwrap_or(run.as_os_str()).to_string_lossy());
    if !args.remove || args.dry_run {
        return Ok((result, as_run));
    }
    if path.is_dir() {
        store::remove(&args.shelf.out, path)?;
    } else {
        fs::remove_file(path).map_err(|source| StoreError::io("remove", path, source))?;
    }
    Ok((result, format!("{as_run}; the original was removed")))
}
