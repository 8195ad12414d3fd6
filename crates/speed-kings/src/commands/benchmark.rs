//! `benchmark`: measures targets and shows what came of it.

use std::collections::BTreeSet;
use std::path::Path;

use miette::Report;
use report::{Align, Cell, Column, Listing};
use runner::{Finished, Job, Stop};
use schema::manifest::Status;
use schema::plan::Plan;
use schema::progress::Follow;
use schema::summary::{Calibration, SloStatus, Summary, TargetSummary};
use transport::Clock;
use tui::{LiveView, Occasion};

use crate::args::Output;
use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::calibrate::{PARTS, calibrate};
use crate::commands::prepare::{Estimate, Prepared, estimate, prepare, resolved, tell};
use crate::commands::progress::{self, Display};
use crate::commands::sources::Asked;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Measure targets and compare them; on a terminal, watched while it happens.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings benchmark --mock
  speed-kings benchmark --providers groq,cerebras --model gpt-oss-120b --config standard
  speed-kings benchmark --url http://localhost:8000/v1 --model qwen3 --rate 5/s --duration 1m
  speed-kings benchmark --target a=vllm@http://a:8000 --target b=vllm@http://b:8000
  speed-kings benchmark --mock --slo 'ttft_p95<200ms,tpot_p99<30ms'
  speed-kings benchmark --mock=vllm --sweep
  speed-kings benchmark --mock=vllm --find-max=rate --slo 'ttft_p95<500ms'
  speed-kings benchmark --mock --users 20 --think exponential:2s --turns 4 --duration 1m
  speed-kings benchmark --mock --stages 'warm=2/s@10s,ramp=2/s..20/s@30s' --calibrate
  speed-kings benchmark --mock --replay trace.csv --replay-speed 10
  speed-kings benchmark --mock --duration 30s --no-tui
  speed-kings benchmark --providers all --budget 2usd --dry-run

Every flag but those of the screen is also a key of the YAML file, with `_` for `-`, and an environment variable:
--max-tokens 64, `max_tokens: 64`, SPEED_KINGS_MAX_TOKENS=64.")]
pub(crate) struct Args {
    /// Print the plan and what it would cost, and send nothing.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.dry_run {
        return dry_run(&args.run, context);
    }
    let wanted = Stage::wanted(&args.screen, context)?;
    let prepared = prepare(&args.run, &Way::BENCHMARK, context)?;
    let lacking = prepared.is_lacking();
    context.terminal.note_all(&cost_notes(&prepared.resolved.plan, &prepared.asked));
    let stop = Stop::new();
    super::interrupt::listen(&stop, context.terminal)?;
    let finished = if wanted {
        let mut stage = Stage::open(&args.screen, context)?;
        on_stage(&prepared, &stop, &mut stage)
    } else {
        in_lines(&prepared, &stop, args.screen.plain, context)
    };
    prepared.stop_simulated();
    let finished = finished?;
    show(&finished, context)?;
    Ok(exit(&finished, lacking))
}

/// Carries `prepared` out before everybody's eyes, its calibration first.
fn on_stage(prepared: &Prepared, stop: &Stop, stage: &mut Stage) -> Result<Finished, Failure> {
    let perform = |stage: &mut Stage, job: Job, occasion: Occasion| {
        let mut screen = LiveView::new(&job.plan, occasion);
        stage.perform(job, stop, &mut screen)
    };
    let mut calibrating = |job: Job, part: u8| perform(stage, job, Occasion::Calibration { part, of: PARTS });
    let calibration = prepared.resolved.calibrate.then(|| calibrate(prepared, stop, &mut calibrating));
    let mut job = job(prepared, None);
    job.calibration = calibration.transpose()?.flatten();
    if prepared.resolved.calibrate && job.calibration.is_none() && !stop.is_asked() {
        job.notes.push(NO_FLOOR.to_owned());
    }
    perform(stage, job, Occasion::Run)
}

