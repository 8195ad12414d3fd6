//! `race`: targets side by side, each a stream begun at one instant.

mod replay;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use runner::Stop;
use schema::progress::Progress;
use tui::race::{Race, RaceSetup};
use tui::{Plain, Reaction, Screen, View};

use crate::args::Output;
use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::heat::{Field, Heat, Show, Told, line_up, pages};
use crate::config::problem::Problem;
use crate::config::verb::RACE;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Race targets side by side, live.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings race --mock
  speed-kings race --providers groq,cerebras --model gpt-oss-120b --prompt 'Why is the sky blue?'
  speed-kings race --target a=vllm@http://a:8000 --target b=vllm@http://b:8000 --runs 30
  speed-kings race --url http://localhost:8000/v1 --mock=vllm --size long --max-tokens 512
  speed-kings race --mock --record race.cast
  speed-kings race --replay latest --replay-speed 0.5
  speed-kings race --mock --plain > result.txt

A race is a run like any other: it is kept, with its answers, and `results`, `compare` and `story` read it.")]
pub(crate) struct Args {
    /// How many times they race: the first three times are shown lane by lane, then how all of them spread. Of a replay:
    /// how many heats at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: Option<u32>,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// What makes so many requests a race: each is a heat of all targets, begun at one instant.
fn settled(runs: u32) -> String {
    format!("requests: {runs}\nblocks: {runs}\nconcurrency: 1\nside_by_side: true\nkeep_text: true\n")
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = Stage::wanted(&args.screen, context)?;
    if let Some(run) = args.run.replay() {
        return replay::run(args, run, wanted, context);
    }
    if args.run.replay_speed().is_some() {
        let problem = Problem::new("`--replay-speed` says nothing without `--replay`");
        return Err(problem.help("name the run to be raced again: `--replay latest`").into());
    }
    let runs = args.runs.unwrap_or(1);
    let field = line_up(&args.run, &Way { verb: &RACE, settled: &settled(runs) }, context)?;
    let stop = Stop::new();
    super::interrupt::listen(&stop, context.terminal)?;
    let setup = field.setup(runs);
    let heat =
        if wanted { on_stage(field, setup, &stop, args, context)? } else { in_lines(field, &setup, &stop, context)? };
    print_told(&heat.told(), wanted, context)?;
    heat.notes(context);
    super::benchmark::point_to_all(&heat.finished.path, context);
    Ok(heat.exit())
}

/// Before a person: the race, and then what is read of it.
fn on_stage(field: Field, setup: RaceSetup, stop: &Stop, args: &Args, context: &Context) -> Result<Heat, Failure> {
    let clock = field.clock;
    let mut stage = Stage::open(&args.screen, context)?;
    let race = Race::new(setup).with_prompts(field.prompts());
    let mut watched = Watched { race, wish: Wish::Race };
    let heat = field.carry_out(Show::Screen(&mut stage, &mut watched), stop, context)?;
    let page = match watched.wish {
        Wish::Race => (!stop.is_asked()).then_some(0),
        Wish::Result => Some(1),
        Wish::Away => None,
    };
    if let Some(page) = page {
        watched.race.close();
        // Whatever it is left by, it was seen.
        stage.show(&mut pages(Box::new(watched.race), heat.told()).opened_at(page), clock)?;
    }
    Ok(heat)
}

/// What the person wants to see once the run is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// The race as it ended.
    Race,
    /// What came of it.
    Result,
    /// Nothing more.
    Away,
}

/// A race, and what its keys mean for the time after it: they are pressed while the run is being sealed, too.
struct Watched {
    race: Race,
    wish: Wish,
}

impl Screen for Watched {
    fn fold(&mut self, progress: &Progress) {
        self.race.fold(progress);
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        self.race.draw(frame, view);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        let reaction = self.race.press(key);
        self.wish = match reaction {
            Reaction::Stay => return reaction,
            Reaction::Leave if key.code == KeyCode::Enter => Wish::Result,
            Reaction::Stop => Wish::Result,
            Reaction::Leave | Reaction::Abort => Wish::Away,
        };
        reaction
    }
}

/// For whoever reads lines: what happens, on stderr.
fn in_lines(field: Field, setup: &RaceSetup, stop: &Stop, context: &Context) -> Result<Heat, Failure> {
    let mut plain = Plain::new(setup);
    field.carry_out(Show::Lines(&mut |progress| plain.fold(progress)), stop, context)
}

/// Prints the result. For people the answers, unless they were seen, and the first heats go before the numbers, which few
/// heats cannot carry; programs find all of it in the run.
fn print_told(told: &Told, seen: bool, context: &Context) -> Result<(), Failure> {
    if context.output != Output::Table {
        return context.print_summary(&told.summary, &told.plan);
    }
    if !seen {
        context.terminal.print(&told.answers_in_full())?;
    }
    context.terminal.print(&(told.first_heats(context.terminal.style()) + "\n"))?;
    match told.too_few() {
        Some(remark) => context.terminal.print(&remark),
        None => context.print_summary(&told.summary, &told.plan),
    }
}
