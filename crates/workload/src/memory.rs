//! Conversations that tell facts early and ask for them later: who has forgotten, or was not shown, the early turns
//! cannot answer.
//!
//! ```text
//! turns   0 … tell two facts each   then   a passage, questions, a passage, questions …
//! ```
//!
//! All of it is a pure function of seed, conversation and what was asked for. Values are drawn from pools so large that
//! none can be guessed (one in 500 at best), and no two of a conversation are alike.

mod pool;

use std::collections::HashSet;

use schema::conversation::{Fact, FactKind, Line, Purpose, Script};
use schema::plan::{Memory, Plan, Prompt, PromptSource};

use crate::builtin;
use crate::random::{Purpose as Drawn, Stream};
use crate::tokens::estimate_tokens;

/// Facts that a turn tells.
const FACTS_A_TURN: u32 = 2;

/// Facts that one conversation can be about.
pub const MOST_FACTS: u32 = 40;
const _: () = assert!(MOST_FACTS as usize == pool::SUBJECTS.len(), "one fact a subject");

/// Tokens of a passage at most: about what the built-in accounts hold.
pub const MOST_PASSAGE_TOKENS: u32 = 4_000;

/// Fewest turns in which so many facts can be told and asked for.
pub const fn fewest_turns(facts: u32) -> u32 {
    facts.div_ceil(FACTS_A_TURN) + facts
}

/// The most facts that fit so many turns, half of them at most.
pub const fn usual_facts(turns: u32) -> u32 {
    let half = turns / 2;
    if half < MOST_FACTS { half } else { MOST_FACTS }
}

/// The conversation of this number in a run of `plan`, from 0, in the order they are begun; `None` if its prompts are no
/// such conversations.
pub fn script_of(plan: &Plan, conversation: u64) -> Option<Script> {
    let PromptSource::Memory(memory) = plan.workload.prompts else { return None };
    Some(script(memory, plan.workload.turns, plan.seed, conversation))
}

/// The conversation of this number. Of `turns` too few for the facts, the last questions are left out.
pub(crate) fn script(memory: Memory, turns: u32, seed: u64, conversation: u64) -> Script {
    let mut draw = Stream::of(seed, Drawn::Memory, conversation);
    let count = memory.facts.clamp(1, MOST_FACTS);
    let facts = facts(count, &mut draw);
    let telling = count.div_ceil(FACTS_A_TURN);
    let mut lines: Vec<Line> = facts.chunks(FACTS_A_TURN as usize).map(|told| tells(told, &mut draw)).collect();
    let mut order: Vec<usize> = (0..facts.len()).collect();
    shuffle(&mut order, &mut draw);
    let mut questions = order.into_iter();
    let left = turns.saturating_sub(telling);
    // Spread evenly, the last at the very end.
    let asked_before = |place: u32| u64::from(place) * u64::from(count.min(left)) / u64::from(left);
    for place in 0..left {
        let question = if asked_before(place + 1) > asked_before(place) { questions.next() } else { None };
        lines.push(question.map_or_else(|| distracts(memory.passage_tokens, &mut draw), |fact| asks(&facts, fact)));
    }
    lines.truncate(turns.max(1) as usize);
    Script { facts, lines }
}

/// The same as something to send.
pub(crate) fn prompt(script: Script) -> Prompt {
    let mut texts = script.lines.into_iter().map(|line| line.text);
    Prompt { user: texts.next().unwrap_or_default(), followups: texts.collect(), ..Prompt::default() }
}

fn line(text: String, purpose: Purpose, asks: Option<usize>) -> Line {
    let tokens = u32::try_from(estimate_tokens(&text)).unwrap_or(u32::MAX);
    Line { text, tokens, purpose, asks }
}

/// `Please remember … The code of the bicycle shed is KT-4821.`
fn tells(facts: &[Fact], draw: &mut Stream) -> Line {
    let sentences: Vec<String> =
        facts.iter().map(|fact| format!("{} is {}.", capitalised(&fact.subject), fact.value)).collect();
    let opening = draw.one_of(pool::OPENINGS);
    line(format!("{opening} {} {}", sentences.join(" "), pool::CLOSING), Purpose::Tells, None)
}

fn asks(facts: &[Fact], fact: usize) -> Line {
    let subject = &facts[fact].subject;
    let text = format!("Earlier I told you {subject}. What is it? {}", pool::HOW_TO_ANSWER);
    line(text, Purpose::Asks, Some(fact))
}

fn distracts(tokens: u32, draw: &mut Stream) -> Line {
    let passage = builtin::passage(draw.next(), tokens);
    let (opening, task) = (draw.one_of(pool::CHANGES), draw.one_of(pool::TASKS));
    line(format!("{opening} {passage}\n\n{task}"), Purpose::Distracts, None)
}

/// So many facts about different things, with values that have nothing in common.
fn facts(count: u32, draw: &mut Stream) -> Vec<Fact> {
    let mut subjects = pool::SUBJECTS.to_vec();
    shuffle(&mut subjects, draw);
    let mut values = Values::new(draw);
    let fact = |(number, (kind, subject)): (u32, (FactKind, &str))| Fact {
        kind,
        subject: subject.to_owned(),
        value: values.draw(kind, draw),
        told_in: number / FACTS_A_TURN,
    };
    (0..count).zip(subjects).map(fact).collect()
}

/// What values are made of, each part used once.
struct Values {
    first_names: Vec<&'static str>,
    last_names: Vec<&'static str>,
    place_heads: Vec<&'static str>,
    place_tails: Vec<&'static str>,
    digits: HashSet<u64>,
}

impl Values {
    fn new(draw: &mut Stream) -> Self {
        let mut shuffled = |list: &[&'static str]| {
            let mut list = list.to_vec();
            shuffle(&mut list, draw);
            list
        };
        Self {
            first_names: shuffled(pool::FIRST_NAMES),
            last_names: shuffled(pool::LAST_NAMES),
            place_heads: shuffled(pool::PLACE_HEADS),
            place_tails: shuffled(pool::PLACE_TAILS),
            digits: HashSet::new(),
        }
    }

    fn draw(&mut self, kind: FactKind, draw: &mut Stream) -> String {
        let next = |list: &mut Vec<&'static str>| list.pop().expect("there are more parts than subjects");
        match kind {
            FactKind::Number => self.digits(draw).to_string(),
            FactKind::Code => {
                let letters = [draw.one_of(pool::LETTERS), draw.one_of(pool::LETTERS)];
                format!("{}{}-{}", letters[0], letters[1], self.digits(draw))
            }
            FactKind::Name => format!("{} {}", next(&mut self.first_names), next(&mut self.last_names)),
            FactKind::Place => format!("{}{}", next(&mut self.place_heads), next(&mut self.place_tails)),
        }
    }

    /// Four digits that were not drawn before and are no year of ours.
    fn digits(&mut self, draw: &mut Stream) -> u64 {
        loop {
            let number = 1_000 + draw.below(9_000);
            if !(1_800..2_100).contains(&number) && self.digits.insert(number) {
                return number;
            }
        }
    }
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], draw: &mut Stream) {
    for last in (1..items.len()).rev() {
        let chosen = draw.below(last as u64 + 1);
        items.swap(last, usize::try_from(chosen).expect("it is below a length"));
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
