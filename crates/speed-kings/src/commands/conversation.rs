//! `conversation`: facts told early and asked for later, turn by turn, while the context grows.

use runner::Stop;
use schema::plan::Plan;
use schema::progress::Progress;
use tui::conversation::{Conversation, ConversationSetup, Narrator};

use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::heat::{Field, Heat, Seen, Show, line_up};
use crate::config::verb::CONVERSATION;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Hold conversations of several turns with each target: what a growing context costs, and what is remembered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings conversation --mock
  speed-kings conversation --url http://localhost:8080/v1 --turns 16 --conversations 5
  speed-kings conversation --target a=vllm@http://a:8000 --target b=vllm@http://b:8000 --side-by-side
  speed-kings conversation --mock=vllm --defeat-cache        # what the cache spares: compare with and without
  speed-kings conversation --mock --plain --output markdown > conversation.md

The first turns tell facts that nobody can guess, two a turn; then passages about other matters and questions for the
facts take turns. An answer is right when it names the whole value first and no other of its kind; a part, a confusion,
a refusal and `I do not know` are misses. Grades: A from 95 % right, B from 85, C from 70, D from 50, F below.")]
pub(crate) struct Args {
    /// Conversations with each target, one after another; each has facts of its own. One that breaks off makes room for
    /// another: all targets are asked for as many turns.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    conversations: u32,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

/// What makes requests conversations: each block of a target is one of them, its turns one after another.
fn settled(args: &Args, context: &Context) -> Result<String, Failure> {
    let layered = args.run.layered(context, &Way { verb: &CONVERSATION, settled: "" })?;
    let settings = layered.settings();
    let turns = settings.turns.unwrap_or(1).max(2);
    let facts = settings.facts.unwrap_or_else(|| workload::usual_facts(turns));
    let (conversations, requests) = (args.conversations, u64::from(args.conversations) * u64::from(turns));
    Ok(format!(
        "requests: {requests}\nblocks: {conversations}\nconcurrency: 1\nturns: {turns}\nfacts: {facts}\nkeep_text: true\n"
    ))
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let wanted = Stage::wanted(&args.screen, context)?;
    let settled = settled(args, context)?;
    let field = line_up(&args.run, &Way { verb: &CONVERSATION, settled: &settled }, context)?;
    let stop = Stop::new();
    super::interrupt::listen(&stop, context.terminal)?;
    let setup = setup(&field, args.conversations);
    let heat =
        if wanted { on_screen(args, field, setup, &stop, context)? } else { told(field, setup, &stop, context)? };
    heat.tell(context)?;
    Ok(heat.exit())
}

/// What a screen, or whoever tells of it, has to know beforehand.
fn setup(field: &Field, conversations: u32) -> ConversationSetup {
    let plan: Plan = field.prepared.resolved.plan.clone();
    ConversationSetup {
        targets: plan.targets.clone(),
        conversations,
        turns: plan.workload.turns,
        script: Box::new(move |number| workload::script_of(&plan, number)),
    }
}

fn on_screen(
    args: &Args,
    field: Field,
    setup: ConversationSetup,
    stop: &Stop,
    context: &Context,
) -> Result<Heat, Failure> {
    let clock = field.clock;
    let mut screen = Seen::new(Conversation::new(setup));
    let mut stage = Stage::open(&args.screen, context)?;
    let heat = field.carry_out(Show::Screen(&mut stage, &mut screen), stop, context)?;
    if !stop.is_asked() && !screen.is_left {
        screen.screen.close();
        stage.show(&mut screen, clock)?;
    }
    Ok(heat)
}

fn told(field: Field, setup: ConversationSetup, stop: &Stop, context: &Context) -> Result<Heat, Failure> {
    let mut narrator = Narrator::new(setup);
    let mut say = |progress: &Progress| narrator.fold(progress);
    field.carry_out(Show::Lines(&mut say), stop, context)
}
