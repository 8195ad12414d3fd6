use schema::conversation::{Fact, FactKind, Grade, Recall};
use schema::record::{FailureClass, InConversation, Usage};

use super::*;
use crate::fixture::{failed, price, record, target};

/// Two turns that tell, one that distracts, and as many that ask as there are facts.
fn script(facts: usize) -> Script {
    let kind = FactKind::Number;
    let fact = |n: usize| Fact {
        kind,
        subject: format!("the number of things {n}"),
        value: (1_001 + 7 * n).to_string(),
        told_in: u32::from(n % 2 == 1),
    };
    let line = |purpose, asks| Line { text: String::new(), tokens: 50, purpose, asks };
    let mut lines = vec![line(Purpose::Tells, None), line(Purpose::Tells, None), line(Purpose::Distracts, None)];
    lines.extend((0..facts).map(|n| line(Purpose::Asks, Some(n))));
    Script { facts: (0..facts).map(fact).collect(), lines }
}

/// Turn `turn` of conversation `conversation`, with that answer, a context of 100 tokens a turn and a TTFT of 10 ms and
/// 1 ms for each of them.
fn turn(conversation: u64, turn: u32, answer: &str) -> Record {
    let context = 100 * (u64::from(turn) + 1);
    let mut record = record(10_000 * (u64::from(turn) + 1), &[10 + context, 20 + context]);
    record.conversation = Some(InConversation { conversation, turn });
    record.usage = Some(Usage { input_tokens: Some(context), output_tokens: Some(2), ..Usage::default() });
    record.output = Some(vec![answer.into(), "".into()]);
    record
}

fn answers(facts: usize, answer: impl Fn(usize) -> String) -> Vec<Record> {
    let lines = script(facts).lines;
    let one = |(number, line): (u32, &Line)| turn(0, number, &line.asks.map_or_else(|| "Got it.".into(), &answer));
    (0..).zip(&lines).map(one).collect()
}

fn value(fact: usize) -> String {
    (1_001 + 7 * fact).to_string()
}

fn seen(records: &[Record], facts: usize) -> Conversations {
    conversations(&target("a"), records, |_| Some(script(facts))).unwrap()
}

#[test]
fn whoever_remembers_all_has_an_a_with_its_interval() {
    let all = seen(&answers(8, value), 8);
    let retention = &all.retention;
    assert_eq!((all.begun, all.finished, all.turns_each, all.turns.len()), (1, 1, 11, 11));
    assert_eq!((retention.asked, retention.right, retention.unanswered, retention.not_reached), (8, 8, 0, 0));
    assert_eq!((retention.grade, retention.grade_range), (Some(Grade::A), Some((Grade::A, Grade::D))));
    // R's binom::binom.confint(8, 8, method = "wilson").
    assert!((retention.share.unwrap().low.unwrap() - 0.675_59).abs() < 1e-4, "{:?}", retention.share);
}

#[test]
fn whoever_forgets_all_has_an_f() {
    let retention = seen(&answers(8, |_| "I do not know.".into()), 8).retention;
    assert_eq!((retention.right, retention.grade), (0, Some(Grade::F)));
    assert!(retention.evidence.iter().all(|one| one.recall == Recall::Unknown));
}

#[test]
fn few_questions_get_a_share_and_no_grade() {
    let retention = seen(&answers(5, value), 5).retention;
    assert_eq!((retention.asked, retention.grade, retention.near_far_p), (5, None, None));
    assert!(retention.share.is_some());
}

#[test]
fn evidence_says_what_was_told_when_and_asked_when() {
    let evidence = seen(&answers(8, |fact| if fact == 3 { value(4) } else { value(fact) }), 8).retention.evidence;
    let third = &evidence[3];
    assert_eq!((third.told_in, third.asked_in, third.distance_turns()), (1, 6, 5));
    assert_eq!((third.distance_tokens, third.recall), (Some(500), Recall::Confused));
    assert_eq!((third.value.as_str(), third.excerpt.raw()), ("1022", "1029"));
}

#[test]
fn what_is_far_and_forgotten_shows_by_distance() {
    let near = |fact: usize| if fact < 6 { value(fact) } else { "I do not know.".into() };
    let retention = seen(&answers(12, near), 12).retention;
    let groups: Vec<_> = retention.by_distance.iter().map(|g| (g.turns_from, g.turns_to, g.asked, g.right)).collect();
    assert_eq!(groups, [(3, 5, 4, 4), (6, 8, 2, 2), (9, 11, 4, 0), (12, 13, 2, 0)]);
    // scipy.stats.fisher_exact([[6, 0], [0, 6]]).pvalue
    assert!((retention.near_far_p.unwrap() - 0.002_164_5).abs() < 1e-6, "{:?}", retention.near_far_p);
}

