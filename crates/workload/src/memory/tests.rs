use std::collections::HashSet;

use super::*;

const MEMORY: Memory = Memory { facts: 6, passage_tokens: 150 };

fn purposes(facts: u32, turns: u32) -> String {
    let letter = |line: &Line| match line.purpose {
        Purpose::Tells => 'T',
        Purpose::Distracts => 'd',
        Purpose::Asks => '?',
    };
    script(Memory { facts, ..MEMORY }, turns, 7, 0).lines.iter().map(letter).collect()
}

#[test]
fn facts_are_told_first_and_asked_for_between_passages() {
    assert_eq!(purposes(6, 12), "TTTd??d??d??");
    assert_eq!(purposes(8, 16), "TTTTd??d??d??d??");
    assert_eq!(purposes(1, 2), "T?");
    assert_eq!(purposes(1, 6), "Tdddd?");
    assert_eq!(purposes(6, 9), "TTT??????");
}

#[test]
fn turns_that_are_too_few_leave_out_questions_and_nothing_panics() {
    assert_eq!(purposes(6, 4), "TTT?");
    assert_eq!(purposes(6, 2), "TT");
    assert_eq!(purposes(0, 1), "T");
    assert_eq!(purposes(10_000, 1), "T");
}

#[test]
fn so_many_turns_as_are_said_to_be_enough_are_enough() {
    for facts in 1..=MOST_FACTS {
        let turns = fewest_turns(facts);
        let script = script(Memory { facts, ..MEMORY }, turns, 1, 3);
        assert_eq!(script.lines.iter().filter(|line| line.asks.is_some()).count(), facts as usize);
        assert!(fewest_turns(usual_facts(turns)) <= turns);
    }
}

#[test]
fn every_fact_is_told_in_its_turn_and_asked_for_once_later() {
    for conversation in 0..50 {
        let script = script(MEMORY, 12, 42, conversation);
        let mut asked = HashSet::new();
        for (turn, line) in script.lines.iter().enumerate() {
            let Some(fact) = line.asks else { continue };
            assert!(asked.insert(fact));
            let fact = &script.facts[fact];
            assert!(turn > fact.told_in as usize);
            assert!(line.text.contains(&fact.subject) && !line.text.contains(&fact.value), "{}", line.text);
            let told = &script.lines[fact.told_in as usize].text;
            let sentence = format!("{} is {}.", fact.subject, fact.value).to_lowercase();
            assert!(told.to_lowercase().contains(&sentence), "{told}");
        }
        assert_eq!(asked.len(), script.facts.len());
    }
}

#[test]
fn no_value_stands_anywhere_but_where_it_is_told() {
    for conversation in 0..50 {
        let script = script(MEMORY, 12, 1, conversation);
        for fact in &script.facts {
            let holding = script.lines.iter().filter(|line| line.text.contains(&fact.value));
            assert_eq!(holding.count(), 1, "{}", fact.value);
        }
        let values: HashSet<&str> = script.facts.iter().map(|fact| fact.value.as_str()).collect();
        assert_eq!(values.len(), script.facts.len());
    }
}

#[test]
fn the_same_seed_and_number_give_the_same_conversation_and_others_others() {
    let of = |seed, conversation| script(MEMORY, 12, seed, conversation);
    assert_eq!(of(5, 2), of(5, 2));
    assert_ne!(of(5, 2).facts, of(5, 3).facts);
    assert_ne!(of(5, 2).facts, of(6, 2).facts);
}

/// Chance of guessing a value of each kind right.
#[test]
fn values_come_from_pools_too_large_to_guess_from() {
    let names = pool::FIRST_NAMES.len() * pool::LAST_NAMES.len();
    let places = pool::PLACE_HEADS.len() * pool::PLACE_TAILS.len();
    assert!(names > 500 && places > 500, "{names} {places}");
    let parts = [pool::FIRST_NAMES, pool::LAST_NAMES, pool::PLACE_HEADS, pool::PLACE_TAILS];
    assert!(parts.iter().all(|parts| parts.len() >= 10 && HashSet::<&&str>::from_iter(*parts).len() == parts.len()));
    let mut drawn = HashSet::new();
    let values = (0..400).flat_map(|conversation| script(MEMORY, 12, 9, conversation).facts);
    let (mut all, mut kinds) = (0, HashSet::new());
    for fact in values {
        all += 1;
        kinds.insert(fact.kind);
        drawn.insert(fact.value);
    }
    assert!(kinds.len() == 4 && drawn.len() > all * 3 / 4, "{} of {all}", drawn.len());
}

#[test]
fn passages_are_about_as_long_as_asked() {
    for tokens in [0_u32, 40, 150, 600, MOST_PASSAGE_TOKENS] {
        for choice in 0..20 {
            let long = estimate_tokens(&builtin::passage(choice * 31, tokens));
            let off = long.abs_diff(tokens.into());
            assert!(off <= 60 && (tokens > 0 || long == 0), "{long} for {tokens}");
        }
    }
}

#[test]
fn what_is_said_reads_like_this() {
    let script = script(Memory { facts: 3, passage_tokens: 60 }, 6, 3, 0);
    let text: Vec<String> = script.lines.into_iter().map(|line| line.text).collect();
    insta::assert_snapshot!(text.join("\n---\n"));
}