/// What is said when calibrating told nothing.
const NO_FLOOR: &str = "calibrating came to nothing: too little was answered to tell this machine's floor";

/// Carries `prepared` out with a bar, or sentences.
fn in_lines(prepared: &Prepared, stop: &Stop, plain: bool, context: &Context) -> Result<Finished, Failure> {
    let calibration = if prepared.resolved.calibrate {
        context.terminal.note("calibrating: the same load against the built-in engine, a few seconds");
        let floor = calibrate(prepared, stop, &mut |job, _| Ok(runner::run(job, stop, |_| {}).map_err(Report::from)?))?;
        if floor.is_none() && !stop.is_asked() {
            context.terminal.note(NO_FLOOR);
        }
        floor
    } else {
        None
    };
    let job = job(prepared, calibration);
    if plain {
        let view = LiveView::new(&job.plan, Occasion::Run);
        return progress::in_sentences(job, stop, view, context.terminal);
    }
    let display = Display::new(&job.plan, context.terminal);
    let mut fold = display.clone();
    let finished = runner::run(job, stop, move |progress| fold.fold(progress));
    display.finish();
    Ok(finished.map_err(Report::from)?)
}

/// All that `prepared` needs to be carried out.
pub(super) fn job(prepared: &Prepared, calibration: Option<Calibration>) -> Job {
    Job {
        plan: prepared.resolved.plan.clone(),
        targets: prepared.resolved.targets.clone(),
        prompts: prepared.asked.prompts.clone(),
        trace: prepared.asked.trace.clone(),
        calibration,
        proxy: prepared.proxy.clone(),
        found: Vec::new(),
        notes: prepared.resolved.skipped.iter().map(|problem| format!("not measured: {problem}")).collect(),
        tags: prepared.resolved.tags.iter().map(ToString::to_string).collect::<BTreeSet<_>>().into_iter().collect(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        pages: Box::new(pages),
        clock: Clock::start(),
        follow: Follow::Records,
    }
}

/// The files that are made of a run's numbers for other programs.
pub(super) fn pages(summary: &Summary, _: &Plan) -> Vec<(String, Vec<u8>)> {
    let mut pages = vec![("summary.csv".to_owned(), report::csv(summary).into_bytes())];
    if let Some(comparison) = &summary.comparison {
        pages.push(("verdicts.csv".to_owned(), report::verdicts(comparison).csv().into_bytes()));
    }
    if summary.targets.iter().any(|target| target.conversations.is_some()) {
        pages.push(("conversation.csv".to_owned(), report::csv_conversations(summary).into_bytes()));
    }
    if !summary.curves.is_empty() {
        pages.push(("curves.csv".to_owned(), report::csv_curves(summary).into_bytes()));
    }
    pages
}

/// Prints a run's numbers, and says on stderr what belongs to them.
pub(super) fn show(finished: &Finished, context: &Context) -> Result<(), Failure> {
    context.print_run(&finished.summary, &finished.manifest)?;
    notes(finished, context);
    Ok(())
}

/// What is to be said of a run that is over, and where it is.
pub(super) fn notes(finished: &Finished, context: &Context) {
    for note in &finished.manifest.notes {
        context.terminal.note(&format!("note: {note}"));
    }
    if finished.manifest.status == Status::Interrupted {
        context.terminal.note("interrupted: what was measured until then is kept");
    }
    context.terminal.note(&format!("run kept in {}", finished.path.display()));
}

/// Where all of a run's numbers are to be had, for commands that end with less.
pub(super) fn point_to_all(run: &Path, context: &Context) {
    let run = shell_word(&run.display().to_string());
    context.terminal.note(&format!("`speed-kings results show {run}` shows all of its numbers"));
}

/// `text` as one word for a shell: in quotes where it holds what a shell would not take as it stands.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// 130 interrupted; 1 when something asked for could not be measured; 3 when an SLO was not met, be it for
/// want of requests, or no level of a search meets it.
pub(super) fn exit(finished: &Finished, lacking: bool) -> Exit {
    let targets = &finished.summary.targets;
    let not_met = |target: &TargetSummary| target.slos.iter().any(|v| v.status != SloStatus::Met);
    let answers = finished.summary.curves.iter().filter_map(|curve| curve.answer.as_ref());
    let no_level_does = answers.into_iter().any(|answer| answer.highest.is_none());
    if finished.manifest.status == Status::Interrupted {
        Exit::Interrupted
    } else if lacking || targets.iter().any(|target| target.completed == 0) {
        Exit::Failed
    } else if no_level_does || targets.iter().any(not_met) {
        Exit::NotMet
    } else {
        Exit::Done
    }
}

/// What the run can cost, where prices are known, and what a budget does not watch over.
pub(super) fn cost_notes(plan: &Plan, asked: &Asked) -> Vec<String> {
    let costs = plan.targets.iter().filter_map(|target| match estimate(target, plan, asked) {
        Estimate::UpTo(cost) => Some(cost),
        Estimate::ByTime | Estimate::NoPrice => None,
    });
    let total = costs.reduce(|sum, cost| sum + cost);
    let budget = plan.budget_usd.map_or_else(String::new, |budget| format!("; the budget is {budget}"));
    let total = total.map(|total| format!("estimated cost: up to about {total}{budget}"));
    total.into_iter().chain(unwatched(plan)).collect()
}

/// Nothing can be kept within a budget whose price is not known.
fn unwatched(plan: &Plan) -> Option<String> {
    let unpriced = plan.targets.iter().filter(|t| plan.budget_usd.is_some() && t.price.is_none() && !t.simulated);
    let names: Vec<_> = unpriced.map(|target| format!("`{}`", target.name)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "no price is known of {}: the budget does not count what they cost; `prices` gives one",
            names.join(", ")
        )
    })
}

