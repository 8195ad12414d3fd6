//! Whether answers are the same text: between targets, and each time.
//!
//! Told from ten prompts in common, or ten repetitions, on:
//!
//! - unlike models by name give the same text to nine of ten prompts: it may be one and the same model;
//! - one model by name, at temperature 0, each target the same text each time (19 of 20), but to half of the prompts or
//!   fewer the same as the other: weights, template or sampling are not the same;
//! - one target gives the same text each time (19 of 20), another to half of the repetitions or fewer;
//! - the same text each time (19 of 20) above temperature 0: answers come from a cache, or from a fixed seed.
//!
//! Texts are not compared where prompts were made different on purpose, to defeat caches, nor later turns of a
//! conversation, which follow from the earlier.

use std::collections::BTreeMap;

use schema::alike::{Aspect, Severity, Unlike};
use schema::target::SeedField;

use super::model::Model;
use super::{Compared, Pair, listed, most_unlike, told};

/// Prompts or repetitions below which nothing is said.
const FEWEST: u64 = 10;
const NEARLY_ALL: f64 = 0.9;
const ALWAYS: f64 = 0.95;
const HALF: f64 = 0.5;

/// How often each text was the answer to a prompt.
type Texts<'a> = BTreeMap<(u32, u32), BTreeMap<&'a str, u64>>;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Same {
    hits: u64,
    of: u64,
}

impl Same {
    /// The share; `None` where there is too little to go by.
    fn share(self) -> Option<f64> {
        (self.of >= FEWEST).then(|| self.hits as f64 / self.of as f64)
    }
}

/// What is unlike in the texts.
pub(super) fn unlike(compared: &[Compared<'_>]) -> Vec<Unlike> {
    let found = [twins(compared), strangers(compared), steadiness(compared)];
    found.into_iter().flatten().chain(compared.iter().filter_map(from_a_cache)).collect()
}

/// Texts by prompt and output limit.
fn texts<'a>(one: &Compared<'a>) -> Texts<'a> {
    let mut texts: Texts<'a> = BTreeMap::new();
    if one.plan.workload.defeat_cache || one.target.simulated {
        return texts;
    }
    let first_turn = one.completed().filter(|record| record.conversation.is_none_or(|place| place.turn == 0));
    for record in first_turn {
        if let Some(hash) = &record.output_hash {
            *texts.entry((record.prompt, record.max_tokens)).or_default().entry(hash).or_default() += 1;
        }
    }
    texts
}

fn commonest<'a>(answers: &BTreeMap<&'a str, u64>) -> (&'a str, u64) {
    answers.iter().max_by_key(|(_, count)| **count).map_or(("", 0), |(text, count)| (*text, *count))
}

/// Prompts in common whose commonest answer is the same.
fn same_between(one: &Compared<'_>, other: &Compared<'_>) -> Same {
    let (here, there) = (texts(one), texts(other));
    let in_common = here.iter().filter_map(|(prompt, answers)| Some((answers, there.get(prompt)?)));
    let mut same = Same { hits: 0, of: 0 };
    for (answers, others) in in_common {
        same.of += 1;
        same.hits += u64::from(commonest(answers).0 == commonest(others).0);
    }
    same
}

/// Repetitions that gave the prompt's commonest answer again.
fn same_each_time(one: &Compared<'_>) -> Same {
    let mut same = Same { hits: 0, of: 0 };
    for answers in texts(one).values() {
        same.of += answers.values().sum::<u64>() - 1;
        same.hits += commonest(answers).1 - 1;
    }
    same
}

fn is_one_model(one: &Compared<'_>, other: &Compared<'_>) -> bool {
    Model::of(&one.target.model).base == Model::of(&other.target.model).base
}

fn twins(compared: &[Compared<'_>]) -> Option<Unlike> {
    let (pair, same) = most_unlike(compared, |one, other| {
        let same = same_between(one, other);
        let share = same.share().filter(|&share| share >= NEARLY_ALL && !is_one_model(one, other))?;
        Some((share, same))
    })?;
    let Pair { one, other, .. } = &pair;
    let detail = format!(
        "{} and {} name unlike models, but {} of {} prompts got the same text from both",
        one.label, other.label, same.hits, same.of
    );
    Some(told(Severity::Note, Aspect::Answers, detail))
}

fn strangers(compared: &[Compared<'_>]) -> Option<Unlike> {
    let cold = |one: &Compared<'_>| one.plan.workload.temperature_milli == 0;
    let steady = |one: &Compared<'_>| same_each_time(one).share().is_some_and(|share| share >= ALWAYS);
    let (pair, same) = most_unlike(compared, |one, other| {
        let same = same_between(one, other);
        let share = same.share().filter(|&share| share <= HALF && is_one_model(one, other))?;
        (cold(one) && cold(other) && steady(one) && steady(other)).then_some((1.0 - share, same))
    })?;
    let Pair { one, other, .. } = &pair;
    let detail = format!(
        "{} and {} name one model and each gives the same text each time, but only {} of {} prompts got the same from \
         both{}: their weights, template or sampling are not the same",
        one.label,
        other.label,
        same.hits,
        same.of,
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::Answers, detail))
}

fn steadiness(compared: &[Compared<'_>]) -> Option<Unlike> {
    let with = |fits: &dyn Fn(f64) -> bool| -> Vec<&str> {
        let fitting = compared.iter().filter(|one| same_each_time(one).share().is_some_and(fits));
        fitting.map(|one| one.label.as_str()).collect()
    };
    let (steady, others) = (with(&|share| share >= ALWAYS), with(&|share| share <= HALF));
    (!steady.is_empty() && !others.is_empty()).then(|| {
        let detail = format!(
            "asked again, {} gave the same text each time, {} did not: one may answer from a cache, or sample otherwise",
            listed(&steady),
            listed(&others)
        );
        told(Severity::Note, Aspect::Determinism, detail)
    })
}

fn from_a_cache(one: &Compared<'_>) -> Option<Unlike> {
    let warm = one.plan.workload.temperature_milli > 0 && one.target.encoding.temperature;
    let seeded = one.target.encoding.seed_field != SeedField::None;
    let same = same_each_time(one);
    let always = same.share().is_some_and(|share| share >= ALWAYS);
    (warm && !seeded && always).then(|| {
        let detail = format!(
            "{} gave the same text in {} of {} repetitions, though it was asked at temperature {}: its answers may come \
             from a cache",
            one.label,
            same.hits,
            same.of,
            f64::from(one.plan.workload.temperature_milli) / 1000.0
        );
        told(Severity::Caution, Aspect::Determinism, detail)
    })
}
