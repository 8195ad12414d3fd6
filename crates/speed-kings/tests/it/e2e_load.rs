//! When requests leave: schedules, places, time limits, warm-up, turns.

use std::collections::BTreeMap;

use schema::metric::Metric;
use schema::record::{Outcome, Phase, Record};
use schema::units::Nanos;
use sim::Engine;

use crate::command::Desk;
use crate::e2e_run::{latest, measured, prompt_engine, records, slow_engine, start, summary, target};

fn by_index(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_key(|record| record.index);
    records
}

#[test]
fn constant_arrivals_are_due_at_exactly_equal_distances() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let load = ["--rate=200/s", "--arrival=constant", "--requests=30", "--blocks=1", "--warmup=2", "--max-tokens=2"];
    let outcome = desk.run(&[&["benchmark", &target("it", &sim)], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    let records = by_index(measured(&run, "it"));
    assert_eq!(records.len(), 30);
    for pair in records.windows(2) {
        assert_eq!(pair[1].index, pair[0].index + 1);
        assert_eq!(pair[1].scheduled_ns - pair[0].scheduled_ns, Nanos::from_millis(5));
    }
    assert!(records.iter().all(|record| record.start_ns.unwrap() >= record.scheduled_ns), "nothing leaves early");
    let summary = summary(&run, "it");
    assert_eq!(summary.metrics[&Metric::ScheduleLag].n, 30);
    assert!(summary.throughput.offered_requests_per_s.is_some());
}

#[test]
fn an_open_loop_that_ends_by_time_has_as_many_slots_as_fit() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let load = ["--rate=100/s", "--arrival=constant", "--duration=300ms", "--blocks=3", "--max-tokens=1"];
    let outcome = desk.run(&[&["benchmark", &target("it", &sim)], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let records = by_index(measured(&latest(&desk), "it"));
    let numbers: Vec<u64> = records.iter().map(|record| record.index).collect();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>());
    assert!((28..=31).contains(&numbers.len()), "{}", numbers.len());
}

#[test]
fn slots_that_find_no_free_place_are_recorded_as_not_sent() {
    let sim = start(slow_engine(Engine::OpenAi, 1500, 0));
    let desk = Desk::new();
    let load = ["--rate=100/s", "--arrival=constant", "--requests=20", "--blocks=1", "--warmup=0", "--max-tokens=2"];
    let outcome = desk.run(&[&["benchmark", &target("it", &sim), "--max-concurrency=1"], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    let records = by_index(measured(&run, "it"));
    assert!(records[0].outcome.is_complete());
    assert_eq!(records.iter().filter(|record| record.outcome == Outcome::NotSent).count(), 19);
    let summary = summary(&run, "it");
    assert_eq!((summary.attempted, summary.completed, summary.not_sent), (20, 1, 19));
}

#[test]
fn a_closed_loop_that_ends_by_time_sends_nothing_after_it() {
    let sim = start(slow_engine(Engine::OpenAi, 10, 0));
    let desk = Desk::new();
    let load = ["--duration=400ms", "--blocks=2", "--concurrency=2", "--warmup=0", "--max-tokens=2"];
    let outcome = desk.run(&[&["benchmark", &target("it", &sim)], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let mut blocks: BTreeMap<u32, Vec<Record>> = BTreeMap::new();
    for record in measured(&latest(&desk), "it") {
        blocks.entry(record.block).or_default().push(record);
    }
    assert_eq!(blocks.len(), 2);
    for records in blocks.values() {
        let scheduled = || records.iter().map(|record| record.scheduled_ns);
        assert!(scheduled().max().unwrap() - scheduled().min().unwrap() <= Nanos::from_millis(200));
        assert!(records.iter().all(|record| record.outcome.is_complete()), "what was in flight may finish");
    }
    let mut numbers: Vec<u64> = blocks.values().flatten().map(|record| record.index).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<_>>(), "numbers go on from block to block");
}

#[test]
fn warm_up_is_kept_and_counts_nowhere() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let load = ["--requests=4", "--warmup=3", "--concurrency=2", "--max-tokens=6", "--output=json"];
    let outcome = desk.run(&[&["benchmark", &target("it", &sim)], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    let all = records(&run, "it");
    let (warmup, measured): (Vec<_>, Vec<_>) = all.iter().partition(|record| record.phase == Phase::Warmup);
    assert_eq!((warmup.len(), measured.len()), (3, 4));
    assert!(warmup.iter().map(|record| record.end_ns).max() <= measured.iter().map(|record| record.start_ns).min());
    let summary = summary(&run, "it");
    assert_eq!((summary.attempted, summary.warmup), (4, 3));
    for metric in [Metric::Ttft, Metric::E2e, Metric::ScheduleLag] {
        assert_eq!(summary.metrics[&metric].n, 4, "{metric:?}");
    }
    let output: u64 = measured.iter().map(|record| record.tokens.unwrap().output).sum();
    assert_eq!(summary.output_tokens, output);
    let shown: serde_json::Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(shown["targets"][0]["attempted"], 4);
}

#[test]
fn targets_take_turns_block_by_block_in_the_order_of_the_seed() {
    let sims = [start(prompt_engine(Engine::OpenAi)), start(prompt_engine(Engine::OpenAi))];
    let desk = Desk::new();
    let targets = [target("a", &sims[0]), target("b", &sims[1])];
    let load = ["--requests=12", "--blocks=6", "--concurrency=2", "--max-tokens=2", "--seed=11"];
    let outcome = desk.run(&[&["benchmark", &targets[0], &targets[1]], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    let mut all: Vec<Record> = ["a", "b"].iter().flat_map(|name| measured(&run, name)).collect();
    all.sort_by_key(|record| record.start_ns);
    let mut turns: Vec<(String, u32)> = all.iter().map(|record| (record.target.to_string(), record.block)).collect();
    turns.dedup();
    let expected: Vec<(String, u32)> =
        load::interleave(2, 6, 11).into_iter().map(|turn| (["a", "b"][turn.target].to_owned(), turn.block)).collect();
    assert_eq!(turns, expected);
}
