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
use super::{Compared, listed, most_unlike, told};

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

/// One of those compared, with its texts.
struct Speaker<'c, 'a> {
    one: &'c Compared<'a>,
    texts: Texts<'a>,
    /// Repetitions that gave the prompt's commonest answer again.
    each_time: Same,
}

/// What is unlike in the texts.
pub(super) fn unlike(compared: &[Compared<'_>]) -> Vec<Unlike> {
    let speakers: Vec<Speaker<'_, '_>> = compared.iter().map(Speaker::of).collect();
    let found = [twins(&speakers), strangers(&speakers), steadiness(&speakers)];
    found.into_iter().flatten().chain(speakers.iter().filter_map(from_a_cache)).collect()
}

impl<'c, 'a> Speaker<'c, 'a> {
    fn of(one: &'c Compared<'a>) -> Self {
        let texts = texts(one);
        let mut each_time = Same { hits: 0, of: 0 };
        for answers in texts.values() {
            each_time.of += answers.values().sum::<u64>() - 1;
            each_time.hits += commonest(answers).1 - 1;
        }
        Self { one, texts, each_time }
    }

    fn label(&self) -> &'c str {
        &self.one.label
    }

    /// Whether it gives the same text each time; `None` where it was not asked again often enough.
    fn repeats_itself(&self) -> Option<f64> {
        self.each_time.share()
    }
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
fn same_between(one: &Speaker<'_, '_>, other: &Speaker<'_, '_>) -> Same {
    let in_common = one.texts.iter().filter_map(|(prompt, answers)| Some((answers, other.texts.get(prompt)?)));
    let mut same = Same { hits: 0, of: 0 };
    for (answers, others) in in_common {
        same.of += 1;
        same.hits += u64::from(commonest(answers).0 == commonest(others).0);
    }
    same
}

fn is_one_model(one: &Speaker<'_, '_>, other: &Speaker<'_, '_>) -> bool {
    Model::of(&one.one.target.model).base == Model::of(&other.one.target.model).base
}

fn twins(speakers: &[Speaker<'_, '_>]) -> Option<Unlike> {
    let (pair, same) = most_unlike(speakers, |one, other| {
        let same = same_between(one, other);
        let share = same.share().filter(|&share| share >= NEARLY_ALL && !is_one_model(one, other))?;
        Some((share, same))
    })?;
    let detail = format!(
        "{} and {} name unlike models, but {} of {} prompts got the same text from both",
        pair.one.label(),
        pair.other.label(),
        same.hits,
        same.of
    );
    Some(told(Severity::Note, Aspect::Answers, detail))
}

fn strangers(speakers: &[Speaker<'_, '_>]) -> Option<Unlike> {
    let cold = |one: &Speaker<'_, '_>| one.one.plan.workload.temperature_milli == 0;
    let steady = |one: &Speaker<'_, '_>| one.repeats_itself().is_some_and(|share| share >= ALWAYS);
    let (pair, same) = most_unlike(speakers, |one, other| {
        let same = same_between(one, other);
        let share = same.share().filter(|&share| share <= HALF && is_one_model(one, other))?;
        (cold(one) && cold(other) && steady(one) && steady(other)).then_some((1.0 - share, same))
    })?;
    let detail = format!(
        "{} and {} name one model and each gives the same text each time, but only {} of {} prompts got the same from \
         both{}: their weights, template or sampling are not the same",
        pair.one.label(),
        pair.other.label(),
        same.hits,
        same.of,
        pair.besides()
    );
    Some(told(Severity::Caution, Aspect::Answers, detail))
}

fn steadiness(speakers: &[Speaker<'_, '_>]) -> Option<Unlike> {
    let with = |fits: &dyn Fn(f64) -> bool| -> Vec<&str> {
        let fitting = speakers.iter().filter(|one| one.repeats_itself().is_some_and(fits));
        fitting.map(Speaker::label).collect()
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

fn from_a_cache(speaker: &Speaker<'_, '_>) -> Option<Unlike> {
    let one = speaker.one;
    let warm = one.plan.workload.temperature_milli > 0 && one.target.encoding.temperature;
    let seeded = one.target.encoding.seed_field != SeedField::None;
    let always = speaker.repeats_itself().is_some_and(|share| share >= ALWAYS);
    (warm && !seeded && always).then(|| {
        let detail = format!(
            "{} gave the same text in {} of {} repetitions, though it was asked at temperature {}: its answers may come \
             from a cache",
            one.label,
            speaker.each_time.hits,
            speaker.each_time.of,
            f64::from(one.plan.workload.temperature_milli) / 1000.0
        );
        told(Severity::Caution, Aspect::Determinism, detail)
    })
}
