//! Engines that misbehave: every way a request can end is counted as what it was, and the others go on.

use std::collections::{BTreeMap, BTreeSet};

use schema::metric::Metric;
use schema::record::FailureClass as Class;
use sim::{Config, Engine, Fault, FaultPlan};

use crate::command::Desk;
use crate::e2e_run::{
    DEAD, failure, faulty_engine, is_plain, latest, measured, prompt_engine, slow_engine, start, summary, target,
};

/// Faults that show at once, and how a request that meets one ends; `None`: well.
const AT_ONCE: &[(Fault, Option<Class>)] = &[
    (Fault::RateLimit, Some(Class::RateLimited)),
    (Fault::Quota, Some(Class::QuotaExhausted)),
    (Fault::Unauthorized, Some(Class::Unauthorized)),
    (Fault::Forbidden, Some(Class::Forbidden)),
    (Fault::NotFound, Some(Class::NotFound)),
    (Fault::BadRequest, Some(Class::BadRequest)),
    (Fault::ServerError, Some(Class::ServerError)),
    (Fault::Overloaded, Some(Class::Overloaded)),
    (Fault::Reset, Some(Class::Truncated)),
    (Fault::ResetEarly, Some(Class::ClosedEarly)),
    (Fault::Truncate, Some(Class::Truncated)),
    (Fault::TruncateClean, Some(Class::Truncated)),
    (Fault::Malformed, Some(Class::Malformed)),
    (Fault::BadChunk, Some(Class::Malformed)),
    (Fault::BadStatusLine, Some(Class::Malformed)),
    (Fault::ErrorInStream, Some(Class::ErrorInStream)),
    (Fault::Empty, Some(Class::Empty)),
    (Fault::HugeEvent, Some(Class::TooLarge)),
    (Fault::HugeHeader, Some(Class::TooLarge)),
    (Fault::Html, Some(Class::Malformed)),
    (Fault::Redirect, Some(Class::UnexpectedStatus)),
    (Fault::SplitUtf8, None),
    (Fault::OneByteWrites, None),
    (Fault::MultiToken, None),
    (Fault::HostileText, None),
];

#[test]
fn every_fault_ends_as_its_own_class_and_the_other_targets_go_on() {
    let desk = Desk::new();
    let sims: Vec<_> = AT_ONCE.iter().map(|(fault, _)| start(faulty_engine(Engine::OpenAi, *fault))).collect();
    let targets: Vec<String> = AT_ONCE.iter().zip(&sims).map(|((fault, _), sim)| target(fault.name(), sim)).collect();
    let mut arguments = vec!["benchmark", "--requests=2", "--warmup=0", "--blocks=2", "--max-tokens=12"];
    arguments.extend(targets.iter().map(String::as_str));
    let outcome = desk.run(&arguments);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{}", outcome.all());
    let run = latest(&desk);
    let ended = |name: &str| measured(&run, name).iter().map(failure).collect::<Vec<_>>();
    let ends: BTreeMap<&str, _> = AT_ONCE.iter().map(|(fault, _)| (fault.name(), ended(fault.name()))).collect();
    let expected: BTreeMap<&str, _> = AT_ONCE.iter().map(|(fault, class)| (fault.name(), vec![*class; 2])).collect();
    assert_eq!(ends, expected);
    for (fault, class) in AT_ONCE {
        let summary = summary(&run, fault.name());
        let counted: Vec<_> = summary.failures.into_iter().collect();
        assert_eq!(counted, class.iter().map(|class| (*class, 2)).collect::<Vec<_>>(), "{fault}");
        assert_eq!((summary.attempted, summary.completed), (2, if class.is_none() { 2 } else { 0 }), "{fault}");
        let latency =
            [Metric::Ttft, Metric::E2e, Metric::Itl].iter().any(|metric| summary.metrics.contains_key(metric));
        assert_eq!(latency, class.is_none(), "the latency of what failed counts nowhere: {fault}");
    }
}

