//! Rounds before a person at a terminal.

use runner::Stop;
use transport::Clock;
use tui::race::{Race, RaceSetup};
use tui::{PromptEntry, Reaction, Revealed, Voting, tally_page};

use crate::commands::Context;
use crate::commands::heat::{Heat, Seen, Show};
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

use super::Args;
use super::round::{Judged, Round, can_be_judged};
use super::stored_tally;

/// Round after round until the person ends, or the one on `only`.
pub(super) fn session(args: &Args, only: Option<&str>, who: &str, context: &Context) -> Result<Exit, Failure> {
    let mut stage = Stage::open(&args.screen, context)?;
    let mut exit = Exit::Done;
    let mut note = None;
    for number in 0.. {
        let prompt = match only {
            Some(_) if number > 0 => break,
            Some(prompt) => prompt.to_owned(),
            None => match ask(&mut stage, who, note.take())? {
                Some(prompt) => prompt,
                None => break,
            },
        };
        let stop = Stop::new();
        let (heat, judged) = race(&mut stage, args, (number, &prompt), &stop, context)?;
        if heat.exit() != Exit::Done {
            exit = heat.exit();
        }
        // It may have been asked for while the round was being sealed.
        if stop.is_asked() {
            note = Some(format!(
                "That round was given up. What there was of it is kept in {}.",
                heat.finished.path.display()
            ));
            continue;
        }
        if judge(&mut stage, &heat, &judged)? != Reaction::Leave {
            break;
        }
    }
    Ok(exit)
}

/// Asks for a prompt; `None`: there is none to come.
fn ask(stage: &mut Stage, who: &str, note: Option<String>) -> Result<Option<String>, Failure> {
    let hidden = format!("Asked at one instant: {who}. Their names are hidden until you have voted.");
    let mut entry = PromptEntry::new("Try it: type a prompt", note.into_iter().chain([hidden]).collect());
    let reaction = stage.show(&mut entry, Clock::start())?;
    Ok(entry.text().filter(|_| reaction == Reaction::Leave))
}

/// The blind race, watched until it is left.
fn race(
    stage: &mut Stage,
    args: &Args,
    (number, prompt): (u64, &str),
    stop: &Stop,
    context: &Context,
) -> Result<(Heat, Judged), Failure> {
    let round = Round::line_up(args, number, prompt, context)?;
    let setup = RaceSetup { blind: Some(round.order.clone()), ..round.field.setup(1) };
    let (field, judged) = round.part();
    let clock = field.clock;
    let mut race = Seen::new(Race::new(setup));
    let heat = field.carry_out(Show::Screen(stage, &mut race), stop, context)?;
    race.screen.close();
    if !stop.is_asked() && !race.is_left {
        // Whatever it is left by, the answers come next.
        stage.show(&mut race, clock)?;
    }
    Ok((heat, judged))
}

/// The vote, and then who they were; [`Reaction::Leave`]: the next prompt.
fn judge(stage: &mut Stage, heat: &Heat, judged: &Judged) -> Result<Reaction, Failure> {
    let hidden = judged.hidden(heat);
    let title = if can_be_judged(&hidden) {
        let mut voting = Voting::new(hidden, judged.simulated(heat));
        let reaction = stage.show(&mut voting, Clock::start())?;
        let Some(ballot) = voting.ballot().filter(|_| reaction == Reaction::Leave) else { return Ok(reaction) };
        judged.keep(heat, ballot)?;
        judged.in_words(heat, ballot)
    } else {
        "Nothing to vote on: fewer than two answered".to_owned()
    };
    let (tally, _) = stored_tally(&heat.finished.manifest.plan.out)?;
    let mut revealed = Revealed::new(title, judged.named(heat), tally_page(&tally));
    stage.show(&mut revealed, Clock::start())
}