fn dry_run(args: &RunArgs, context: &Context) -> Result<Exit, Failure> {
    let (resolved, asked) = resolved(args, &Way::BENCHMARK, context)?;
    let plan = &resolved.plan;
    tell(&resolved, context);
    context.terminal.note_all(&unwatched(plan).into_iter().collect::<Vec<_>>());
    if context.output != Output::Json {
        context.print_listing(&plan_listing(plan, &asked, &resolved.mock))?;
    }
    if matches!(context.output, Output::Json | Output::Table) {
        context.terminal.print(&serde_json::to_string_pretty(plan).expect("a plan is plain data"))?;
    }
    Ok(if resolved.skipped.is_empty() { Exit::Done } else { Exit::Failed })
}

fn plan_listing(plan: &Plan, asked: &Asked, mock: &[crate::config::settings::MockEngine]) -> Listing {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for target in &plan.targets {
        let cost = match estimate(target, plan, asked) {
            Estimate::UpTo(cost) => format!("up to {cost}"),
            Estimate::ByTime => "as much as it answers in time".to_owned(),
            Estimate::NoPrice => "no price known".to_owned(),
        };
        let cells = [target.name.to_string(), target.model.clone(), target.url.to_string(), cost];
        rows.push(cells.into_iter().map(Cell::Text).collect());
    }
    for engine in mock {
        let cells = [
            engine.target_name().to_string(),
            "SIMULATED".to_owned(),
            "started with the run".to_owned(),
            "nothing".to_owned(),
        ];
        rows.push(cells.into_iter().map(Cell::Text).collect());
    }
    let column = |key, heading| Column { key, heading, align: Align::Left };
    Listing {
        title: format!("Plan `{}`: nothing was sent", plan.name),
        columns: vec![
            column("target", "Target"),
            column("model", "Model"),
            column("url", "URL"),
            column("cost", "Cost"),
        ],
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(shell_word(path), expected);
    }

    #[test]
    fn a_path_is_one_word_for_a_shell() {
        check("results/test_quick_20260101_000000", "results/test_quick_20260101_000000");
        check("my runs/quick", "'my runs/quick'");
        check("it's/$HOME", r"'it'\''s/$HOME'");
        check("", "''");
    }
}
