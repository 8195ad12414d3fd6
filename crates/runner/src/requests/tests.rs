use std::collections::BTreeMap;

use load::After;
use schema::plan::{Load, PromptSource, Stop};
use schema::record::Phase;
use schema::units::Moment;
use serde_json::Value;

use super::*;
use crate::conversations::Conversations;

const AT: At = At { target: 0, phase: Phase::Measured, block: 0, step: 3 };

fn plan() -> Plan {
    let mut plan = crate::turns::tests::plan(&["a"], Load::Closed { concurrency: 1 }, Stop::Requests(1));
    plan.workload = Workload::plain(PromptSource::Text("why?".into()), 8);
    plan
}

/// The requests of `plan`, whose prompts are the lines of a file.
fn requests(plan: &Plan, lines: &str) -> Requests {
    let sources =
        workload::Sources { file: Some(Box::new(std::io::Cursor::new(lines.to_owned()))), ..Default::default() };
    let mut workload = plan.workload.clone();
    workload.prompts = PromptSource::File("lines.jsonl".into());
    let prompts = workload::prepare(&workload, plan.seed, sources).unwrap();
    let targets: Vec<_> =
        plan.targets.iter().map(|target| Credentialed { target: target.clone(), key: None }).collect();
    Requests::new(plan, &targets, &prompts, Uuid::now_v7())
}

fn slot(index: u64) -> Slot {
    Slot { index, scheduled: Moment(5), stream: 0 }
}

fn body(asked: &Asked) -> Value {
    serde_json::from_slice(&asked.order.body).unwrap()
}

#[test]
fn every_prompt_is_asked_once_a_round_with_its_own_limit() {
    let requests = requests(&plan(), "{\"prompt\":\"a\",\"max_tokens\":3}\n{\"prompt\":\"b\"}\n{\"prompt\":\"c\"}");
    let asked: Vec<_> = (0..3).map(|index| requests.ask(AT, slot(index), 0, None)).collect();
    let told: BTreeMap<_, _> = asked
        .iter()
        .map(|asked| (body(asked)["messages"][0]["content"].as_str().unwrap().to_owned(), asked.order.max_tokens))
        .collect();
    assert_eq!(told, BTreeMap::from([("a".into(), 3), ("b".into(), 8), ("c".into(), 8)]));
    assert!(asked.iter().all(|asked| body(asked)["max_tokens"] == asked.order.max_tokens));
    assert_eq!((asked[1].order.step, asked[1].order.attempt, asked[1].order.scheduled), (3, 0, Moment(5)));
}

#[test]
fn bodies_encoded_beforehand_and_for_their_requests_are_alike() {
    for defeat_cache in [false, true] {
        let mut plan = plan();
        plan.workload.defeat_cache = defeat_cache;
        let mut requests = requests(&plan, "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}");
        let prepared = requests.ask(AT, slot(1), 0, None).order.body;
        requests.targets[0].bodies.clear();
        assert_eq!(requests.ask(AT, slot(1), 0, None).order.body, prepared);
    }
}

#[test]
fn no_two_requests_share_a_nonce_not_even_two_attempts() {
    let mut plan = plan();
    plan.workload.defeat_cache = true;
    let requests = requests(&plan, "{\"prompt\":\"a\"}");
    let bodies: Vec<_> =
        [(0, 0), (0, 1), (1, 0)].map(|(index, attempt)| requests.ask(AT, slot(index), attempt, None).order.body).into();
    assert!(bodies[0] != bodies[1] && bodies[0] != bodies[2] && bodies[1] != bodies[2]);
}

#[test]
fn estimates_are_made_where_money_or_limits_ask_for_them() {
    let mut plan = plan();
    assert_eq!(requests(&plan, "a").ask(AT, slot(0), 0, None).most_input, 0);
    plan.budget_usd = Some("1usd".parse().unwrap());
    let line = "word ".repeat(400);
    assert!(requests(&plan, &line).ask(AT, slot(0), 0, None).most_input > 600);
}

