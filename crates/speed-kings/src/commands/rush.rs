//! `rush`: a crowd at each target, held against one user alone.
//!
//! Two runs, each stored like any other: one user alone at each target, then the crowd. Both carry the same tag, and the
//! crowd's notes name the other's folder.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use miette::Report;
use runner::{Finished, Job, RunError, Stop};
use schema::counted;
use schema::manifest::Status;
use schema::plan::{Load, Pause, Plan, Stop as Enough};
use schema::progress::{Follow, Progress};
use schema::summary::Summary;
use schema::units::{Moment, Nanos, Usd};
use stats::Change;
use tui::{Rush, Screen as _};

use crate::args::Output;
use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::prepare::{Prepared, prepare};
use crate::commands::progress::{Display, Told, in_sentences};
use crate::commands::{Context, benchmark};
use crate::config::verb::RUSH;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Send a crowd to each target, all at once, and see what that does to each of its users.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings rush --mock
  speed-kings rush --mock=vllm --crowd-size 100 --duration 20s
  speed-kings rush --url http://localhost:8000/v1 --model qwen3 --crowd-size 80
  speed-kings rush --providers groq,cerebras --model gpt-oss-120b --budget 50cents
  speed-kings rush --mock --waves 3 --wave-every 5s
  speed-kings rush --mock --back-to-back --plain

One user alone is measured first, as a run of its own; what the crowd makes of its figures is told at the end.")]
pub(crate) struct Args {
    /// Users at each target, all at once: each asks again as soon as it is answered. With `--waves`, requests of a wave.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    crowd_size: u32,

    /// Requests of one user alone at each target first, for the crowd to be held against; 0: none.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=10_000))]
    alone: u32,

