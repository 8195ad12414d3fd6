//! Runs on disk, as every command that reads them opens them.

use std::path::PathBuf;

use runner::Numbers;
use schema::manifest::Status;
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
        tell(&run.missing, context);
        Ok(run)
    }

    /// The run that `wanted` names and its numbers; tells what it lacks. Records are read once, if at all.
    ///
    /// # Errors
    /// There is none of that name, or it cannot be read.
    pub(crate) fn numbers(&self, wanted: &str, context: &Context) -> Result<(Run, Summary), Failure> {
        let run = self.glance(wanted, context)?;
        let summary = summary_of(&run, context)?;
        Ok((run, summary))
    }

    /// As [`numbers`](Self::numbers), with the run's records, without their texts. All of it is read once.
    ///
    /// # Errors
    /// As [`numbers`](Self::numbers).
    pub(crate) fn numbers_and_records(
        &self,
        wanted: &str,
        context: &Context,
    ) -> Result<(Run, Summary, Vec<Record>), Failure> {
        let run = self.glance(wanted, context)?;
        let (numbers, records) = runner::numbers_and_records(&run).map_err(miette::Report::new)?;
        let summary = told(numbers, &run, context);
        Ok((run, summary, records))
    }

    fn glance(&self, wanted: &str, context: &Context) -> Result<Run, Failure> {
        let path = store::find(&self.out, wanted).map_err(miette::Report::new)?;
        let run = Run::glance(&path).map_err(miette::Report::new)?;
        tell(&run.missing, context);
        Ok(run)
    }
}

fn tell<'a>(missing: impl IntoIterator<Item = &'a String>, context: &Context) {
    for what in missing {
        context.terminal.note(&format!("note: {what}"));
    }
}

/// The numbers of a run: those kept with it where they stand for it, else made of its records.
///
/// # Errors
/// Its records are there but cannot be read.
pub(crate) fn summary_of(run: &Run, context: &Context) -> Result<Summary, Failure> {
    Ok(told(runner::numbers(run).map_err(miette::Report::new)?, run, context))
}

/// The numbers, after what there is to be said of them.
fn told(numbers: Numbers, run: &Run, context: &Context) -> Summary {
    let missing = numbers.missing.iter().filter(|_| run.manifest.status == Status::Running);
    tell(numbers.problems.iter().chain(missing).filter(|what| !run.missing.contains(what)), context);
    numbers.summary
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
