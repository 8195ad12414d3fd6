//! `trend`: one figure of one target over stored runs.

use std::path::Path;

use jiff::Timestamp;
use miette::Report;
use schema::counted;
use schema::figure::{At, Figure};
use schema::gate::RunName;
use schema::metric::Metric;
use schema::plan::Slo;
use schema::record::Record;
use schema::summary::{Distribution, Estimate, Percentile, SloStatus, TargetSummary};
use schema::target::{Target, TargetName};
use schema::trend::{BudgetUnit, Trend, TrendPoint};
use schema::units::Quantile;
use stats::{Compared, Counted, Objective};
use store::{Entry, Run};

use crate::args::Output;
use crate::commands::Context;
use crate::commands::results::FilterArgs;
use crate::commands::stored::Shelf;
use crate::config::problem::Problem;
use crate::config::settings::parse_told;
use crate::outcome::{Exit, Failure};

/// The seed of what is random in a trend: the same runs always say the same.
const SEED: u64 = 1;

/// Show a figure of a target over stored runs: where it changed, whether it drifts, and what is to be expected.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings trend vllm
  speed-kings trend groq --metric tpot_p50 --since 30d --tag nightly
  speed-kings trend vllm --metric output_tokens_per_s --output csv
  speed-kings trend vllm --slo 'ttft<500ms' --objective 99% --period 30 --window 7

The forecast is of single runs: the level since the last change, or the Theil–Sen line where a drift is shown
(Mann–Kendall), with its 95 % prediction interval.
With `--slo` exit status 3 says that the budget of misses is certainly used up.")]
pub(crate) struct Args {
    /// The target, by its name.
    of: TargetName,

    /// Which figure: a metric's p50, p90, p95, p99 or mean, `output_tokens_per_s`, `requests_per_s`, `success_rate` or
    /// `cost`. Unless told: `ttft_p95`, or `ttft_p50` where no run has the requests for the other.
    #[arg(long, value_name = "FIGURE", value_parser = parse_told::<Figure>)]
    metric: Option<Figure>,

    /// Days after the last run that the forecast reaches.
    #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=365))]
    ahead: u32,

    /// Tell how much of the misses that an objective allows was used: of requests for an SLO such as `ttft<500ms`, of runs
    /// for one of a percentile.
    #[arg(long, value_name = "SLO", value_parser = parse_told::<Slo>)]
    slo: Option<Slo>,

    /// Share that is to keep the SLO.
    #[arg(long, value_name = "PERCENT", default_value = "99%", requires = "slo", value_parser = objective)]
    objective: f64,

    /// Days that the budget is for, back from the last run.
    #[arg(long, value_name = "DAYS", default_value_t = 30.0, requires = "slo", value_parser = days)]
    period: f64,

    /// Days of one window within the period.
    #[arg(long, value_name = "DAYS", default_value_t = 7.0, requires = "slo", value_parser = days)]
    window: f64,

    #[command(flatten)]
    filter: FilterArgs,

    #[command(flatten)]
    shelf: Shelf,
}

/// Above 0 and below 100 %.
fn objective(text: &str) -> Result<f64, String> {
    let percent = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
    let share = percent.map(|percent| percent / 100.0).filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "write a percentage above 0 and below 100, like `99%` or `99.9%`".to_owned())
}

fn days(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('d').parse::<f64>().ok();
    let days = number.filter(|days| (0.01..=3_650.0).contains(days));
    days.ok_or_else(|| "write a number of days, like `30` or `0.5`".to_owned())
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    args.metric.map_or(Ok(()), check)?;
    let runs = read(args, context)?;
    let points = |figure| runs.iter().filter_map(|run| run.point(figure)).collect::<Vec<_>>();
    let unless_told = [Quantile::P95, Quantile::P50].map(|q| Figure::Metric(Metric::Ttft, At::Quantile(q)));
    let figures = args.metric.as_ref().map_or(&unless_told[..], std::slice::from_ref);
    let known = figures.iter().map(|figure| (*figure, points(*figure))).find(|(_, points)| !points.is_empty());
    let Some((figure, points)) = known else { return Err(nothing(args, figures[0], runs.len())) };
    let mut trend = stats::trend(&args.of, figure, points, args.ahead, SEED);
    explain_changes(&mut trend, &runs);
    trend.notes.extend(notes(&trend, &runs));
    if let Some(slo) = args.slo {
        let objective = Objective {
            slo,
            share: args.objective,
            unit: if slo.quantile.is_some() { BudgetUnit::Runs } else { BudgetUnit::Requests },
            period_days: args.period,
            window_days: args.window,
        };
        let counted = counts(&objective, &runs, context)?;
        trend.budget = stats::error_budget(&objective, &counted);
        if trend.budget.is_none() {
            let budget = "note: no budget can be told: none of these runs has the requests to judge";
            context
                .terminal
                .note(&format!("{budget} {slo}; an SLO of single requests, such as `ttft<500ms`, always can be"));
        }
    }
    context.terminal.print(&match context.output {
        Output::Table => report::trend(&trend, context.terminal.style()),
        Output::Json => report::trend_json(&trend),
        Output::Markdown => report::trend_markdown(&trend),
        Output::Csv => report::trend_csv(&trend),
    })?;
    let used_up = trend.budget.and_then(|budget| budget.consumed.low).is_some_and(|low| low > 1.0);
    Ok(if used_up { Exit::NotMet } else { Exit::Done })
}

