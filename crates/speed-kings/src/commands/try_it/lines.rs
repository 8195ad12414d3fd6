//! Rounds for screen readers, pipes and scripts: prompt and vote are lines of stdin.

use std::io::{self, BufRead as _, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use runner::Stop;
use schema::progress::Progress;
use schema::record::Phase;
use tui::{Answer, Ballot, LONGEST_PROMPT, letter};

use crate::commands::Context;
use crate::commands::heat::{Heat, Show, in_full};
use crate::commands::interrupt::{self, Heard};
use crate::outcome::{Exit, Failure};

use super::Args;
use super::round::{Judged, Round, can_be_judged};

/// Round after round until an empty line or the end of stdin, or the one on `only`.
pub(super) fn session(args: &Args, only: Option<&str>, who: &str, context: &Context) -> Result<Exit, Failure> {
    let input = Input::open(context)?;
    context.terminal.note(&format!("Asked at one instant: {who}. Their names are hidden until you have voted."));
    let mut exit = Exit::Done;
    for number in 0.. {
        let prompt = match only {
            Some(_) if number > 0 => break,
            Some(prompt) => prompt.to_owned(),
            None => match ask_prompt(&input, context) {
                Some(prompt) => prompt,
                None => break,
            },
        };
        let (heat, judged) = race(args, (number, &prompt), context)?;
        if heat.exit() != Exit::Done {
            exit = heat.exit();
        }
        if heat.is_interrupted() {
            break;
        }
        judge(&input, &heat, &judged, context)?;
    }
    Ok(if input.is_asked_to_leave() { Exit::Interrupted } else { exit })
}

fn ask_prompt(input: &Input, context: &Context) -> Option<String> {
    loop {
        context.terminal.note("Your prompt, on one line; an empty line ends:");
        match input.line()? {
            Line::Whole(line) => return Some(line).filter(|line| !line.is_empty()),
            Line::TooLong => {
                context.terminal.note(&format!("that is too long: a prompt has {} KiB at most", LONGEST_PROMPT >> 10));
            }
        }
    }
}

fn race(args: &Args, (number, prompt): (u64, &str), context: &Context) -> Result<(Heat, Judged), Failure> {
    let round = Round::line_up(args, number, prompt, context)?;
    let (field, judged) = round.part();
    let targets: Vec<_> = field.lanes.iter().map(|lane| lane.name.clone()).collect();
    let stop = Stop::new();
    interrupt::listen(&stop, context.terminal)?;
    let mut say = |progress: &Progress| match progress {
        Progress::Recorded(record) if record.phase == Phase::Measured => {
            let target = targets.iter().position(|name| *name == record.target);
            let place = target.and_then(|target| judged.order.iter().position(|shown| *shown == target));
            let how = if record.outcome.is_complete() { "is complete" } else { "failed" };
            place.map(|place| format!("Answer {} {how}.", letter(place))).into_iter().collect()
        }
        _ => Vec::new(),
    };
    let heat = field.carry_out(Show::Lines(&mut say), &stop, context)?;
    Ok((heat, judged))
}

/// Reads the answers out, takes the vote, and tells who they were.
fn judge(input: &Input, heat: &Heat, judged: &Judged, context: &Context) -> Result<(), Failure> {
    let hidden = judged.hidden(heat);
    for answer in &hidden {
        let text = in_full(answer);
        let lines = text.trim_end().lines().map(str::trim_end);
        context.terminal.note(&format!("\nAnswer {}", lines.collect::<Vec<_>>().join("\n")));
    }
    match judged.simulated(heat) {
        0 => {}
        all if all == hidden.len() => context.terminal.note("\nSIMULATED: all of them"),
        _ => context.terminal.note("\nSIMULATED: some of them"),
    }
    if can_be_judged(&hidden) {
        let ballot = ask_vote(input, &hidden, context);
        judged.keep(heat, ballot)?;
        context.terminal.note(&format!("{}.", judged.in_words(heat, ballot)));
    } else {
        context.terminal.note("Nothing to vote on: fewer than two answered.");
    }
    for answer in judged.named(heat) {
        let mark = if answer.simulated { " (SIMULATED)" } else { "" };
        context.terminal.note(&format!("{}{mark}: {}.", answer.name, answer.figures.join(", ")));
    }
    context.terminal.note(&format!("run kept in {}", heat.finished.path.display()));
    Ok(())
}

/// Asks until there is a vote; the end of stdin is none.
fn ask_vote(input: &Input, answers: &[Answer], context: &Context) -> Ballot {
    let letters: Vec<String> = (0..answers.len()).map(letter).collect();
    loop {
        context.terminal.note(&format!("\nWhich is the best? {}, tie or skip:", letters.join(", ")));
        match input.line() {
            None => return Ballot::Skipped,
            Some(Line::Whole(line)) => match vote(&line, answers) {
                Some(ballot) => return ballot,
                None => context.terminal.note("that is no vote"),
            },
            Some(Line::TooLong) => context.terminal.note("that is no vote"),
        }
    }
}

/// The vote that a line stands for; one for an answer that says nothing is none.
fn vote(line: &str, answers: &[Answer]) -> Option<Ballot> {
    match line.to_ascii_lowercase().as_str() {
        "tie" | "t" => Some(Ballot::AllAlike),
        "skip" | "s" => Some(Ballot::Skipped),
        other => {
            let place = (0..answers.len()).find(|place| letter(*place).to_ascii_lowercase() == other)?;
            (!answers[place].text.raw().trim().is_empty()).then_some(Ballot::One(place))
        }
    }
}

/// A line of stdin.
enum Line {
    /// Without blank space around it.
    Whole(String),
    /// Longer than a prompt may be; it was passed over.
    TooLong,
}

/// Lines of stdin, waited for until somebody interrupts.
struct Input {
    lines: Receiver<Line>,
    heard: &'static Heard,
}

impl Input {
    fn open(context: &Context) -> Result<Self, Failure> {
        let heard = interrupt::heard(context.terminal)?;
        // One line waits until it is asked for; the thread ends with stdin or with the process.
        let (sender, lines) = sync_channel(1);
        let read = move || {
            while let Some(line) = read_line() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("stdin".into()).spawn(read);
        thread.map_err(|error| miette::miette!("no thread to read stdin: {error}"))?;
        Ok(Self { lines, heard })
    }

    fn is_asked_to_leave(&self) -> bool {
        self.heard.is_asked_to_leave()
    }

    /// The next line; `None` at the end of stdin, or once somebody interrupts.
    fn line(&self) -> Option<Line> {
        while !self.is_asked_to_leave() {
            match self.lines.recv_timeout(Duration::from_millis(50)) {
                Ok(line) => return Some(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        None
    }
}

/// `None` at the end, or where stdin cannot be read.
fn read_line() -> Option<Line> {
    let mut stdin = io::stdin().lock();
    let mut bytes = Vec::new();
    let room = LONGEST_PROMPT as u64 + 2;
    if stdin.by_ref().take(room).read_until(b'\n', &mut bytes).ok()? == 0 {
        return None;
    }
    if bytes.last() != Some(&b'\n') && bytes.len() > LONGEST_PROMPT {
        stdin.skip_until(b'\n').ok()?;
        return Some(Line::TooLong);
    }
    Some(Line::Whole(String::from_utf8_lossy(&bytes).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_is_a_letter_or_a_word() {
        let answer = |text: &str| Answer {
            name: "A".to_owned(),
            simulated: false,
            figures: Vec::new(),
            text: text.into(),
            reasoning: None,
            trouble: None,
        };
        let answers = [answer("yes"), answer("no"), answer(" ")];
        assert_eq!(vote("b", &answers), Some(Ballot::One(1)));
        assert_eq!(vote("A", &answers), Some(Ballot::One(0)));
        assert_eq!(vote("C", &answers), None, "it says nothing");
        assert_eq!(vote("Tie", &answers), Some(Ballot::AllAlike));
        assert_eq!(vote("s", &answers), Some(Ballot::Skipped));
        for nothing in ["", "D", "AB", "the first"] {
            assert_eq!(vote(nothing, &answers), None, "{nothing}");
        }
    }
}
