//! `compare`: holds targets of stored runs against each other, and explains why other tools would print other figures.

use std::collections::BTreeMap;
use std::path::PathBuf;

use miette::Report;
use schema::comparison::{Comparison, Criterion};
use schema::curve::Step;
use schema::explain::Explanation;
use schema::plan::{Judging, Plan, Tie, Weights};
use schema::record::Record;
use schema::server::ServerSample;
use schema::target::{Target, TargetName};
use stats::{Measured, StoredRun};
use store::{Run, StoreError};

use crate::args::Output;
use crate::commands::Context;
use crate::commands::stored::{Shelf, readable};
use crate::config::problem::Problem;
use crate::config::settings::parse_told;
use crate::outcome::{Exit, Failure};

/// Hold targets of stored runs against each other.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings compare latest
  speed-kings compare monday tuesday
  speed-kings compare monday/vllm tuesday/vllm --metric ttft_p95,tpot_p50
  speed-kings compare monday tuesday --tie 5% --weights latency=3,cost=1
  speed-kings compare latest --explain
  speed-kings compare latest/vllm --explain --output csv

One run: its targets against each other, block by block. Several: all their targets, as measured apart. What is not like
with like is told below the figures.")]
pub(crate) struct Args {
    /// The runs: `latest`, folders, names, or how these begin; `RUN/TARGET` takes one target of a run.
    #[arg(required = true, value_name = "RUN[/TARGET]")]
    runs: Vec<String>,

    /// Only by these: `ttft_mean`, `ttft_p50`, `ttft_p95`, `ttft_p99`, `tpot_p50`, `e2e_p50`, `throughput`,
    /// `consistency`, `success`, `cost`.
    #[arg(long, value_name = "ttft_p95", value_delimiter = ',', value_parser = parse_told::<Criterion>)]
    metric: Vec<Criterion>,

    /// Differences up to this count as none; as the first run was judged unless told.
    #[arg(long, visible_alias = "margin", value_name = "3%", value_parser = parse_told::<Tie>)]
    tie: Option<Tie>,

    /// What counts for how much in the overall score: `latency=3,cost=1`.
    #[arg(long, value_name = "latency=3,cost=1", value_parser = parse_told::<Weights>)]
    weights: Option<Weights>,

    /// Read each recording under the definitions of six other tools, and say which figure moves and why: vLLM's bench,
    /// `GuideLLM`, `AIPerf`, inference-perf, genai-bench and llmperf.
    #[arg(long)]
    explain: bool,

    #[command(flatten)]
    shelf: Shelf,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for wanted in &args.runs {
        choose(wanted, args, context, &mut chosen)?;
    }
    if chosen.iter().map(|run| run.plan.targets.len()).sum::<usize>() < 2 && !args.explain {
        let problem = Problem::new("there is one target only, and nothing to compare it with");
        return Err(problem.help("name another run, or ask for `--explain`").into());
    }
    let kept = chosen.iter().map(|run| run.read(context)).collect::<Result<Vec<Kept>, Failure>>()?;
    let comparison = compare(&chosen, &kept, args);
    let explanations = if args.explain { explain(&chosen, &kept, context) } else { Vec::new() };
    if comparison.is_none() && explanations.is_empty() {
        return Err(miette::miette!("no answer was completed: there is nothing to explain").into());
    }
    print(&report::Compared { comparison: comparison.as_ref(), explanations: &explanations }, context)?;
    Ok(Exit::Done)
}

/// A run, with those of its targets that were asked for.
struct Chosen {
    run: Run,
    path: PathBuf,
    /// Its plan, with these targets only.
    plan: Plan,
}

/// Adds what `wanted` names: a run named twice is one run.
fn choose(wanted: &str, args: &Args, context: &Context, chosen: &mut Vec<Chosen>) -> Result<(), Failure> {
    let (path, target) = find(wanted, args)?;
    let known = chosen.iter().position(|known| known.path == path);
    let place = known.unwrap_or(chosen.len());
    if known.is_none() {
        let run = args.shelf.open(&path.to_string_lossy(), context)?;
        let plan = Plan { targets: Vec::new(), ..run.manifest.plan.clone() };
        chosen.push(Chosen { run, path, plan });
    }
    let Chosen { run, plan, .. } = &mut chosen[place];
    let all = &run.manifest.plan.targets;
    let asked = |one: &&Target| target.as_ref().is_none_or(|name| one.name.as_str() == name);
    let asked: Vec<&Target> = all.iter().filter(asked).collect();
    if asked.is_empty() {
        return Err(no_target(wanted, all).into());
    }
    let is_new = |one: &Target| plan.targets.iter().all(|known| known.name != one.name);
    let new: Vec<Target> = asked.into_iter().filter(|one| is_new(one)).cloned().collect();
    plan.targets.extend(new);
    Ok(())
}

