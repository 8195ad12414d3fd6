//! A run's numbers out of what is on disk, and the seal: one way for a run that has just ended and for one that is
//! summed up again, put together of others or taken over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schema::curve::Step;
use schema::manifest::{Manifest, Status};
use schema::plan::{Plan, PromptSource};
use schema::record::Record;
use schema::server::ServerSample;
use schema::summary::Summary;
use schema::target::TargetName;
use serde::de::DeserializeOwned;
use store::{Kept, Run, RunDir, Seal, Series, StoreError};

/// Makes further files of a run, such as `summary.csv`: paths within the run, and their bytes.
pub type Pages = Box<dyn Fn(&Summary, &Plan) -> Vec<(String, Vec<u8>)> + Send>;

/// A run's numbers.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// All of them.
    pub summary: Summary,
    /// What of the run could not be read, one sentence each.
    pub problems: Vec<String>,
    /// What it lacks beside that, one sentence each; nothing is said of numbers that were kept with it.
    pub missing: Vec<String>,
}

/// The numbers of a run: those kept with it where they are whole and of the current format, else made of its records.
///
/// # Errors
/// When a file of records is there but cannot be read.
pub fn numbers(run: &Run) -> Result<Numbers, StoreError> {
    run.kept().map_or_else(|| recompute(run), |kept| Ok(of_kept(run, kept)))
}

fn of_kept(run: &Run, kept: Kept) -> Numbers {
    let calibration = run.manifest.calibration.clone();
    let combined = stats::combine(&run.manifest.plan, kept.summaries);
    let summary = Summary { comparison: kept.comparison, curves: kept.curves, calibration, ..combined };
    Numbers { summary, problems: Vec::new(), missing: Vec::new() }
}

/// As [`numbers`], with the records of the run, without their texts unless the numbers take them. What is on disk is read
/// once. Beside kept numbers, a record that cannot be read is a problem and no error.
///
/// # Errors
/// As [`numbers`].
pub fn numbers_and_records(run: &Run) -> Result<(Numbers, Vec<Record>), StoreError> {
    let Some(kept) = run.kept() else {
        let all = Recorded::of(run)?;
        let summary = all.summary(run);
        return Ok((Numbers { summary, problems: all.problems, missing: all.missing }, all.records));
    };
    let (mut numbers, mut records) = (of_kept(run, kept), Vec::new());
    for name in run.targets() {
        let mut of_target = run.records(name)?.without_texts();
        for record in of_target.by_ref() {
            match record {
                Ok(record) => records.push(record),
                Err(error) => numbers.problems.push(error.to_string()),
            }
        }
        numbers.problems.extend(of_target.problems());
    }
    Ok((numbers, records))
}

/// The numbers of a run, made of its records whatever is kept beside them.
///
/// # Errors
/// When a file of records is there but cannot be read.
pub fn recompute(run: &Run) -> Result<Numbers, StoreError> {
    let all = Recorded::of(run)?;
    Ok(Numbers { summary: all.summary(run), problems: all.problems, missing: all.missing })
}

/// All that a run's numbers are made of.
#[derive(Default)]
struct Recorded {
    records: Vec<Record>,
    steps: Vec<Step>,
    samples: BTreeMap<TargetName, Vec<ServerSample>>,
    problems: Vec<String>,
    missing: Vec<String>,
}

impl Recorded {
    fn of(run: &Run) -> Result<Self, StoreError> {
        let mut read = Self::default();
        for name in run.targets() {
            let of_target = run.records(name)?;
            let mut of_target = if asks_again(run) { of_target } else { of_target.without_texts() };
            of_target.read_into(&mut read.records)?;
            read.problems.extend(of_target.problems());
            read.missing.extend(of_target.missing());
            read.steps.extend(all(run.steps(name)?, &mut read.problems)?);
            read.samples.insert(name.clone(), all(run.samples(name)?, &mut read.problems)?);
        }
        Ok(read)
    }

    fn summary(&self, run: &Run) -> Summary {
        let Self { records, steps, samples, .. } = self;
        let calibration = run.manifest.calibration.as_ref();
        let measured = stats::Measured { records, steps, samples, calibration };
        let mut summary = stats::summarise(&run.manifest.plan, &measured);
        if asks_again(run) {
            add_conversations(&mut summary, &run.manifest.plan, records);
        }
        summary
    }
}

/// Whether the run's conversations ask for what was told before. In one that was put together of others, a number means
/// several conversations, of several seeds.
fn asks_again(run: &Run) -> bool {
    matches!(run.manifest.plan.workload.prompts, PromptSource::Memory(_)) && run.manifest.sources.is_empty()
}

/// What was asked is a pure function of the plan: answers are judged by it again and again.
fn add_conversations(summary: &mut Summary, plan: &Plan, records: &[Record]) {
    for (target, of_target) in plan.targets.iter().zip(&mut summary.targets) {
        of_target.conversations = stats::conversations(target, records, |number| workload::script_of(plan, number));
    }
}

/// All of a series; what could not be read becomes a problem.
fn all<T: DeserializeOwned>(mut series: Series<T>, problems: &mut Vec<String>) -> Result<Vec<T>, StoreError> {
    let values = series.by_ref().collect();
    problems.extend(series.problems());
    values
}

/// How a run ends.
pub struct End<'a> {
    /// Complete, interrupted or failed.
    pub status: Status,
    /// When it ended.
    pub ended: Timestamp,
    /// Its numbers, where it came to any.
    pub summary: Option<&'a Summary>,
    /// What is to be kept with it.
    pub notes: &'a [String],
    /// Makes further files from the summary.
    pub pages: &'a Pages,
}

/// Seals a run with its numbers and what is made of them.
///
/// # Errors
/// As [`RunDir::seal`].
pub fn conclude(directory: &mut RunDir, end: &End<'_>) -> Result<Manifest, StoreError> {
    let plan = &directory.manifest().plan;
    let pages = end.summary.map_or_else(Vec::new, |summary| (end.pages)(summary, plan));
    let pages: Vec<_> = pages.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    let manifest = directory.seal(Seal {
        status: end.status,
        ended: end.ended,
        summaries: end.summary.map_or(&[], |summary| &summary.targets),
        curves: end.summary.map_or(&[], |summary| &summary.curves),
        comparison: end.summary.and_then(|summary| summary.comparison.as_ref()),
        files: &pages,
        quality: end.summary.map(|summary| &summary.quality),
        calibration: end.summary.and_then(|summary| summary.calibration.as_ref()),
        notes: end.notes,
    })?;
    Ok(manifest.clone())
}
