//! A stored run, raced again: nothing is sent, nothing is measured, nothing is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use schema::manifest::Found;
use schema::plan::{Plan, PromptSource};
use schema::progress::Progress;
use schema::record::{ConnectTimes, Record};
use schema::text::Untrusted;
use store::Run;
use transport::Clock;
use tui::Plain;
use tui::race::{Race, RaceSetup};
use tui::replay::{Replay, Step, again, measured, script};
use workload::Prompts;

use super::{Args, print_told};
use crate::args::run::Way;
use crate::commands::heat::{Told, lane, pages, question};
use crate::commands::stored::{records_of, summary_of};
use crate::commands::{Context, benchmark, sources};
use crate::config::problem::Problem;
use crate::config::settings::flag_of;
use crate::config::verb::RACE;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Settings that say which run, and how it is shown; all others are about asking, and nobody is asked.
const OWN: [&str; 3] = ["replay", "replay_speed", "out"];

pub(super) fn run(args: &Args, wanted: &Path, on_stage: bool, context: &Context) -> Result<Exit, Failure> {
    if let Some(key) = args.run.given().into_iter().find(|key| !OWN.contains(&key.as_str())) {
        let problem = Problem::new(format!("`--replay` asks nobody, and has no use for `{}`", flag_of(&key)));
        return Err(problem.help("leave it out; `--runs`, `--replay-speed` and `--out` are heeded").into());
    }
    let stored = open(args, wanted, context)?;
    let summary = summary_of(&stored, context)?;
    let records = records_of(&stored, context)?;
    let plan = stored.manifest.plan.clone();
    let names: Vec<_> = plan.targets.iter().map(|target| target.name.clone()).collect();
    let raced = again(&records, &names, plan.side_by_side, args.runs.map_or(u64::MAX, u64::from));
    if raced.is_empty() {
        let problem = Problem::new(format!("`{}` has no measured request to be shown", plan.name));
        return Err(problem.help("`speed-kings results list` shows the runs there are").into());
    }
    let asked = Asked::of(&plan, &records);
    let found = stored.manifest.found.clone();
    let setup = setup(&plan, &found, (&raced, &asked));
    let mut steps = script(&raced);
    let begun = steps.first().map(|step| step.at).unwrap_or_default();
    let remark = remark(&plan, &raced).map(Progress::Note);
    let before = found.iter().filter_map(warmed).chain(remark).map(|progress| Step { at: begun, progress });
    // Behind the step that says that it begins.
    steps.splice(1..1, before.collect::<Vec<_>>());
    let speed = args.run.replay_speed().unwrap_or(1.0);
    let told = Told { summary, plan, records: raced };
    if on_stage {
        let mut stage = Stage::open(&args.screen, context)?;
        let race = move || {
            let asked = asked.clone();
            Race::new(setup.clone()).with_prompts(move |heat| asked.by(heat))
        };
        let replay = Replay::new(steps, speed, race);
        stage.show(&mut pages(Box::new(replay), told.clone()), Clock::start())?;
    } else {
        tell(&setup, &steps, speed, context);
    }
    print_told(&told, on_stage, context)?;
    context.terminal.note(&format!("replayed from {}; nothing was measured", stored.path.display()));
    benchmark::point_to_all(&stored.path, context);
    Ok(Exit::Done)
}

/// The run that is wanted, among those where runs are kept.
fn open(args: &Args, wanted: &Path, context: &Context) -> Result<Run, Failure> {
    let settings = args.run.layered(context, &Way { verb: &RACE, settled: "" })?.settings();
    let out = settings.out.unwrap_or_else(|| PathBuf::from("results"));
    let path = store::find(&out, &wanted.to_string_lossy()).map_err(miette::Report::new)?;
    let run = Run::open(&path).map_err(miette::Report::new)?;
    context.terminal.note_all(&run.missing);
    let targets = run.manifest.plan.targets.len();
    match RACE.refuse_targets(targets) {
        Some(_) => {
            let count = if targets == 1 { "one target".to_owned() } else { format!("{targets} targets") };
            let problem = Problem::new(format!("`{}` has {count}", wanted.display()));
            Err(problem.help("a race takes two to six").into())
        }
        None => Ok(run),
    }
}

/// That connections to a target were opened ahead, where the run knows its round trip.
fn warmed(found: &Found) -> Option<Progress> {
    let opened = ConnectTimes { tcp_ns: found.round_trip_ns?, ..ConnectTimes::default() };
    Some(Progress::Warmed { target: found.target.clone(), opened: vec![opened] })
}

fn setup(plan: &Plan, found: &[Found], (raced, asked): (&[Record], &Asked)) -> RaceSetup {
    let heats = raced.iter().map(|record| record.block).max().unwrap_or(0);
    RaceSetup {
        prompt: asked.by(0).unwrap_or_else(|| "(the prompt was not kept with the run)".into()),
        targets: plan.targets.iter().map(|target| lane(target, found)).collect(),
        runs: heats + 1,
        max_tokens: plan.workload.max_tokens,
        blind: None,
    }
}

/// What each heat asked, by its number from 0, where the plan alone tells it: what stood in a file then may stand there no
/// more.
#[derive(Clone)]
struct Asked {
    prompts: Option<Prompts>,
    seed: u64,
    /// Of each heat the number of the request that all targets were sent, where it was one.
    numbers: Arc<[Option<u64>]>,
}

impl Asked {
    fn of(plan: &Plan, records: &[Record]) -> Self {
        let is_elsewhere = matches!(plan.workload.prompts, PromptSource::File(_) | PromptSource::Trace);
        let read = (!is_elsewhere).then(|| sources::read(&mut plan.clone()).ok()).flatten();
        let lanes: Vec<_> = plan.targets.iter().map(|target| measured(records, &target.name)).collect();
        let heats = lanes.iter().map(Vec::len).max().unwrap_or(0);
        let number = |heat: usize| {
            let mut sent = lanes.iter().filter_map(|lane| lane.get(heat)).map(|record| record.index);
            let first = sent.next()?;
            sent.all(|index| index == first).then_some(first)
        };
        Self { prompts: read.map(|read| read.prompts), seed: plan.seed, numbers: (0..heats).map(number).collect() }
    }

    fn by(&self, heat: u32) -> Option<Untrusted> {
        let number = *self.numbers.get(usize::try_from(heat).ok()?)?;
        Some(question(self.prompts.as_ref()?, self.seed, number?))
    }
}

/// What a viewer must know of this replay.
fn remark(plan: &Plan, raced: &[Record]) -> Option<String> {
    let apart = "these targets were measured one after another; here each heat begins for all at one instant";
    let textless = "the texts of this run were not kept: `keep_text` keeps them";
    let apart = (!plan.side_by_side).then(|| apart.to_owned());
    let textless = raced.iter().all(|record| record.output.is_none()).then(|| textless.to_owned());
    let remarks: Vec<_> = apart.into_iter().chain(textless).collect();
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

/// The race in sentences, at its own pace or another.
fn tell(setup: &RaceSetup, steps: &[Step], speed: f64, context: &Context) {
    let mut plain = Plain::new(setup);
    let begun = Instant::now();
    for step in steps {
        let due = Duration::from_nanos(step.at.0).div_f64(speed);
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        context.terminal.note_all(&plain.fold(&step.progress));
    }
}