#[test]
fn silence_ends_at_the_limit_of_its_phase() {
    let faults = [Fault::SlowHeaders, Fault::NoFirstToken, Fault::Stall, Fault::Endless];
    let plans = faults.map(|fault| FaultPlan { fault, share: 0.25 });
    let sim = start(Config { faults: plans.to_vec(), seed: 3, ..slow_engine(Engine::OpenAi, 1, 20) });
    let desk = Desk::new();
    let outcome = desk.run(&[
        "benchmark",
        &target("it", &sim),
        "--requests=16",
        "--concurrency=16",
        "--warmup=0",
        "--blocks=1",
        "--max-tokens=8",
        "--first-token-timeout=1s",
        "--gap-timeout=1s",
        "--total-timeout=2s",
    ]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    let run = latest(&desk);
    let classes: BTreeSet<_> = measured(&run, "it").iter().map(failure).collect();
    let expected = [Class::FirstTokenTimeout, Class::Stalled, Class::TotalTimeout];
    assert_eq!(classes, expected.into_iter().map(Some).collect());
    assert_eq!(summary(&run, "it").failures.values().sum::<u64>(), 16);
}

#[test]
fn failures_are_counted_by_class_beside_what_completed() {
    let faults =
        vec![FaultPlan { fault: Fault::ServerError, share: 0.3 }, FaultPlan { fault: Fault::RateLimit, share: 0.3 }];
    let sim = start(Config { faults, seed: 1, ..prompt_engine(Engine::OpenAi) });
    let desk = Desk::new();
    let outcome = desk.run(&["benchmark", &target("it", &sim), "--requests=40", "--concurrency=4", "--max-tokens=2"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    let summary = summary(&run, "it");
    let mut counted = BTreeMap::new();
    for class in measured(&run, "it").iter().filter_map(failure) {
        *counted.entry(class).or_insert(0) += 1;
    }
    assert_eq!(summary.failures, counted);
    assert_eq!(counted.keys().copied().collect::<BTreeSet<_>>(), [Class::RateLimited, Class::ServerError].into());
    assert_eq!(summary.completed + counted.values().sum::<u64>(), 40);
    let tried = 40 - counted[&Class::RateLimited];
    assert!((summary.success_rate - summary.completed as f64 / tried as f64).abs() < 1e-9);
}

#[test]
fn a_rate_limit_keeps_how_long_to_wait() {
    let sim = start(faulty_engine(Engine::OpenAi, Fault::RateLimit));
    let desk = Desk::new();
    desk.run(&["benchmark", &target("it", &sim), "--requests=1", "--warmup=0"]);
    let records = measured(&latest(&desk), "it");
    let schema::record::Outcome::Failed(failure) = &records[0].outcome else { panic!("{records:?}") };
    assert_eq!(failure.retry_after_ns, Some(schema::units::Nanos::from_secs(2)));
    assert_eq!(records[0].status, Some(429));
}

#[test]
fn a_dead_endpoint_does_not_stop_the_others() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let dead = format!("--target=dead=vllm@{DEAD},model=m");
    let outcome = desk.run(&["benchmark", &dead, &target("alive", &sim), "--requests=2", "--max-tokens=2"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("`dead` cannot be reached"), "{}", outcome.err);
    assert!(outcome.err.contains("connection refused"), "{}", outcome.err);
    assert!(outcome.err.contains("check that it is running"), "{}", outcome.err);
    let run = latest(&desk);
    assert_eq!(summary(&run, "alive").completed, 2);
    assert!(run.manifest.notes.iter().any(|note| note.contains("not measured: `dead`")), "{:?}", run.manifest.notes);
}

#[test]
fn with_dead_endpoints_alone_nothing_is_measured_and_each_is_named() {
    let desk = Desk::new();
    let dead = |name| format!("--target={name}=vllm@{DEAD},model=m");
    let outcome = desk.run(&["benchmark", &dead("one"), &dead("two"), "--requests=2"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.out.is_empty());
    for name in ["one", "two"] {
        assert!(outcome.err.contains(&format!("`{name}` cannot be reached")), "{}", outcome.err);
    }
    assert!(!desk.path().join("results").exists());
}

#[test]
fn an_unknown_model_is_answered_with_the_nearest_names() {
    let config = prompt_engine(Engine::OpenAi);
    let sim = start(Config { model: "qwen3-8b".to_owned(), ..config });
    let desk = Desk::new();
    let wrong = format!("{},model=qwen-8b", target("it", &sim));
    let outcome = desk.run(&["benchmark", &wrong, "--requests=1"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("`it` does not list the model `qwen-8b`"), "{}", outcome.err);
    assert!(outcome.err.contains("did you mean `qwen3-8b`?"), "{}", outcome.err);
}

#[test]
fn a_target_that_refuses_everything_is_given_up_after_its_warm_up() {
    let refusing = start(faulty_engine(Engine::OpenAi, Fault::Forbidden));
    let fine = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let targets = [target("refusing", &refusing), target("fine", &fine)];
    let outcome = desk.run(&["benchmark", &targets[0], &targets[1], "--requests=5", "--warmup=1", "--max-tokens=2"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("`refusing` was given up: not allowed"), "{}", outcome.err);
    let run = latest(&desk);
    assert_eq!(measured(&run, "refusing").len(), 0);
    assert_eq!(summary(&run, "fine").completed, 5);
}
