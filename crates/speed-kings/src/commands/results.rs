//! `results`: browses the runs on disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use report::{Align, Cell, Column, Listing};
use schema::record::Record;
use schema::summary::Summary;
use stats::Measured;
use store::{Entry, Head, Run, StoreError};

use crate::commands::Context;
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

    /// Folder that holds the runs.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "SPEED_KINGS_OUT",
        hide_env = true,
        default_value = "results"
    )]
    out: PathBuf,
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
    let entries = store::list(&args.out).map_err(miette::Report::new)?;
    context.print_listing(&listing(&entries))?;
    if entries.is_empty() {
        let out = args.out.display();
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
    let path = store::find(&args.out, wanted).map_err(miette::Report::new)?;
    let run = Run::open(&path).map_err(miette::Report::new)?;
    for what in &run.missing {
        context.terminal.note(&format!("note: {what}"));
    }
    let summary = summary_of(&run, context)?;
    context.print_summary(&summary, &run.manifest.plan)?;
    context.terminal.note(&format!("run: {}", run.path.display()));
    Ok(())
}

/// The numbers kept with a sealed run; those of one that was not sealed are made from its records.
fn summary_of(run: &Run, context: &Context) -> Result<Summary, Failure> {
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
fn records_of(run: &Run, context: &Context) -> Result<Vec<Record>, Failure> {
    let mut records: Vec<Record> = Vec::new();
    for target in run.targets() {
        records.extend(readable(run.records(target).map_err(miette::Report::new)?, context));
    }
    Ok(records)
}
