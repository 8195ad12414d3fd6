//! `demo`: scenes with a person who waits, played with all targets at once.

use runner::Stop;
use schema::plan::Scenario;
use schema::progress::Progress;
use schema::record::{Outcome, Phase, Record};
use tui::{Bubbles, Reaction, Scene, SceneMenu};
use workload::scene;

use report::{Align, Cell, Column, Listing};

use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::heat::{Heat, Seen, Show, line_up};
use crate::commands::prepare::resolved;
use crate::config::problem::Problem;
use crate::config::settings::WHO_KEYS;
use crate::config::verb::DEMO;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Show what waiting means, in five scenes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings demo                                a menu on a terminal, a list elsewhere
  speed-kings demo --scenario 2
  speed-kings demo --scenario creative-writing --live --providers groq,cerebras
  speed-kings demo --scenario 1 --plain

Simulated engines play unless targets are named by flags, or `--live` takes those of the configuration.")]
pub(crate) struct Args {
    /// Ask real targets, those of the configuration where no flag names others.
    #[arg(long, conflicts_with = "mock")]
    live: bool,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = Stage::wanted(&args.screen, context)?;
    let chosen = args.run.layered(context, &Way { verb: &DEMO, settled: "" })?.settings().scenario;
    if wanted && chosen.is_none() {
        // What is wrong with the targets is told before the menu is shown.
        let settled = settled(args, Scenario::CustomerSupport);
        resolved(&args.run, &Way { verb: &DEMO, settled: &settled }, context)?;
    }
    match (chosen, wanted) {
        (Some(scenario), true) => {
            let mut stage = Stage::open(&args.screen, context)?;
            let (heat, _) = play(&mut stage, args, scenario, context)?;
            drop(stage);
            finish(&[heat], context)
        }
        (Some(scenario), false) => finish(&[tell(args, scenario, context)?], context),
        (None, true) => menu(args, context),
        (None, false) if args.run.given().iter().all(|key| key == "out") && !args.live => list(context),
        (None, false) => Err(Problem::new("no scene was chosen, and there is no screen for the menu")
            .help("name one with `--scenario 1`; `speed-kings demo` alone lists them")
            .into()),
    }
}

/// What makes a run the playing of `scenario`: every message is a heat of all targets.
fn settled(args: &Args, scenario: Scenario) -> String {
    let turns = scene(scenario).messages.len();
    let named = args.run.given().iter().any(|key| WHO_KEYS.contains(&key.as_str()));
    let mock = if args.live || named { "" } else { "mock: vllm,tgi,ollama\n" };
    format!(
        "{mock}scenario: {scenario}\nturns: {turns}\nrequests: {turns}\nblocks: {turns}\nconcurrency: 1\n\
         side_by_side: true\nkeep_text: true\n"
    )
}

