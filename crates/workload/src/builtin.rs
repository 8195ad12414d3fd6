//! The built-in sets: ordinary English prose of our own, each prompt asking for a long answer, so
//! that output limits are reached.
//!
//! | size | prompts | characters | tokens |
//! | --- | --- | --- | --- |
//! | short | 16 | 185–215 | 37–51 |
//! | medium | 10 | 2,000–2,250 | 433–523 |
//! | long | 5 | 18,800–19,000 | 4,114–4,388 |
//!
//! Tokens as counted by the tokenizers of SmolLM2, Mistral 7B and Tekken (later Mistral models), without the
//! few that a chat template adds.

use std::fmt::Write;

use schema::plan::{Prompt, Size};

use crate::tokens::estimate_tokens;

/// A subject: a title, and a file with a task in its first line and an account after it.
struct Subject {
    title: &'static str,
    text: &'static str,
}

const SUBJECTS: [Subject; 10] = [
    Subject { title: "The harbour", text: include_str!("../data/subjects/harbour.txt") },
    Subject { title: "The tram line", text: include_str!("../data/subjects/tram.txt") },
    Subject { title: "The orchard", text: include_str!("../data/subjects/orchard.txt") },
    Subject { title: "The observatory", text: include_str!("../data/subjects/observatory.txt") },
    Subject { title: "The bakery", text: include_str!("../data/subjects/bakery.txt") },
    Subject { title: "The archive", text: include_str!("../data/subjects/archive.txt") },
    Subject { title: "The school", text: include_str!("../data/subjects/school.txt") },
    Subject { title: "The river", text: include_str!("../data/subjects/river.txt") },
    Subject { title: "The forest", text: include_str!("../data/subjects/forest.txt") },
    Subject { title: "The orchestra", text: include_str!("../data/subjects/orchestra.txt") },
];

/// The prompts of one size.
pub(crate) fn set(size: Size) -> Vec<Prompt> {
    let texts: Vec<String> = match size {
        Size::Short => include_str!("../data/short.txt").lines().map(str::to_owned).collect(),
        Size::Medium => SUBJECTS.iter().map(|subject| subject.text.trim_end().to_owned()).collect(),
        Size::Long => include_str!("../data/long.txt").lines().enumerate().map(|(i, task)| long(2 * i, task)).collect(),
    };
    texts.into_iter().map(Prompt::of).collect()
}

/// Questions that make sense after any answer.
pub(crate) const FOLLOW_UPS: [&str; 6] = [
    "Which part of that matters most, and why?",
    "Give a concrete example of it, with names and numbers.",
    "What would somebody who disagrees say, and how would you answer?",
    "Explain it again to a child of ten, without leaving anything out.",
    "What could go wrong in practice, and how would one notice early?",
    "Sum up what was said so far, and add what is still missing.",
];

/// [`FOLLOW_UPS`], again and again.
pub(crate) fn follow_ups() -> impl Iterator<Item = &'static str> {
    FOLLOW_UPS.iter().copied().cycle()
}

/// All accounts from subject `first` round to the one before it, then `task`: no two such prompts
/// begin alike, so that none warms a prefix cache for another.
fn long(first: usize, task: &str) -> String {
    let mut text = String::new();
    for (number, subject) in (1..).zip(SUBJECTS.iter().cycle().skip(first).take(SUBJECTS.len())) {
        let account = account(subject);
        write!(text, "{}: document {number}\n\n{account}\n", subject.title)
            .expect("a string takes all that is written");
    }
    text.push_str(task);
    text
}

/// Whole sentences of the accounts, from one that `choice` decides on, for about so many tokens; none for 0.
pub(crate) fn passage(choice: u64, tokens: u32) -> String {
    let sentences: Vec<&str> = SUBJECTS.iter().flat_map(|subject| sentences(account(subject))).collect();
    let first = usize::try_from(choice % sentences.len() as u64).expect("it is below a length");
    let mut passage = String::new();
    for sentence in sentences.iter().cycle().skip(first) {
        if estimate_tokens(&passage) + estimate_tokens(sentence) / 2 > u64::from(tokens) {
            break;
        }
        let gap = if passage.is_empty() { "" } else { " " };
        passage.push_str(gap);
        passage.push_str(sentence);
    }
    passage
}

/// What stands below the task.
fn account(subject: &Subject) -> &'static str {
    subject.text.split_once("\n\n").map_or(subject.text, |(_task, account)| account)
}

fn sentences(text: &'static str) -> impl Iterator<Item = &'static str> {
    let lines = text.split('\n').filter(|line| !line.is_empty());
    lines.flat_map(|line| line.split_inclusive(". ")).map(str::trim)
}

#[cfg(test)]
mod tests;
