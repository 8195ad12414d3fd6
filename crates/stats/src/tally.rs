//! What votes on answers come to.

use std::collections::BTreeMap;

use schema::summary::Estimate;
use schema::vote::{Contender, Preference, Tally, Vote, Votes};

use crate::inference::{Choice, MOST_CONTENDERS, Strengths, bradley_terry, chance};
use schema::{counted, times};

/// Counts and strengths of all that `votes` were about. Votes that are not sound count for nothing.
pub fn tally(votes: &[Vote]) -> Tally {
    let (given, skipped): (Vec<&Vote>, Vec<&Vote>) =
        votes.iter().filter(|vote| vote.is_sound()).partition(|vote| vote.preference != Preference::Skipped);
    let contenders = contenders(&given);
    let place = |wanted: &Contender| contenders.iter().take(MOST_CONTENDERS).position(|one| one == wanted);
    let choices: Vec<Choice> = given.iter().filter_map(|vote| choice(vote, &place)).collect();
    let strengths = bradley_terry(contenders.len().min(MOST_CONTENDERS), &choices);
    let leader = strengths.as_ref().map(Strengths::leader);
    let first_shown =
        |vote: &&&Vote| matches!(&vote.preference, Preference::One(name) if *name == vote.shown[0].target);
    let chosen = || given.iter().filter(|vote| matches!(vote.preference, Preference::One(_)));
    let mut tallied: Vec<Votes> = match &strengths {
        Some(strengths) => contenders
            .iter()
            .take(MOST_CONTENDERS)
            .enumerate()
            .map(|(place, contender)| of(contender, &given, strengths.of(place)))
            .collect(),
        None => Vec::new(),
    };
    tallied.sort_by(|a, b| b.chance.value.total_cmp(&a.chance.value));
    Tally {
        votes: given.len() as u64,
        skipped: skipped.len() as u64,
        first_shown_preferred: chosen().filter(first_shown).count() as u64,
        first_shown_expected: chosen().map(|vote| 1.0 / vote.shown.len() as f64).sum(),
        left_out: contenders.len().saturating_sub(MOST_CONTENDERS) as u64,
        contenders: tallied,
        leader_p: leader.map(|leader| leader.p),
        needs_more: leader.and_then(|leader| leader.needs_more),
    }
}

/// What a tally says, in sentences: who is first and whether that is told, and whether the place of an answer had a say.
pub fn tally_in_words(tally: &Tally) -> Vec<String> {
    let (Some(first), Some(p)) = (tally.contenders.first(), tally.leader_p) else {
        return vec!["No votes yet.".to_owned()];
    };
    let mark = if first.contender.simulated { " (SIMULATED)" } else { "" };
    let name = format!("`{}`{mark}", first.contender.target);
    let p = chance_in_words(p);
    let mut said = vec![match (tally.has_leader(), tally.needs_more) {
        (true, _) => format!("{name} is preferred to each other ({p})."),
        (false, Some(more)) => format!(
            "{name} leads, but it is too close to call ({p}): about {} would tell, if they fall as before.",
            counted(more, "more vote")
        ),
        (false, None) => format!("{name} leads, but it is too close to call ({p})."),
    }];
    said.push(format!(
        "Chance of being preferred to a typical other, with its 95 % interval: Bradley–Terry strengths of {}.",
        counted(tally.votes, "vote")
    ));
    if tally.votes >= 5 {
        said.push(format!(
            "The answer shown first was preferred {}; without any habit it would be about {:.1}.",
            times(tally.first_shown_preferred),
            tally.first_shown_expected
        ));
    }
    if tally.left_out > 0 {
        said.push(format!("Contenders shown least often are left out: {}.", tally.left_out));
    }
    said
}

/// `p = 0.21`, with a digit more where it is close, and never as if it were nothing.
fn chance_in_words(p: f64) -> String {
    match p {
        p if p < 0.001 => "p < 0.001".to_owned(),
        p if p < 0.1 => format!("p = {p:.3}"),
        p => format!("p = {p:.2}"),
    }
}

/// All that were shown, those shown most often first.
fn contenders(votes: &[&Vote]) -> Vec<Contender> {
    let mut shown: BTreeMap<&Contender, u64> = BTreeMap::new();
    for contender in votes.iter().flat_map(|vote| &vote.shown) {
        *shown.entry(contender).or_default() += 1;
    }
    let mut ordered: Vec<(&Contender, u64)> = shown.into_iter().collect();
    ordered.sort_by_key(|(_, shown)| std::cmp::Reverse(*shown));
    ordered.into_iter().map(|(contender, _)| contender.clone()).collect()
}

/// A vote by the numbers of those it is about; `None` where one of them is left out.
fn choice(vote: &Vote, place: &impl Fn(&Contender) -> Option<usize>) -> Option<Choice> {
    let shown = vote.shown.iter().map(place).collect::<Option<Vec<_>>>()?;
    let preferred = match &vote.preference {
        Preference::One(name) => Some(place(vote.shown.iter().find(|one| one.target == *name)?)?),
        Preference::AllAlike | Preference::Skipped => None,
    };
    Some(Choice { shown, preferred })
}

fn of(contender: &Contender, votes: &[&Vote], log_odds: Estimate) -> Votes {
    let about = || votes.iter().filter(|vote| vote.shown.contains(contender));
    let count = |wanted: &Preference| about().filter(|vote| vote.preference == *wanted).count() as u64;
    Votes {
        shown: about().count() as u64,
        preferred: count(&Preference::One(contender.target.clone())),
        alike: count(&Preference::AllAlike),
        chance: Estimate {
            value: chance(log_odds.value),
            low: log_odds.low.map(chance),
            high: log_odds.high.map(chance),
        },
        contender: contender.clone(),
    }
}

#[cfg(test)]
mod tests;