#[test]
fn a_later_turn_carries_what_was_said_before_and_its_estimate_grows() {
    let mut plan = plan();
    plan.budget_usd = Some("1usd".parse().unwrap());
    plan.workload.turns = 3;
    let prompt = r#"{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"x"},{"role":"user","content":"two"}]}"#;
    let requests = requests(&plan, prompt);
    let all = Conversations::default();
    let talk = all.take(Phase::Measured, 0);
    let first = requests.ask(AT, slot(0), 0, Some(&talk));
    assert_eq!(first.turns, 2);
    let after = all.put_back(Phase::Measured, 0, talk, Some("truly ".repeat(1000)), first.turns);
    assert_eq!(after, After::SessionGoesOn);
    let second = requests.ask(AT, slot(9), 0, Some(&all.take(Phase::Measured, 0)));
    let said: Vec<_> = body(&second)["messages"].as_array().unwrap().iter().map(|m| m["role"].clone()).collect();
    assert_eq!(said, ["user", "assistant", "user"]);
    assert_eq!(second.order.conversation.map(|place| (place.conversation, place.turn)), Some((0, 1)));
    assert!(second.most_input > first.most_input + 1500);
}

#[test]
fn what_is_made_for_each_request_is_large_from_some_size_on() {
    let large = |tokens: u32| {
        let mut plan = plan();
        plan.workload.prompts = PromptSource::Synthetic(tokens.to_string().parse().unwrap());
        let prompts = workload::prepare(&plan.workload, plan.seed, workload::Sources::default()).unwrap();
        let who = Credentialed { target: plan.targets[0].clone(), key: None };
        Requests::new(&plan, &[who], &prompts, Uuid::now_v7()).are_large()
    };
    assert!(!large(500) && large(50_000));
    assert!(!requests(&plan(), &"word ".repeat(20_000)).are_large(), "encoded beforehand");
}

#[test]
fn a_request_that_is_not_sent_is_named_all_the_same() {
    let requests = requests(&plan(), "{\"prompt\":\"a\",\"max_tokens\":3}\n{\"prompt\":\"b\"}");
    for index in 0..2 {
        let (unsent, sent) = (requests.unsent(AT, slot(index)), requests.ask(AT, slot(index), 0, None).order);
        assert_eq!((unsent.index, unsent.prompt, unsent.max_tokens), (sent.index, sent.prompt, sent.max_tokens));
        assert!(unsent.body.is_empty());
    }
}

#[test]
fn a_warm_up_has_prompts_of_its_own_also_in_conversations() {
    let mut plan = plan();
    plan.workload.prompts = PromptSource::Synthetic("50".parse().unwrap());
    plan.workload.turns = 2;
    let prompts = workload::prepare(&plan.workload, plan.seed, workload::Sources::default()).unwrap();
    let who = Credentialed { target: plan.targets[0].clone(), key: None };
    let requests = Requests::new(&plan, &[who], &prompts, Uuid::now_v7());
    let all = Conversations::default();
    let mut numbers = std::collections::BTreeSet::new();
    for phase in [Phase::Warmup, Phase::Measured] {
        for stream in 0..2 {
            let at = At { phase, ..AT };
            let alone = requests.ask(at, slot(stream.into()), 0, None).order;
            let talking = requests.ask(at, slot(7), 0, Some(&all.take(phase, stream))).order;
            assert_eq!((alone.prompt, &alone.body), (talking.prompt, &talking.body), "both are the first ones");
            assert!(numbers.insert(alone.prompt), "{phase:?} {stream}");
        }
    }
}

#[test]
fn a_warm_up_may_ask_for_shorter_answers_and_never_for_longer_ones() {
    let mut plan = plan();
    for (most, expected) in [(None, [8, 8]), (Some(3), [3, 8]), (Some(99), [8, 8])] {
        plan.workload.warmup_max_tokens = most;
        let requests = requests(&plan, "{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}");
        let asked = [Phase::Warmup, Phase::Measured].map(|phase| {
            let asked = requests.ask(At { phase, ..AT }, slot(0), 0, None);
            assert_eq!(body(&asked)["max_tokens"], asked.order.max_tokens);
            asked.order.max_tokens
        });
        assert_eq!(asked, expected, "{most:?}");
    }
}

#[test]
fn a_warm_up_does_not_fill_caches_with_the_one_prompt_there_is() {
    for (lines, apart) in [("{\"prompt\":\"a\"}", true), ("{\"prompt\":\"a\"}\n{\"prompt\":\"b\"}", false)] {
        let requests = requests(&plan(), lines);
        let bodies: Vec<_> = (0..2).map(|index| requests.ask(AT, slot(index), 0, None).order.body).collect();
        let warm = requests.ask(At { phase: Phase::Warmup, ..AT }, slot(0), 0, None).order.body;
        assert_eq!(!bodies.contains(&warm), apart, "{lines}");
    }
}
