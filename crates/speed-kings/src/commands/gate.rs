//! `gate`: whether a run is worse than a baseline by more than it may be.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use miette::Report;
use schema::FORMAT_VERSION;
use schema::counted;
use schema::figure::Figure;
use schema::gate::{Bound, CheckVerdict, Difference, Gate, RunName};
use schema::manifest::{Manifest, Status};
use schema::plan::Slo;
use schema::record::Record;
use schema::summary::SloStatus;
use schema::target::TargetName;
use stats::gate::{Held, Judged, Readings, judge};
use stats::{Measured, StoredRun};
use store::Run;
use tempfile::NamedTempFile;

use crate::args::Output;
use crate::commands::Context;
use crate::commands::stored::{Shelf, records_of};
use crate::config::problem::Problem;
use crate::config::settings::parse_told;
use crate::outcome::{Exit, Failure};

/// Hold a run against a baseline, for continuous integration: exit status 3 when it is certainly worse than it may be.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings gate --baseline main --max-regression ttft_p95=5%,tpot_p50=3%
  speed-kings gate --baseline main latest --max-regression success_rate=0.5% --slo 'ttft_p95<200ms'
  speed-kings gate --baseline main --max-regression output_tokens_per_s=5% --strict
  speed-kings gate --baseline main --max-regression ttft_p95=5% \\
      --summary-md summary.md --junit gate.xml

Noise fails at most 5 gates in 100, all checks together. A baseline of several runs knows how much runs differ from
each other; one of a single run does not.")]
pub(crate) struct Args {
    /// The run: `latest`, its folder, its name, or how any of these begin.
    #[arg(default_value = "latest")]
    run: String,

    /// What it is held against: a baseline, a tag (all runs that have it), or a run.
    #[arg(long, value_name = "NAME")]
    baseline: String,

    /// How much worse a figure may be: a metric's percentile or mean, `output_tokens_per_s`, `requests_per_s`,
    /// `success_rate` (points) or `cost`.
    #[arg(long, value_name = "FIGURE=PERCENT", value_delimiter = ',', value_parser = parse_told::<Bound>)]
    max_regression: Vec<Bound>,

    /// Bound that the run has to meet by itself: `ttft_p95<200ms`.
    #[arg(long, value_name = "SLO", value_delimiter = ',', value_parser = parse_told::<Slo>)]
    slo: Vec<Slo>,

    /// The one target that counts.
    #[arg(long, value_name = "TARGET")]
    target: Option<TargetName>,

    /// Fail too when there is too little data to tell.
    #[arg(long)]
    strict: bool,

    /// Write a Markdown summary for a pull request here, in place of what was there.
    #[arg(long, value_name = "FILE")]
    summary_md: Option<PathBuf>,

    /// Write JUnit XML here, in place of what was there: a case a check.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    #[command(flatten)]
    shelf: Shelf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.max_regression.is_empty() && args.slo.is_empty() {
        let problem = Problem::new("there is nothing to hold the run to");
        return Err(problem.help("add `--max-regression ttft_p95=5%` or `--slo 'ttft_p95<200ms'`").into());
    }
    let baseline = Chosen::find(args)?;
    let run = args.shelf.open(&args.run, context)?;
    if baseline.runs.iter().any(|old| old.manifest.run_id == run.manifest.run_id) {
        let problem = Problem::new(format!("`{}` is part of `{}` itself", run.path.display(), args.baseline));
        return Err(problem.help("measure again, or name another run").into());
    }
    let gate = hold(args, &run, &baseline, context)?;
    deliver(args, &gate, context)?;
    Ok(match gate.verdict {
        CheckVerdict::Regression => Exit::NotMet,
        CheckVerdict::Undecided if args.strict => Exit::NotMet,
        CheckVerdict::Pass | CheckVerdict::Undecided => Exit::Done,
    })
}

/// What was meant by `--baseline`.
struct Chosen {
    runs: Vec<Run>,
    target: Option<TargetName>,
    notes: Vec<String>,
}

impl Chosen {
    /// A baseline of that name, else all runs that have it as a tag (without the one that is held against them), else a
    /// run.
    fn find(args: &Args) -> Result<Self, Failure> {
        let out = &args.shelf.out;
        let kept = store::baselines(out).map_err(Report::new)?;
        if let Some(baseline) = kept.get(&args.baseline) {
            let folders = store::baseline_folders(out, baseline).map_err(Report::new)?;
            let gone = folders.iter().filter(|folder| folder.is_none()).count();
            let notes =
                (gone > 0).then(|| format!("gone from the baseline: {gone} of {}", counted(folders.len(), "run")));
            let folders: Vec<PathBuf> = folders.into_iter().flatten().collect();
            if folders.is_empty() {
                let problem = miette::miette!(
                    help = "set it again: `speed-kings baseline set NAME RUN`; in continuous integration, restore the folder of the run too",
                    "all runs of the baseline `{}` are gone from `{}`",
                    args.baseline,
                    out.display()
                );
                return Err(problem.into());
            }
            return Self::open(&folders, baseline.target.clone(), notes.into_iter().collect());
        }
        let tagged = tagged(args)?;
        if !tagged.is_empty() {
            return Self::open(&tagged, None, Vec::new());
        }
        match store::find(out, &args.baseline) {
            Ok(folder) => Self::open(&[folder], None, Vec::new()),
            Err(store::StoreError::NotFound { .. }) => {
                Err(Report::new(store::no_baseline(&args.baseline, &kept)).into())
            }
            Err(error) => Err(Report::new(error).into()),
        }
    }

