//! `baseline`: names for runs that later ones are held against.

use clap::Subcommand;
use miette::Report;
use report::{Align, Cell, Column, Listing};
use schema::counted;
use schema::target::TargetName;
use store::{Baseline, BaselineRun, Run};

use crate::commands::Context;
use crate::commands::stored::Shelf;
use crate::config::problem::Problem;
use crate::outcome::{Exit, Failure};

/// Name the runs that later ones are held against by `gate`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings baseline set main latest
  speed-kings baseline set main monday tuesday wednesday     several tell how much runs differ
  speed-kings baseline show
  speed-kings baseline rm main")]
pub(crate) struct Args {
    #[command(subcommand)]
    job: Job,

    #[command(flatten)]
    shelf: Shelf,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Keep runs as a baseline, in place of what it was.
    #[command(after_help = "\
Examples:
  speed-kings baseline set main latest
  speed-kings baseline set main monday tuesday wednesday thursday friday
  speed-kings baseline set groq latest --target groq")]
    Set {
        /// What to call it.
        name: String,

        /// Its runs: `latest`, a folder, a name, or how any of these begin.
        #[arg(required = true)]
        runs: Vec<String>,

        /// The one target that counts; all unless given.
        #[arg(long, value_name = "TARGET")]
        target: Option<TargetName>,
    },
    /// Show the baselines there are, or one.
    #[command(after_help = "\
Examples:
  speed-kings baseline show
  speed-kings baseline show main --output json")]
    Show {
        /// Which; all unless given.
        name: Option<String>,
    },
    /// Forget a baseline; its runs stay.
    #[command(after_help = "\
Examples:
  speed-kings baseline rm main")]
    Rm {
        /// Which.
        name: String,
    },
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.job {
        Job::Set { name, runs, target } => set(name, runs, target.as_ref(), &args.shelf, context)?,
        Job::Show { name } => show(name.as_deref(), &args.shelf, context)?,
        Job::Rm { name } => {
            let gone = store::remove_baseline(&args.shelf.out, name).map_err(Report::new)?;
            let runs = match gone.runs.len() {
                1 => "run".to_owned(),
                runs => counted(runs, "run"),
            };
            context.terminal.note(&format!("`{name}` is no baseline any more; its {runs} stayed"));
        }
    }
    Ok(Exit::Done)
}

fn set(
    name: &str,
    runs: &[String],
    target: Option<&TargetName>,
    shelf: &Shelf,
    context: &Context,
) -> Result<(), Failure> {
    let mut kept: Vec<BaselineRun> = Vec::new();
    for wanted in runs {
        let run = shelf.open(wanted, context)?;
        let one = in_shelf(&run, shelf)?;
        if let Some(target) = target {
            has_target(&run, target)?;
        }
        if !kept.contains(&one) {
            kept.push(one);
        }
    }
    let count = kept.len();
    let baseline = Baseline { runs: kept, target: target.cloned() };
    store::set_baseline(&shelf.out, name, baseline).map_err(Report::new)?;
    let alone = if count == 1 { "; with several it also tells how much runs differ from day to day" } else { "" };
    context.terminal.note(&format!("`{name}` is a baseline of {}{alone}", counted(count, "run")));
    Ok(())
}

/// A baseline is kept in the folder of its runs.
fn in_shelf(run: &Run, shelf: &Shelf) -> Result<BaselineRun, Failure> {
    let folder = |path: &std::path::Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let path = folder(&run.path);
    let name = path.file_name().and_then(std::ffi::OsStr::to_str);
    if let Some(name) = name.filter(|_| path.parent() == Some(&folder(&shelf.out))) {
        return Ok(BaselineRun { run_id: run.manifest.run_id.to_string(), folder: name.to_owned() });
    }
    let (path, out) = (run.path.display(), shelf.out.display());
    let problem = Problem::new(format!("`{path}` is not in `{out}`, where the baseline would be kept"));
    Err(problem.help("name the folder that holds the run with `--out`, or move the run there").into())
}

fn has_target(run: &Run, target: &TargetName) -> Result<(), Failure> {
    if run.targets().any(|name| name == target) {
        return Ok(());
    }
    let names: Vec<String> = run.targets().map(|name| format!("`{name}`")).collect();
    let problem = Problem::new(format!("`{}` has no target `{target}`", run.manifest.plan.name));
    Err(problem.help(format!("it has {}", names.join(", "))).into())
}

fn show(name: Option<&str>, shelf: &Shelf, context: &Context) -> Result<(), Failure> {
    let mut all = store::baselines(&shelf.out).map_err(Report::new)?;
    if let Some(name) = name {
        if !all.contains_key(name) {
            return Err(Report::new(store::no_baseline(name, &all)).into());
        }
        all.retain(|kept, _| kept == name);
    }
    let mut rows = Vec::new();
    for (name, baseline) in &all {
        let folders = store::baseline_folders(&shelf.out, baseline).map_err(Report::new)?;
        for (run, folder) in baseline.runs.iter().zip(folders) {
            rows.push(row(name, baseline, run, folder.as_deref()));
        }
    }
    let empty = rows.is_empty();
    context.print_listing(&listing(rows))?;
    if empty {
        let out = shelf.out.display();
        context.terminal.note(&format!("no baselines in `{out}`; `speed-kings baseline set NAME RUN` makes one"));
    }
    Ok(())
}

fn listing(rows: Vec<Vec<Cell>>) -> Listing {
    let column = |key, heading| Column { key, heading, align: Align::Left };
    Listing {
        columns: vec![
            column("baseline", "Baseline"),
            column("target", "Target"),
            column("run", "Run"),
            column("started", "Started"),
            column("run_id", "Id"),
            column("there", "There"),
        ],
        rows,
        title: String::new(),
    }
}

fn row(name: &str, baseline: &Baseline, run: &BaselineRun, folder: Option<&std::path::Path>) -> Vec<Cell> {
    let manifest = folder.and_then(|folder| Run::open(folder).ok()).map(|run| run.manifest);
    let text = |text: &str| Cell::Text(text.to_owned());
    let here = folder.and_then(|folder| folder.file_name()?.to_str()).unwrap_or(&run.folder);
    vec![
        text(name),
        baseline.target.as_ref().map_or(Cell::Empty, |target| text(target.as_str())),
        text(here),
        manifest
            .map_or(Cell::Empty, |manifest| text(&manifest.epoch.wall.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())),
        text(&run.run_id),
        Cell::Flag(folder.is_some()),
    ]
}
