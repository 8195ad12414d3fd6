//! What was remembered, with what shows it.

use std::collections::{BTreeMap, HashMap};

use schema::conversation::{AtDistance, Evidence, Grade, Recall, Retention, Script};
use schema::record::{FailureClass, Outcome};
use schema::summary::Estimate;
use schema::text::Untrusted;

use super::{Had, answer_of, recall};
use crate::inference::{Share, fisher};
use crate::interval::wilson;

/// Questions below which a grade would be a guess: Wilson's interval of six right ones begins at 61 %.
const FEWEST_GRADED: u64 = 6;

/// Groups of distances at most.
const MOST_GROUPS: u32 = 4;

/// Grade and evidence of the turns `had`, of conversations that go by `scripts`.
pub(super) fn retention(had: &[Had<'_>], scripts: &BTreeMap<u64, Script>) -> Retention {
    let by_place: HashMap<(u64, u32), &Had<'_>> =
        had.iter().map(|had| ((had.turn.conversation, had.turn.turn), had)).collect();
    let mut evidence = Vec::new();
    let mut not_reached = 0;
    for (conversation, script) in scripts {
        let refused = refused_in(*conversation, had);
        for (turn, line) in (0..).zip(&script.lines) {
            let Some(fact) = line.asks else { continue };
            let question = Question { conversation: *conversation, script, fact, turn };
            match (by_place.get(&(*conversation, turn)), refused) {
                (Some(had), _) => evidence.push(question.answered(had, &by_place)),
                (None, Some(message)) => evidence.push(question.evidence(None, Recall::Refused, message)),
                (None, None) => not_reached += 1,
            }
        }
    }
    summed(evidence, not_reached)
}

/// What was said by a server that took the conversation's beginning, and then refused to go on with it.
fn refused_in<'a>(conversation: u64, had: &'a [Had<'_>]) -> Option<&'a Untrusted> {
    let own: Vec<_> = had.iter().filter(|had| had.turn.conversation == conversation).collect();
    let last = own.last().filter(|_| own.len() > 1)?;
    match &last.record.outcome {
        Outcome::Failed(failure) if failure.class == FailureClass::BadRequest => Some(&failure.message),
        _ => None,
    }
}

struct Question<'a> {
    conversation: u64,
    script: &'a Script,
    fact: usize,
    turn: u32,
}

impl Question<'_> {
    fn answered(&self, had: &Had<'_>, all: &HashMap<(u64, u32), &Had<'_>>) -> Evidence {
        let told = all.get(&(self.conversation, self.script.facts[self.fact].told_in));
        let between = told.and_then(|told| had.turn.context_tokens?.checked_sub(told.turn.context_tokens?));
        match &had.record.outcome {
            Outcome::Complete { .. } => {
                let (verdict, excerpt) = recall(&self.script.facts, self.fact, &answer_of(had.record));
                self.evidence(between, verdict, &excerpt)
            }
            Outcome::Failed(failure) if failure.class == FailureClass::BadRequest && self.turn > 0 => {
                self.evidence(between, Recall::Refused, &failure.message)
            }
            Outcome::Failed(failure) => self.evidence(between, Recall::Unanswered, &failure.message),
            Outcome::NotSent | Outcome::Cancelled | Outcome::Interrupted => {
                self.evidence(between, Recall::Unanswered, &Untrusted::default())
            }
        }
    }

    fn evidence(&self, distance_tokens: Option<u64>, recall: Recall, excerpt: &Untrusted) -> Evidence {
        let fact = &self.script.facts[self.fact];
        Evidence {
            conversation: self.conversation,
            subject: fact.subject.clone(),
            value: fact.value.clone(),
            told_in: fact.told_in,
            asked_in: self.turn,
            distance_tokens,
            recall,
            excerpt: Untrusted::bounded(excerpt.raw(), 200),
        }
    }
}

fn summed(evidence: Vec<Evidence>, not_reached: u64) -> Retention {
    let counted: Vec<&Evidence> = evidence.iter().filter(|one| one.recall.counts()).collect();
    let Share { hits: right, of: asked } = tally(counted.iter().copied());
    let share = (asked > 0).then(|| share(right, asked));
    let graded = share.filter(|_| asked >= FEWEST_GRADED);
    Retention {
        asked,
        right,
        unanswered: evidence.len() as u64 - asked,
        not_reached,
        share,
        grade: graded.map(|share| Grade::of(share.value)),
        grade_range: graded.and_then(|share| Some((Grade::of(share.high?), Grade::of(share.low?)))),
        by_distance: by_distance(&counted),
        near_far_p: (asked >= FEWEST_GRADED).then(|| near_far(&counted)).flatten(),
        evidence,
    }
}

/// With Wilson's interval, which takes questions for independent of each other.
fn share(right: u64, asked: u64) -> Estimate {
    let (low, high) = wilson(right, asked);
    Estimate { value: right as f64 / asked as f64, low: Some(low), high: Some(high) }
}

fn tally<'a>(evidence: impl Iterator<Item = &'a Evidence>) -> Share {
    evidence.fold(Share { hits: 0, of: 0 }, |share, one| Share {
        hits: share.hits + u64::from(one.recall == Recall::Right),
        of: share.of + 1,
    })
}

/// Groups of equally many turns each; empty ones are left out.
fn by_distance(counted: &[&Evidence]) -> Vec<AtDistance> {
    let distances = || counted.iter().map(|one| one.distance_turns());
    let (Some(nearest), Some(farthest)) = (distances().min(), distances().max()) else { return Vec::new() };
    let width = (farthest - nearest + 1).div_ceil(MOST_GROUPS);
    let group = |number: u32| {
        let (from, to) = (nearest + number * width, (nearest + (number + 1) * width - 1).min(farthest));
        let Share { hits: right, of: asked } =
            tally(counted.iter().copied().filter(|one| (from..=to).contains(&one.distance_turns())));
        (asked > 0).then(|| AtDistance { turns_from: from, turns_to: to, asked, right, share: share(right, asked) })
    };
    (0..MOST_GROUPS).filter_map(group).collect()
}

/// The nearer half of the questions against the farther; `None` where all are equally far.
fn near_far(counted: &[&Evidence]) -> Option<f64> {
    let mut distances: Vec<u32> = counted.iter().map(|one| one.distance_turns()).collect();
    distances.sort_unstable();
    let farthest = *distances.last()?;
    // Where more than half are as far as any, those are the far ones.
    let nearer = distances.partition_point(|distance| *distance < farthest);
    let middle = distances[((distances.len() - 1) / 2).min(nearer.checked_sub(1)?)];
    let (near, far): (Vec<&Evidence>, Vec<&Evidence>) = counted.iter().partition(|one| one.distance_turns() <= middle);
    let (near, far) = (tally(near.into_iter()), tally(far.into_iter()));
    (near.of > 0 && far.of > 0).then(|| fisher(near, far))
}
