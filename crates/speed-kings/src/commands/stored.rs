//! Runs on disk, as every command that reads them opens them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schema::record::Record;
use schema::summary::Summary;
use stats::Measured;
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

/// The numbers kept with a sealed run; those of one that was not sealed are made from its records.
pub(crate) fn summary_of(run: &Run, context: &Context) -> Result<Summary, Failure> {
    let plan = &run.manifest.plan;
    let kept = run.summaries().map_err(miette::Report::new)?;
    if kept.len() == plan.targets.len() {
        let comparison = run.comparison().map_err(miette::Report::new)?;
        let curves = run.curves().map_err(miette::Report::new)?;
        let calibration = run.manifest.calibration.clone();
        return Ok(Summary { comparison, curves, calibration, ..stats::combine(plan, kept) });
    }
    let records = records_of(run, context)?;
    let (mut steps, mut samples) = (Vec::new(), BTreeMap::new());
    for target in run.targets() {
        steps.extend(readable(run.steps(target).map_err(miette::Report::new)?, context));
        samples.insert(target.clone(), readable(run.samples(target).map_err(miette::Report::new)?, context));
    }
    let calibration = run.manifest.calibration.as_ref();
    Ok(stats::summarise(plan, &Measured { records: &records, steps: &steps, samples: &samples, calibration }))
}

/// What can be read of a series; the rest is told.
fn readable<T>(series: impl IntoIterator<Item = Result<T, StoreError>>, context: &Context) -> Vec<T> {
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