    fn open(folders: &[PathBuf], target: Option<TargetName>, notes: Vec<String>) -> Result<Self, Failure> {
        let runs = folders.iter().map(|folder| Run::open(folder).map_err(Report::new));
        Ok(Self { runs: runs.collect::<Result<_, _>>()?, target, notes })
    }
}

/// Complete runs that have the tag, without the run that is held against them.
fn tagged(args: &Args) -> Result<Vec<PathBuf>, Failure> {
    let entries = store::list(&args.shelf.out).map_err(Report::new)?;
    let run = store::find(&args.shelf.out, &args.run).ok();
    let has = |entry: &&store::Entry| {
        let head = entry.head.as_ref();
        let fits = head.is_ok_and(|head| head.tags.contains(&args.baseline) && head.status == Status::Complete);
        fits && run.as_ref() != Some(&entry.path)
    };
    Ok(entries.iter().filter(has).map(|entry| entry.path.clone()).collect())
}

/// All that a run has to show.
struct Shown {
    readings: Vec<Readings>,
    differences: Vec<Difference>,
}

fn hold(args: &Args, run: &Run, baseline: &Chosen, context: &Context) -> Result<Gate, Failure> {
    let figures: Vec<Figure> = args.max_regression.iter().map(|bound| bound.figure).collect();
    let wanted = args.target.as_ref().or(baseline.target.as_ref());
    let mut old = Vec::new();
    // The latest run of the baseline is the one that is looked at for differences.
    let latest = baseline.runs.iter().max_by_key(|run| run.manifest.epoch.wall).expect("a baseline has a run");
    for one in baseline.runs.iter().filter(|one| one.path != latest.path) {
        let shown = shown(one, None, &figures, &[], context)?;
        old.push(only(wanted, shown.readings));
    }
    let records = Kept::read(latest, context)?;
    let stored = records.stored(latest, "the baseline");
    let held = Held::new(&stored);
    old.push(only(wanted, held.readings(&figures, &[])));
    let new = shown(run, Some(&held), &figures, &args.slo, context)?;
    let readings = only(wanted, new.readings);
    if let Some(target) = wanted
        && readings.is_empty()
    {
        return Err(Problem::new(format!("the run has no target `{target}`"))
            .help("name one of the run's with `--target`, or set the baseline for another")
            .into());
    }
    let judged = judge(&readings, &old, &args.max_regression, run.manifest.plan.seed);
    if judged.checks.is_empty() && !args.max_regression.is_empty() {
        let problem = miette::miette!(
            help = "targets are compared by name: `speed-kings results show RUN` tells those of a run",
            "the run and `{}` have no target in common",
            args.baseline
        );
        return Err(problem.into());
    }
    let mut differences = new.differences;
    differences.retain(|difference| wanted.is_none_or(|wanted| *wanted == difference.target));
    Ok(gate(args, run, baseline, judged, differences))
}

/// The readings of the one target that counts, or of all.
fn only(wanted: Option<&TargetName>, mut readings: Vec<Readings>) -> Vec<Readings> {
    readings.retain(|one| wanted.is_none_or(|wanted| one.target == *wanted));
    readings
}

/// A run's records and steps in memory: those of one or two runs at a time.
struct Kept {
    records: Vec<Record>,
    steps: Vec<schema::curve::Step>,
}

impl Kept {
    fn read(run: &Run, context: &Context) -> Result<Self, Failure> {
        let mut steps = Vec::new();
        for target in run.targets() {
            let all = run.steps(target).map_err(Report::new)?.collect::<Result<Vec<_>, _>>();
            steps.extend(all.map_err(Report::new)?);
        }
        Ok(Self { records: records_of(run, context)?, steps })
    }

    fn stored<'a>(&'a self, run: &'a Run, label: &'a str) -> StoredRun<'a> {
        let manifest = &run.manifest;
        StoredRun {
            label,
            plan: &manifest.plan,
            measured: Measured { steps: &self.steps, ..Measured::records(&self.records) },
            machine: Some(&manifest.machine),
            program_version: Some(&manifest.program_version),
        }
    }
}

fn shown(
    run: &Run,
    earlier: Option<&Held<'_>>,
    figures: &[Figure],
    slos: &[Slo],
    context: &Context,
) -> Result<Shown, Failure> {
    let records = Kept::read(run, context)?;
    let stored = records.stored(run, "the run");
    let held = Held::new(&stored);
    let differences = earlier.map(|earlier| earlier.differences(&held)).unwrap_or_default();
    Ok(Shown { readings: held.readings(figures, slos), differences })
}