    /// One target after the other, not all at the same time.
    #[arg(long)]
    back_to_back: bool,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

impl Args {
    /// What makes a load a rush: `crowd` requests in waves, or users who ask again and again.
    fn settled(&self, in_waves: bool) -> String {
        let load = if in_waves { "crowd" } else { "users" };
        format!("{load}: {}\nblocks: 1\nside_by_side: {}\n", self.crowd_size, !self.back_to_back)
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = Stage::wanted(&args.screen, context)?;
    let layered = args.run.layered(context, &Way { verb: &RUSH, settled: "" })?;
    let settled = args.settled(layered.settings().waves.is_some());
    let prepared = prepare(&args.run, &Way { verb: &RUSH, settled: &settled }, context)?;
    context.terminal.note_all(&benchmark::cost_notes(&prepared.resolved.plan, &prepared.asked));
    let stop = Stop::new();
    super::interrupt::listen(&stop, context.terminal)?;
    let plan = &prepared.resolved.plan;
    let first = if args.alone > 0 { alone_plan(plan, args.alone) } else { plan.clone() };
    let rush = Rush::new(&first, args.crowd_size, args.alone > 0);
    let before = if wanted {
        Before::Screen(Box::new(Stage::open(&args.screen, context)?), Box::new(rush))
    } else if args.screen.plain {
        Before::Sentences(Shared(Arc::new(Mutex::new(rush))))
    } else {
        Before::Bar
    };
    let show = Show { prepared: &prepared, stop: &stop, before, context };
    let told = show.carry_out(args);
    let lacking = prepared.is_lacking();
    prepared.stop_simulated();
    let told = told?;
    told.print(context)?;
    Ok(match &told.crowd {
        Ok(crowd) => benchmark::exit(crowd, lacking),
        Err(NoCrowd::Stopped) => Exit::Interrupted,
        Err(NoCrowd::TooDear { .. }) => Exit::Failed,
    })
}

/// One user alone, asking so often.
fn alone_plan(plan: &Plan, requests: u32) -> Plan {
    Plan {
        name: format!("{}-alone", plan.name),
        load: Load::Users {
            users: 1,
            think: Pause::NONE,
            session_requests: u32::MAX,
            session_pause: Pause::NONE,
            arrive_over_ns: Nanos::ZERO,
        },
        stop: Enough::Requests(requests.into()),
        // Bounds are for the crowd. Its prompts are of the same kind, and not the same: no cache has seen them.
        slos: Vec::new(),
        seed: plan.seed.wrapping_add(1),
        ..plan.clone()
    }
}

/// The crowd after one alone, which has warmed everything up and spent its part of the budget.
fn crowd_plan(plan: &Plan, alone: Option<&Summary>) -> Plan {
    let Some(alone) = alone else { return plan.clone() };
    let costs = alone.targets.iter().filter_map(|target| target.cost.as_ref());
    let spent = costs.fold(Usd::ZERO, |sum, cost| sum + cost.total_usd + cost.warmup_usd);
    Plan { warmup: 0, budget_usd: plan.budget_usd.map(|budget| left(budget, spent)), ..plan.clone() }
}

/// What the crowd does.
fn in_words(plan: &Plan) -> String {
    match (&plan.load, plan.stop) {
        (Load::Users { users, .. }, Enough::DurationNs(length)) => {
            format!("{} at once, for {length}", counted(*users, "user"))
        }
        (load, _) => load.to_string(),
    }
}

/// What is left of a budget.
fn left(budget: Usd, spent: Usd) -> Usd {
    Usd((budget.0 - spent.0).max(Usd::ZERO.0))
}

/// Before whom a rush takes place.
enum Before {
    /// A person at a terminal.
    Screen(Box<Stage>, Box<Rush>),
    /// Somebody who reads sentences.
    Sentences(Shared),
    /// Somebody who sees a bar, or nobody.
    Bar,
}

/// A rush that is told on a thread of its own.
#[derive(Clone)]
struct Shared(Arc<Mutex<Rush>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Rush> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told for Shared {
    fn fold(&mut self, progress: &Progress) {
        self.lock().fold(progress);
    }

    fn in_words(&mut self, now: Moment) -> Vec<String> {
        self.lock().in_words(now)
    }
}

/// A rush that is being carried out.
struct Show<'a> {
    prepared: &'a Prepared,
    stop: &'a Stop,
    before: Before,
    context: &'a Context,
}

impl Show<'_> {
    fn carry_out(mut self, args: &Args) -> Result<Rushed, Failure> {
        let plan = &self.prepared.resolved.plan;
        let tag = format!("rush-{}", plan.seed);
        let mut alone = None;
        if args.alone > 0 {
            let one = alone_plan(plan, args.alone);
            self.say(&format!("first, one user alone at each target: {}", counted(args.alone, "request")));
            let finished = self.perform(Job { plan: one, ..self.job(&tag) })?;
            if self.stop.is_asked() || finished.manifest.status != Status::Complete {
                return Ok(Rushed { alone: Some(finished), crowd: Err(NoCrowd::Stopped), changes: Vec::new() });
            }
            alone = Some(finished);
        }
        let plan = crowd_plan(plan, alone.as_ref().map(|finished| &finished.summary));
        self.let_in(&plan, alone.is_some());
        self.say(&format!("the crowd at each target: {}", in_words(&plan)));
        let mut job = Job { plan, ..self.job(&tag) };
        if let Some(alone) = &alone {
            job.notes.push(format!("one user alone was measured first, in {}", alone.path.display()));
            let summary = alone.summary.clone();
            job.pages = Box::new(move |crowd, plan| {
                let changes = stats::degradation(&summary, crowd);
                let table = report::degradation_rows(&changes).csv().into_bytes();
                benchmark::pages(crowd, plan).into_iter().chain([("degradation.csv".to_owned(), table)]).collect()
            });
        }
        let clock = job.clock;
        let crowd = match self.perform(job) {
            Ok(crowd) => crowd,
            Err(failure) => match NoCrowd::of(&failure) {
                Some(why) if alone.is_some() => return Ok(Rushed { alone, crowd: Err(why), changes: Vec::new() }),
                _ => return Err(failure),
            },
        };
        let changes =
            alone.as_ref().map(|alone| stats::degradation(&alone.summary, &crowd.summary)).unwrap_or_default();
        if let Before::Screen(stage, rush) = &mut self.before {
            rush.conclude(changes.clone());
            if !self.stop.is_asked() {
                stage.show(rush.as_mut(), clock)?;
            }
        }
        Ok(Rushed { alone, crowd: Ok(crowd), changes })
    }

    fn job(&self, tag: &str) -> Job {
        let mut job = benchmark::job(self.prepared, None);
        job.tags.push(tag.to_owned());
        job.follow = if matches!(self.before, Before::Bar) { Follow::Records } else { Follow::Stages };
        job
    }