/// Summaries hold four percentiles.
fn check(figure: Figure) -> Result<(), Problem> {
    let kept = [Quantile::P50, Quantile::P90, Quantile::P95, Quantile::P99];
    match figure {
        Figure::Metric(_, At::Quantile(q)) if !kept.contains(&q) => {
            Err(Problem::new(format!("`{figure}` is not kept with runs")).help("use p50, p90, p95, p99 or mean"))
        }
        _ => Ok(()),
    }
}

/// One run that has the target.
struct Kept {
    name: RunName,
    path: std::path::PathBuf,
    summary: TargetSummary,
}

impl Kept {
    fn point(&self, figure: Figure) -> Option<TrendPoint> {
        let value = value(&self.summary, figure).filter(|estimate| estimate.value.is_finite())?;
        Some(TrendPoint { run: self.name.clone(), value, simulated: self.summary.simulated })
    }
}

/// A figure as the summary has it; absent where it was withheld or nothing completed.
fn value(summary: &TargetSummary, figure: Figure) -> Option<Estimate> {
    let any = summary.completed > 0;
    match figure {
        Figure::Metric(metric, at) => of_distribution(summary.metrics.get(&metric)?, at),
        Figure::OutputTokensPerS => any.then_some(summary.throughput.output_tokens_per_s),
        Figure::RequestsPerS => any.then_some(summary.throughput.requests_per_s),
        Figure::SuccessRate => {
            let share = Estimate { value: summary.success_rate, low: None, high: None };
            (summary.attempted > 0).then_some(share)
        }
        Figure::Cost => summary.cost.as_ref()?.per_request_usd,
    }
}

fn of_distribution(distribution: &Distribution, at: At) -> Option<Estimate> {
    let percentile = match at {
        At::Mean => return Some(distribution.mean),
        At::Quantile(q) if q == Quantile::P50 => &distribution.p50,
        At::Quantile(q) if q == Quantile::P90 => &distribution.p90,
        At::Quantile(q) if q == Quantile::P95 => &distribution.p95,
        At::Quantile(q) if q == Quantile::P99 => &distribution.p99,
        At::Quantile(_) => return None,
    };
    Percentile::known(percentile).copied()
}

/// The runs that have the target, oldest first: heads and summaries are read, and no records.
fn read(args: &Args, context: &Context) -> Result<Vec<Kept>, Failure> {
    let entries = store::list(&args.shelf.out).map_err(Report::new)?;
    let filter = args.filter.filter(Timestamp::now());
    let (mut runs, mut without) = (Vec::new(), 0);
    for entry in entries.iter().rev() {
        let Ok(head) = &entry.head else { continue };
        let has = head.targets.iter().any(|target| target.name == args.of);
        if !has || !filter.matches(&entry.folder, head) {
            continue;
        }
        match store::summary_in(&entry.path, &args.of) {
            Ok(Some(summary)) => runs.push(Kept { name: name(entry, head), path: entry.path.clone(), summary }),
            Ok(None) | Err(_) => without += 1,
        }
    }
    if without > 0 {
        context.terminal.note(&format!(
            "note: {} without numbers to read left out: not finished, or `speed-kings reprocess` or `migrate` would make them",
            counted(without, "run")
        ));
    }
    Ok(runs)
}

fn name(entry: &Entry, head: &store::Head) -> RunName {
    RunName { folder: entry.folder.clone(), run_id: head.run_id.clone(), started: head.started, commit: None }
}

fn nothing(args: &Args, figure: Figure, runs: usize) -> Failure {
    let out = args.shelf.out.display();
    let why = if runs == 0 {
        format!("no run in `{out}` that is meant has numbers of a target `{}`", args.of)
    } else {
        format!("`{}` has {}, and no value of {figure}", args.of, counted(runs, "run"))
    };
    miette::miette!(help = "`speed-kings results list` shows the runs and their targets", "{why}").into()
}