fn gate(args: &Args, run: &Run, baseline: &Chosen, judged: Judged, differences: Vec<Difference>) -> Gate {
    let mut notes = baseline.notes.clone();
    notes.extend(judged.notes);
    notes.extend(baseline.runs.iter().chain([run]).filter_map(|run| not_whole(&run.manifest)));
    Gate {
        format_version: FORMAT_VERSION,
        baseline_name: args.baseline.clone(),
        baseline: baseline.runs.iter().map(run_name).collect(),
        run: run_name(run),
        simulated: run.manifest.simulated || baseline.runs.iter().any(|run| run.manifest.simulated),
        verdict: verdict(&judged.checks, &judged.slos),
        confidence: judged.confidence,
        between_runs: judged.between_runs,
        checks: judged.checks,
        slos: judged.slos,
        differences,
        notes,
    }
}

fn verdict(checks: &[schema::gate::Check], slos: &[schema::gate::SloCheck]) -> CheckVerdict {
    let any_check = |verdict| checks.iter().any(|check| check.verdict == verdict);
    let any_slo = |status| slos.iter().any(|slo| slo.verdict.status == status);
    if any_check(CheckVerdict::Regression) || any_slo(SloStatus::Missed) {
        CheckVerdict::Regression
    } else if any_check(CheckVerdict::Undecided) || any_slo(SloStatus::Undecided) {
        CheckVerdict::Undecided
    } else {
        CheckVerdict::Pass
    }
}

fn not_whole(manifest: &Manifest) -> Option<String> {
    let status = manifest.status;
    (status != Status::Complete).then(|| format!("`{}` is not complete: {}", manifest.plan.name, status.in_words()))
}

pub(super) fn run_name(run: &Run) -> RunName {
    let folder = run.path.canonicalize().unwrap_or_else(|_| run.path.clone());
    RunName {
        folder: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        run_id: run.manifest.run_id.to_string(),
        started: run.manifest.epoch.wall,
        commit: run.manifest.git.as_ref().map(|git| git.commit.clone()),
    }
}

/// Prints the gate and writes the files that were asked for.
fn deliver(args: &Args, gate: &Gate, context: &Context) -> Result<(), Failure> {
    if let Some(file) = &args.summary_md {
        replace(file, &report::gate_markdown(gate))?;
        context.terminal.note(&format!("summary: {}", file.display()));
    }
    if let Some(file) = &args.junit {
        replace(file, &report::junit(gate, args.strict))?;
        context.terminal.note(&format!("JUnit: {}", file.display()));
    }
    context.terminal.print(&match context.output {
        Output::Table => report::gate(gate, context.terminal.style()),
        Output::Json => report::gate_json(gate),
        Output::Markdown => report::gate_markdown(gate),
        Output::Csv => report::gate_csv(gate),
    })
}

/// Makes a file of `text`: whole, in place of what was there. What is no ordinary file is written to as it is.
fn replace(file: &Path, text: &str) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let there = file.metadata().ok();
        if there.is_some_and(|found| !found.is_file()) {
            return fs::OpenOptions::new().write(true).open(file)?.write_all(text.as_bytes());
        }
        // A link stays one: what it names is replaced.
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut temporary = NamedTempFile::new_in(folder)?;
        temporary.write_all(text.as_bytes())?;
        open_to_all(temporary.as_file())?;
        temporary.persist(&file).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| {
        let help = "name a file in a folder that you may write to";
        miette::miette!(help = help, "`{}` cannot be written: {error}", file.display()).into()
    })
}

/// Temporary files are for their owner alone; a report is a file like any other.
#[cfg(unix)]
fn open_to_all(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_: &fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::Value;

    use crate::args::Cli;

    const EXAMPLE: &str = include_str!("../../../../examples/github-gate.yml");

    /// Every `run:` of a workflow, with lines that go on put together.
    fn scripts(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("run").and_then(Value::as_str).map(|run| run.replace("\\\n", " ")));
                map.values().for_each(|value| scripts(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| scripts(value, found)),
            _ => {}
        }
    }

    /// The words of a command, up to where its output goes; a word for each variable.
    fn words(line: &str) -> Vec<&str> {
        let words = line.split_whitespace().take_while(|word| !word.starts_with('>') && *word != "|");
        let bare = words.map(|word| word.trim_matches(['"', '\'']));
        bare.map(|word| if word.starts_with('$') { "variable" } else { word }).collect()
    }

    #[test]
    fn the_example_workflow_says_only_what_the_commands_understand() {
        let workflow: Value = serde_saphyr::from_str(EXAMPLE).unwrap();
        assert!(workflow["jobs"]["gate"]["steps"].as_array().unwrap().len() > 5);
        let mut found = Vec::new();
        scripts(&workflow, &mut found);
        let lines = found.iter().flat_map(|script| script.lines());
        let commands: Vec<Vec<&str>> = lines.map(words).filter(|words| words.first() == Some(&"speed-kings")).collect();
        let verbs: Vec<&str> = commands.iter().map(|words| words[1]).collect();
        assert_eq!(verbs, ["benchmark", "gate", "trend", "cleanup"]);
        for command in commands {
            Cli::try_parse_from(&command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        }
    }
}
