//! `try-it`: a prompt, a blind race, a vote, the next prompt.
//!
//! ```text
//! prompt ─▶ Round: a run like any other ─▶ answers as A, B, C ─▶ vote ─▶ votes.jsonl ─▶ names and figures
//!    ▲                                                                                        │
//!    └────────────────────────────────────────────────────────────────────────────────────────┘ at the end: the tally
//! ```

mod lines;
mod round;
mod screens;

use std::path::{Path, PathBuf};

use schema::vote::Tally;

use crate::args::Output;
use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::prepare::resolved;
use crate::config::problem::Problem;
use crate::config::settings::flag_of;
use crate::config::verb::TRY_IT;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

/// Type a prompt, watch the race, vote blind on the answers.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings try-it --mock
  speed-kings try-it --providers groq,cerebras --model gpt-oss-120b
  speed-kings try-it --mock --prompt 'Why is the sky blue?'
  speed-kings try-it --tally --output markdown
  printf 'Why is the sky blue?\\nA\\n' | speed-kings try-it --mock --plain

Without a screen the prompt and the vote are read from stdin, a line each; an empty line ends.
Votes are kept in `votes.jsonl` in the folder of results, beside the runs they are about.")]
pub(crate) struct Args {
    /// Ask nobody: show what all votes kept so far come to.
    #[arg(long)]
    tally: bool,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.tally {
        return tally_alone(args, context);
    }
    let wanted = Stage::wanted(&args.screen, context)?;
    let only = args.only_prompt(context)?;
    // What is wrong with the rest is told before anybody types.
    let placeholder = round::settled("anything");
    let (plan, _) = resolved(&args.run, &Way { verb: &TRY_IT, settled: &placeholder }, context)?;
    let who = round::who(&plan);
    let out = plan.plan.out.clone();
    let exit = if wanted {
        screens::session(args, only.as_deref(), &who, context)?
    } else {
        lines::session(args, only.as_deref(), &who, context)?
    };
    print_tally(&out, context)?;
    Ok(exit)
}

impl Args {
    /// The one prompt that was given as a flag.
    fn only_prompt(&self, context: &Context) -> Result<Option<String>, Failure> {
        if !self.run.given().iter().any(|key| key == "prompt") {
            return Ok(None);
        }
        Ok(self.run.layered(context, &Way { verb: &TRY_IT, settled: "" })?.settings().prompt)
    }
}

/// Settings that say which votes.
const OF_TALLY: [&str; 1] = ["out"];

fn tally_alone(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(key) = args.run.given().into_iter().find(|key| !OF_TALLY.contains(&key.as_str())) {
        let problem = Problem::new(format!("`--tally` asks nobody, and has no use for `{}`", flag_of(&key)));
        return Err(problem.help("leave it out; `--out` names another folder of results").into());
    }
    let settings = args.run.layered(context, &Way { verb: &TRY_IT, settled: "" })?.settings();
    print_tally(&settings.out.unwrap_or_else(|| PathBuf::from("results")), context)?;
    Ok(Exit::Done)
}

/// All votes kept in `out`, and what of their file cannot be read.
fn stored_tally(out: &Path) -> Result<(Tally, Vec<String>), Failure> {
    let voted = store::votes(out).map_err(miette::Report::new)?;
    let path = out.join(store::VOTES);
    let told = |count: u64, what: &str| (count > 0).then(|| format!("`{}`: {what}: {count}", path.display()));
    let notes = [
        told(voted.unreadable, "lines passed over that are no votes"),
        told(voted.newer, "votes not counted that a newer version of this program kept"),
        voted.cut.then(|| format!("`{}` is so long that only its beginning was read", path.display())),
    ];
    Ok((stats::tally(&voted.votes), notes.into_iter().flatten().collect()))
}

fn print_tally(out: &Path, context: &Context) -> Result<(), Failure> {
    let (tally, notes) = stored_tally(out)?;
    if context.output == Output::Table {
        context.terminal.print(&tui::tally_text(&tally, context.terminal.style().width))?;
    } else {
        context.print_listing(&report::votes(&tally))?;
    }
    context.terminal.note_all(&stats::tally_in_words(&tally));
    context.terminal.note_all(&notes);
    Ok(())
}