fn no_target(wanted: &str, all: &[Target]) -> Problem {
    let names: Vec<String> = all.iter().map(|target| format!("`{}`", target.name)).collect();
    let wanted = schema::text::Untrusted::bounded(wanted, 120).for_terminal();
    let help = if names.is_empty() { "it has no targets".to_owned() } else { format!("it has {}", names.join(", ")) };
    Problem::new(format!("`{wanted}` names no target of that run")).help(help)
}

/// The folder of the run that `wanted` names, and the target, where it names one: what follows the last `/` unless all
/// of it is a run.
fn find(wanted: &str, args: &Args) -> Result<(PathBuf, Option<String>), Failure> {
    let whole = store::find(&args.shelf.out, wanted);
    let path = match (whole, wanted.rsplit_once('/')) {
        (Err(StoreError::NotFound { .. }), Some((run, target))) if !target.is_empty() => {
            let path = store::find(&args.shelf.out, run).map_err(Report::new)?;
            return Ok((same(path), Some(target.to_owned())));
        }
        (whole, _) => whole.map_err(Report::new)?,
    };
    Ok((same(path), None))
}

/// One spelling for one folder.
fn same(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}

/// What is on disk of the targets that were asked for.
struct Kept {
    records: Vec<Record>,
    steps: Vec<Step>,
    samples: BTreeMap<TargetName, Vec<ServerSample>>,
}

impl Chosen {
    fn read(&self, context: &Context) -> Result<Kept, Failure> {
        let mut kept = Kept { records: Vec::new(), steps: Vec::new(), samples: BTreeMap::new() };
        for Target { name, .. } in &self.plan.targets {
            kept.records.extend(readable(self.run.records(name).map_err(Report::new)?, context));
            kept.steps.extend(readable(self.run.steps(name).map_err(Report::new)?, context));
            let samples = readable(self.run.samples(name).map_err(Report::new)?, context);
            kept.samples.insert(name.clone(), samples);
        }
        Ok(kept)
    }

    /// What tells it from the others: its folder.
    fn label(&self) -> String {
        let folder = self.path.file_name().unwrap_or_default().to_string_lossy();
        folder.strip_prefix("test_").unwrap_or(&folder).to_owned()
    }
}

fn compare(chosen: &[Chosen], kept: &[Kept], args: &Args) -> Option<Comparison> {
    let labels: Vec<String> = chosen.iter().map(Chosen::label).collect();
    let runs = chosen.iter().zip(kept).zip(&labels).map(|((chosen, kept), label)| StoredRun {
        label,
        plan: &chosen.plan,
        measured: Measured {
            records: &kept.records,
            steps: &kept.steps,
            samples: &kept.samples,
            calibration: chosen.run.manifest.calibration.as_ref(),
        },
        machine: Some(&chosen.run.manifest.machine),
        program_version: Some(&chosen.run.manifest.program_version),
    });
    let mut comparison = stats::compare_runs(&runs.collect::<Vec<_>>(), &judging(chosen, args))?;
    if !args.metric.is_empty() {
        only(&args.metric, &mut comparison);
    }
    Some(comparison)
}

/// As the first run was judged, but for what was told.
fn judging(chosen: &[Chosen], args: &Args) -> Judging {
    let mut judging = chosen.first().map(|first| first.plan.judging.clone()).unwrap_or_default();
    judging.tie = args.tie.map_or(judging.tie, |tie| tie.0);
    judging.weights = args.weights.clone().map_or(judging.weights, |weights| weights.0);
    judging
}

/// Leaves only what is about these criteria: scores are made of others too.
fn only(criteria: &[Criterion], comparison: &mut Comparison) {
    comparison.rankings.retain(|ranking| criteria.contains(&ranking.criterion));
    comparison.fronts.retain(|front| criteria.contains(&front.latency));
    comparison.dimensions.clear();
    comparison.overall = None;
}

fn explain(chosen: &[Chosen], kept: &[Kept], context: &Context) -> Vec<Explanation> {
    let mut explanations = Vec::new();
    for (chosen, kept) in chosen.iter().zip(kept) {
        let records: Vec<&Record> = kept.records.iter().collect();
        for target in &chosen.plan.targets {
            match stats::explain(&chosen.plan, target, &records) {
                Some(explanation) => explanations.push(Explanation { run: chosen.label(), ..explanation }),
                None => context.terminal.note(&format!("note: no streamed answer of {} to explain", target.name)),
            }
        }
    }
    explanations
}

fn print(compared: &report::Compared<'_>, context: &Context) -> Result<(), Failure> {
    context.terminal.print(&match context.output {
        Output::Table => report::compare_table(compared, context.terminal.style()),
        Output::Json => report::compare_json(compared),
        Output::Markdown => report::compare_markdown(compared),
        Output::Csv => report::compare_csv(compared),
    })
}