fn as_shown(scenario: Scenario) -> Scene {
    let scene = scene(scenario);
    Scene {
        title: format!("{} {}", scenario.number(), scene.title),
        person: scene.person.to_owned(),
        setting: scene.setting.to_owned(),
        waits_for: scene.waits_for,
        messages: scene.messages.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// Scene after scene until the person ends.
fn menu(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let about =
        if args.live { "Asked are real targets" } else { "Asked are simulated engines, unless others are named" };
    let scenes = || {
        let untitled = |scenario| Scene { title: scene(scenario).title.to_owned(), ..as_shown(scenario) };
        Scenario::ALL.into_iter().map(untitled).collect()
    };
    let mut stage = Stage::open(&args.screen, context)?;
    let mut heats = Vec::new();
    let mut chosen = 0;
    loop {
        let mut menu = SceneMenu::new(about, scenes(), chosen);
        if stage.show(&mut menu, transport::Clock::start())? != Reaction::Leave {
            break;
        }
        chosen = menu.chosen();
        let (heat, reaction) = play(&mut stage, args, Scenario::ALL[chosen], context)?;
        heats.push(heat);
        if reaction == Reaction::Stop {
            break;
        }
    }
    drop(stage);
    finish(&heats, context)
}

/// One scene before a person, and how its screen was left.
fn play(stage: &mut Stage, args: &Args, scenario: Scenario, context: &Context) -> Result<(Heat, Reaction), Failure> {
    let settled = settled(args, scenario);
    let mut field = line_up(&args.run, &Way { verb: &DEMO, settled: &settled }, context)?;
    tag(&mut field.prepared.resolved.tags, scenario);
    let clock = field.clock;
    let mut bubbles = Seen::new(Bubbles::new(as_shown(scenario), field.lanes.clone()));
    let stop = Stop::new();
    let heat = field.carry_out(Show::Screen(stage, &mut bubbles), &stop, context)?;
    bubbles.screen.close();
    // Keys pressed while it was being sealed count, too.
    let is_over = stop.is_asked() || bubbles.is_left;
    let reaction = if is_over { Reaction::Leave } else { stage.show(&mut bubbles, clock)? };
    Ok((heat, reaction))
}

fn tag(tags: &mut Vec<schema::manifest::Tag>, scenario: Scenario) {
    tags.extend(["demo".to_owned(), format!("scenario={scenario}")].map(|tag| tag.parse().expect("it is a tag")));
}

/// One scene in sentences.
fn tell(args: &Args, scenario: Scenario, context: &Context) -> Result<Heat, Failure> {
    let settled = settled(args, scenario);
    let mut field = line_up(&args.run, &Way { verb: &DEMO, settled: &settled }, context)?;
    tag(&mut field.prepared.resolved.tags, scenario);
    let told = as_shown(scenario);
    let stop = Stop::new();
    super::interrupt::listen(&stop, context.terminal)?;
    context.terminal.note(&format!("{}. {}", told.title, told.setting));
    let simulated: Vec<_> = field.lanes.iter().filter(|lane| lane.simulated).map(|lane| lane.name.clone()).collect();
    let mut said = None;
    let mut say = |progress: &Progress| match progress {
        Progress::Recorded(record) if record.phase == Phase::Measured => {
            let mark = if simulated.contains(&record.target) { " (SIMULATED)" } else { "" };
            let turn = usize::try_from(record.block).unwrap_or(usize::MAX);
            let message = told.messages.get(turn).filter(|_| said.replace(turn) != Some(turn));
            let message = message.map(|message| format!("\n{} says: {message}", told.person));
            // A conversation ends with a message that got no answer, and begins anew.
            let anew = record.conversation.map(|place| place.turn).filter(|asked| *asked != record.block);
            let anew = anew.map(|asked| format!(", asked message {} again,", asked + 1)).unwrap_or_default();
            let answer = format!("\n{}{mark}{anew} answers: {}", record.target, text_of(record));
            message.into_iter().chain([answer, format!("{}: {}", record.target, meaning(record, &told))]).collect()
        }
        _ => Vec::new(),
    };
    field.carry_out(Show::Lines(&mut say), &stop, context)
}

/// What was said, in its own lines; the terminal cleans them.
fn text_of(record: &Record) -> String {
    let pieces = record.output.iter().flatten().zip(record.events.iter());
    pieces.filter(|(_, event)| event.kind == schema::event::EventKind::Text).map(|(text, _)| text.raw()).collect()
}

fn meaning(record: &Record, told: &Scene) -> String {
    match (stats::perception::felt(record, told.waits_for), &record.outcome) {
        (Some(felt), _) => felt.sentence(&told.person),
        (None, Outcome::Failed(failure)) => format!("{} got no answer: {}.", told.person, failure.class),
        (None, _) => format!("{} got no answer.", told.person),
    }
}

/// Prints what was measured, scene by scene.
fn finish(heats: &[Heat], context: &Context) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for heat in heats {
        heat.tell(context)?;
        if heat.exit() != Exit::Done {
            exit = heat.exit();
        }
    }
    Ok(exit)
}

/// The scenes there are.
fn list(context: &Context) -> Result<Exit, Failure> {
    let column = |key, heading| Column { key, heading, align: Align::Left };
    let text = |text: &str| Cell::Text(text.to_owned());
    let row = |scenario: Scenario| {
        let scene = scene(scenario);
        let number = Cell::Number { shown: scenario.number().to_string(), value: scenario.number() as f64 };
        vec![number, text(scenario.id()), text(scene.person), text(scene.waits_for.in_words()), text(scene.setting)]
    };
    context.print_listing(&Listing {
        title: "Scenes: play one with `--scenario`".to_owned(),
        columns: vec![
            column("number", "No."),
            column("scenario", "Scenario"),
            column("person", "Who waits"),
            column("waits_for", "For what"),
            column("setting", "What goes on"),
        ],
        rows: Scenario::ALL.into_iter().map(row).collect(),
    })?;
    Ok(Exit::Done)
}
