//! Runs on disk, as every command that reads them opens them.

use std::path::PathBuf;

use schema::record::Record;
use schema::summary::Summary;
use store::{Run, StoreError};

use crate::commands::Context;
use crate::outcome::Failure;

/// Where runs are kept.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Shelf {
    /// Folder that holds the runs.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SPEED_KINGS_OUT",
        hide_env = true,
        default_value = "results"
    )]
    pub(crate) out: PathBuf,
}

impl Shelf {
    /// Opens the run that `wanted` names, and tells what it lacks.
    ///
    /// # Errors
    /// There is none of that name, or it cannot be read.
    pub(crate) fn open(&self, wanted: &str, context: &Context) -> Result<Run, Failure> {
        let path = store::find(&self.out, wanted).map_err(miette::Report::new)?;
        let run = Run::open(&path).map_err(miette::Report::new)?;
        for what in &run.missing {
            context.terminal.note(&format!("note: {what}"));
        }
        Ok(run)
    }
}

/// The numbers of a run: those kept with it where they stand for it, else made of its records.
///
/// # Errors
/// Its records are there but cannot be read.
pub(crate) fn summary_of(run: &Run, context: &Context) -> Result<Summary, Failure> {
    let numbers = runner::numbers(run).map_err(miette::Report::new)?;
    for problem in numbers.problems.iter().filter(|problem| !run.missing.contains(problem)) {
        context.terminal.note(&format!("note: {problem}"));
    }
    Ok(numbers.summary)
}

/// What can be read of a series; the rest is told.
pub(crate) fn readable<T>(series: impl IntoIterator<Item = Result<T, StoreError>>, context: &Context) -> Vec<T> {
    let complain = |error| context.terminal.note(&format!("note: {error}"));
    series.into_iter().filter_map(|one| one.map_err(complain).ok()).collect()
}

/// What can be read of all targets' records.
pub(crate) fn records_of(run: &Run, context: &Context) -> Result<Vec<Record>, Failure> {
    let mut records: Vec<Record> = Vec::new();
    for target in run.targets() {
        records.extend(readable(run.records(target).map_err(miette::Report::new)?, context));
    }
    Ok(records)
}