/// Adds what else differed where a level began: the manifests of the runs on both sides are read.
fn explain_changes(trend: &mut Trend, runs: &[Kept]) {
    let open = |id: &str| {
        let kept = runs.iter().find(|run| run.name.run_id == id)?;
        Run::open(&kept.path).ok()
    };
    let ids: Vec<String> = trend.points.iter().map(|point| point.run.run_id.clone()).collect();
    for change in &mut trend.changes {
        let before = change.index.checked_sub(1).and_then(|index| open(&ids[index]));
        let (Some(before), Some(after)) = (before, open(&change.began.run_id)) else { continue };
        change.began.commit = after.manifest.git.as_ref().map(|git| git.commit.clone());
        change.differences = differences(&before, &after, &trend.target);
    }
}

/// In what was asked, by whom and of whom, two runs differ.
fn differences(before: &Run, after: &Run, target: &TargetName) -> Vec<String> {
    let of = |run: &Run| run.manifest.plan.targets.iter().find(|one| one.name == *target).cloned();
    let (Some(one), Some(other)) = (of(before), of(after)) else { return Vec::new() };
    let sides = [side(before, &one, "before"), side(after, &other, "after")];
    stats::unlike(&sides).into_iter().map(|unlike| unlike.detail).collect()
}

fn side<'a>(run: &'a Run, target: &'a Target, label: &str) -> Compared<'a> {
    Compared {
        label: label.to_owned(),
        plan: &run.manifest.plan,
        target,
        requests: Vec::new(),
        machine: Some(&run.manifest.machine),
        program_version: Some(&run.manifest.program_version),
    }
}

/// What a reader must know: runs that are not alike.
fn notes(trend: &Trend, runs: &[Kept]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut models: Vec<&str> = runs.iter().map(|run| run.summary.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    if models.len() > 1 {
        notes.push(format!("the target stood for {} models: {}; `--model` takes one", models.len(), models.join(", ")));
    }
    let simulated = trend.points.iter().filter(|point| point.simulated).count();
    if simulated > 0 && simulated < trend.points.len() {
        notes.push(format!("SIMULATED: {simulated} of {}", counted(trend.points.len(), "run")));
    }
    let without = runs.len() - trend.points.len();
    if without > 0 {
        let runs = counted(runs.len(), "run");
        notes.push(format!("without such a figure, for too few requests or none completed: {without} of {runs}"));
    }
    notes
}

/// What each run adds to the budget: by its summary where that has it, else by its records.
fn counts(objective: &Objective, runs: &[Kept], context: &Context) -> Result<Vec<Counted>, Failure> {
    let mut counted = Vec::new();
    for run in runs {
        let added = match objective.unit {
            BudgetUnit::Runs => by_run(&objective.slo, &run.summary),
            BudgetUnit::Requests => by_requests(&objective.slo, run, context)?,
        };
        counted.extend(added.map(|(good, all)| Counted { at: run.name.started, all, good }));
    }
    Ok(counted)
}

/// Whether the run's percentile is within its bound; a run of which nothing completed is a miss.
fn by_run(slo: &Slo, summary: &TargetSummary) -> Option<(u64, u64)> {
    let figure = Figure::Metric(slo.metric, At::Quantile(slo.quantile?));
    if let Some(estimate) = value(summary, figure) {
        return Some((u64::from(slo.met_by(estimate.value)), 1));
    }
    let judged = summary.slos.iter().find(|verdict| verdict.slo == *slo && verdict.status != SloStatus::Undecided);
    match judged {
        Some(verdict) => Some((u64::from(verdict.status == SloStatus::Met), 1)),
        None => (summary.attempted > 0 && summary.completed == 0).then_some((0, 1)),
    }
}

/// Requests that kept the bound one by one: the share of any SLO on the same metric and bound is that.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn by_requests(slo: &Slo, run: &Kept, context: &Context) -> Result<Option<(u64, u64)>, Failure> {
    let of = |share: f64, all: u64| ((share * all as f64).round() as u64, all);
    let same = |kept: &Slo| kept.metric == slo.metric && kept.bound.total_cmp(&slo.bound).is_eq();
    let all = run.summary.attempted;
    if all == 0 {
        return Ok(None);
    }
    if let Some(verdict) = run.summary.slos.iter().find(|verdict| same(&verdict.slo)) {
        return Ok(Some(of(verdict.share, all)));
    }
    Ok(share_of_records(slo, &run.path, &run.summary.target, context)?.map(|share| of(share, all)))
}

fn share_of_records(slo: &Slo, path: &Path, target: &TargetName, context: &Context) -> Result<Option<f64>, Failure> {
    let run = Run::open(path).map_err(Report::new)?;
    let records = run.records(target).map_err(Report::new)?;
    let records: Vec<Record> = crate::commands::stored::readable(records, context);
    let plan = schema::plan::Plan { slos: vec![*slo], ..run.manifest.plan.clone() };
    let own: Vec<&Record> = records.iter().collect();
    Ok(stats::judge_slos(&plan, &own).first().filter(|_| !own.is_empty()).map(|verdict| verdict.share))
}