#[test]
fn where_most_are_as_far_as_any_the_few_are_near() {
    let mut script = script(8);
    for (n, fact) in (0..).zip(&mut script.facts) {
        fact.told_in = if n < 2 { n + 2 } else { n };
    }
    let near = |fact: usize| if fact < 2 { value(fact) } else { "I do not know.".into() };
    let seen = conversations(&target("a"), &answers(8, near), |_| Some(script.clone())).unwrap();
    // Of 28 ways to be right twice out of eight, one.
    assert!((seen.retention.near_far_p.unwrap() - 1.0 / 28.0).abs() < 1e-9, "{:?}", seen.retention.near_far_p);
}

#[test]
fn ttft_grows_with_the_context_by_so_much_for_a_thousand_tokens() {
    let slope = seen(&answers(8, value), 8).over_context.unwrap();
    // The turn that distracts is left out.
    assert_eq!(slope.turns, 10);
    assert!((slope.per_1k_tokens_ns.value - 1e9).abs() < 1.0, "{slope:?}");
    assert!((slope.at_zero_ns - 10e6).abs() < 1.0, "{slope:?}");
}

#[test]
fn a_cache_that_spares_reading_flattens() {
    // All but 50 to 60 tokens come from the cache, and TTFT follows those.
    let mut records = answers(8, value);
    for (number, one) in (0_u64..).zip(&mut records) {
        let context = 100 * (number + 1);
        let read = 50 + number * 7 % 10;
        let start = one.start_ns.unwrap();
        let again = record((start.0) / 1_000_000, &[10 + read, 20 + read]);
        one.events = again.events;
        one.usage = one.usage.map(|usage| Usage { cached_input_tokens: Some(context - read), ..usage });
    }
    let all = seen(&records, 8);
    assert_eq!(all.flattening, Flattening::Flattens, "{:?} {:?}", all.over_context, all.over_read);
    assert!(all.cached_input_tokens > all.reported_input_tokens / 2);
}

#[test]
fn caching_that_is_not_reported_is_not_judged() {
    assert_eq!(seen(&answers(8, value), 8).flattening, Flattening::NotReported);
    let mut records = answers(8, value);
    for record in &mut records {
        record.usage = record.usage.map(|usage| Usage { cached_input_tokens: Some(0), ..usage });
    }
    assert_eq!(seen(&records, 8).flattening, Flattening::NoCache);
}

#[test]
fn context_is_estimated_where_the_server_does_not_count() {
    let mut records = answers(1, value);
    for record in &mut records {
        record.usage = None;
    }
    let turns = seen(&records, 1).turns;
    // Fifty tokens a line, two an answer.
    assert_eq!(turns.iter().map(|turn| turn.context_tokens.unwrap()).collect::<Vec<_>>(), [50, 102, 154, 206]);
    assert!(turns.iter().all(|turn| turn.estimated));
}

#[test]
fn a_server_that_refuses_to_go_on_has_not_remembered_and_one_that_fails_is_not_judged() {
    let at = |conversation, turn, class| {
        let mut record = failed(90_000, class);
        record.conversation = Some(InConversation { conversation, turn });
        record
    };
    let mut records: Vec<Record> = answers(8, value).into_iter().take(6).collect();
    records.push(at(0, 6, FailureClass::BadRequest));
    let retention = seen(&records, 8).retention;
    assert_eq!((retention.asked, retention.right, retention.not_reached), (8, 3, 0));
    assert_eq!(retention.evidence.iter().filter(|one| one.recall == Recall::Refused).count(), 5);

    records.pop();
    records.push(at(0, 6, FailureClass::ServerError));
    let retention = seen(&records, 8).retention;
    assert_eq!((retention.asked, retention.right, retention.unanswered, retention.not_reached), (3, 3, 1, 4));
}

#[test]
fn reasoning_is_no_answer() {
    let mut records = answers(6, |_| "1001 1008 1015 1022".into());
    for record in &mut records {
        crate::fixture::edit(record, |events| events.iter_mut().for_each(|e| e.kind = EventKind::Reasoning));
    }
    assert!(seen(&records, 6).retention.evidence.iter().all(|one| one.recall == Recall::Wrong));
}

#[test]
fn warm_up_other_targets_and_requests_that_stand_alone_count_for_nothing() {
    let warm = Record { phase: Phase::Warmup, ..turn(0, 0, "") };
    let other = Record { target: "b".parse().unwrap(), ..turn(0, 0, "") };
    let alone = Record { conversation: None, ..turn(0, 0, "") };
    assert_eq!(conversations(&target("a"), &[warm, other, alone], |_| Some(script(6))), None);
}

#[test]
fn the_last_attempt_is_the_one_that_counts() {
    let mut records = answers(6, value);
    let first = Record { attempt: 0, output: Some(vec!["no".into()]), ..records[4].clone() };
    records[4].attempt = 1;
    records.push(first);
    assert_eq!(seen(&records, 6).retention.right, 6);
}

#[test]
fn turns_cost_what_their_tokens_do() {
    let target = schema::target::Target { price: Some(price()), ..target("a") };
    let all = conversations(&target, &answers(1, value), |_| Some(script(1))).unwrap();
    assert!(all.turns.iter().all(|turn| turn.cost_usd.is_some()));
}