    fn say(&self, what: &str) {
        if !matches!(self.before, Before::Screen(..)) {
            self.context.terminal.note(what);
        }
    }

    /// The screen shows the crowd from now on.
    fn let_in(&mut self, plan: &Plan, after_one_alone: bool) {
        match &mut self.before {
            Before::Screen(_, rush) if after_one_alone => rush.let_in(plan),
            Before::Sentences(rush) if after_one_alone => rush.lock().let_in(plan),
            _ => {}
        }
    }

    fn perform(&mut self, job: Job) -> Result<Finished, Failure> {
        match &mut self.before {
            Before::Screen(stage, rush) => stage.perform(job, self.stop, rush.as_mut()),
            Before::Sentences(rush) => in_sentences(job, self.stop, rush.clone(), self.context.terminal),
            Before::Bar => {
                let display = Display::new(&job.plan, self.context.terminal);
                let mut fold = display.clone();
                let finished = runner::run(job, self.stop, move |progress| fold.fold(progress));
                display.finish();
                Ok(finished.map_err(Report::from)?)
            }
        }
    }
}

/// A rush that is over.
struct Rushed {
    alone: Option<Finished>,
    crowd: Result<Finished, NoCrowd>,
    changes: Vec<Change>,
}

/// Why no crowd was let in after one user alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoCrowd {
    /// Somebody asked for an end.
    Stopped,
    /// One alone has left less of the budget than any request could cost.
    TooDear {
        /// What is left.
        left: Usd,
        /// What the cheapest request could cost.
        least: Usd,
    },
}

impl NoCrowd {
    /// That a run did not begin for want of money, if that is why.
    fn of(failure: &Failure) -> Option<Self> {
        match failure.report.downcast_ref()? {
            RunError::Unaffordable { budget, least } => Some(Self::TooDear { left: *budget, least: *least }),
            _ => None,
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Stopped => "stopped before the crowd was let in: these are the figures of one user alone".to_owned(),
            Self::TooDear { left, least } => format!(
                "the crowd was not let in: one user alone has left {left} of the budget, and a request could cost \
                 {least}; these are the figures of one user alone"
            ),
        }
    }
}

impl Rushed {
    /// The crowd's figures, and what it made of those of one alone; of one alone where there was no crowd.
    fn print<'a>(&'a self, context: &Context) -> Result<(), Failure> {
        let terminal = context.terminal;
        let alone = self.alone.as_ref();
        if context.output == Output::Json {
            let summary = |finished: Option<&'a Finished>| finished.map(|finished| &finished.summary);
            terminal.print(&report::rush_json(summary(self.crowd.as_ref().ok()), summary(alone), &self.changes))?;
        } else if let Some(last) = self.crowd.as_ref().ok().or(alone) {
            self.print_tables(last, context)?;
        }
        match (&self.crowd, alone) {
            (Ok(crowd), alone) => {
                benchmark::notes(crowd, context);
                if let Some(alone) = alone {
                    terminal.note(&format!("one user alone kept in {}", alone.path.display()));
                }
                benchmark::point_to_all(&crowd.path, context);
            }
            (Err(why), Some(alone)) => {
                benchmark::notes(alone, context);
                benchmark::point_to_all(&alone.path, context);
                terminal.note(&why.in_words());
            }
            (Err(_), None) => {}
        }
        Ok(())
    }

    /// The figures of `last`, and the changes where there are any.
    fn print_tables(&self, last: &Finished, context: &Context) -> Result<(), Failure> {
        let (summary, plan) = (&last.summary, &last.manifest.plan);
        let shown = !self.changes.is_empty();
        if shown && context.output == Output::Csv {
            return context.terminal.print(&report::degradation_rows(&self.changes).csv());
        }
        context.print_summary(summary, plan)?;
        if shown {
            let table = report::degradation(&self.changes);
            let table = if context.output == Output::Markdown {
                table.markdown()
            } else {
                table.table(context.terminal.style())
            };
            context.terminal.print(&format!("\n{table}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_alone_has_spent_is_missing_in_the_crowds_budget() {
        let usd = |text: &str| text.parse::<Usd>().unwrap();
        assert_eq!(left(usd("1usd"), usd("40cents")), usd("60cents"));
        assert_eq!(left(usd("10cents"), usd("40cents")), usd("0usd"));
    }
}
