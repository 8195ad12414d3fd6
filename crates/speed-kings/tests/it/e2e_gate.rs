//! Is it worse than last week: baselines, gates and trends through the binary.

use std::fs;

use schema::units::Nanos;
use serde_json::Value;
use sim::{Config, Engine, Fault, Pace, Sim};

use crate::command::{Desk, Outcome};
use crate::e2e_run::{faulty_engine, latest, start, target};

/// An engine whose first token takes so long, and each further one a fiftieth of that.
fn engine(ttft_ms: u64) -> Sim {
    let pace = Pace::Fixed { ttft: Nanos::from_millis(ttft_ms), itl: Nanos::from_millis(ttft_ms / 50) };
    start(Config { pace, ..Config::new(Engine::OpenAi) })
}

/// Measures `sim` as the target `it`.
#[track_caller]
fn measure(desk: &Desk, sim: &Sim, name: &str, requests: u32, more: &[&str]) {
    let outcome = ask(desk, sim, name, requests, more);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
}

fn ask(desk: &Desk, sim: &Sim, name: &str, requests: u32, more: &[&str]) -> Outcome {
    let (it, name, requests) = (target("it", sim), format!("--name={name}"), format!("--requests={requests}"));
    let asked =
        ["benchmark", &it, "--model=sim-openai", &name, &requests, "--concurrency=8", "--max-tokens=4", "--scrape=0s"];
    desk.run(&[&asked[..], &["--warmup=2", "--seed=1", "--blocks=1"], more].concat())
}

#[track_caller]
fn gate(desk: &Desk, more: &[&str], status: i32) -> Outcome {
    let outcome = desk.run(&[&["gate", "--baseline=main"], more].concat());
    assert_eq!(outcome.status, Some(status), "{}", outcome.all());
    outcome
}

/// What was printed, however its lines are broken.
fn in_one_line(outcome: &Outcome) -> String {
    outcome.out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_planted_regression_fails_the_gate_and_the_same_again_does_not() {
    let (desk, usual, slower) = (Desk::new(), engine(60), engine(75));
    measure(&desk, &usual, "before", 128, &[]);
    let set = desk.run(&["baseline", "set", "main", "latest"]);
    assert_eq!(set.status, Some(0), "{}", set.all());
    measure(&desk, &usual, "same", 128, &[]);
    let bounds = "--max-regression=ttft_p50=10%,e2e_p50=10%";
    gate(&desk, &[bounds, "--slo=ttft_p50<30s"], 0);
    measure(&desk, &slower, "slower", 128, &[]);
    let files = ["--summary-md=out/summary.md", "--junit=out/gate.xml"];
    let failed = gate(&desk, &[&[bounds][..], &files].concat(), 3);
    assert!(failed.out.starts_with("regression in 2 of 2 checks: test_slower_"), "{}", failed.all());
    assert!(in_one_line(&failed).contains("the baseline is a single run"), "{}", failed.all());
    let summary = fs::read_to_string(desk.path().join("out/summary.md")).unwrap();
    assert!(summary.starts_with("## Speed gate: regression\n"), "{summary}");
    let junit = fs::read_to_string(desk.path().join("out/gate.xml")).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"2\""), "{junit}");
    // The other way round it is an improvement.
    let json = desk.run(&["gate", "before", "--baseline=slower", bounds, "--output=json"]);
    let value: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.status, value["verdict"].as_str()), (Some(0), Some("pass")), "{}", json.all());
    assert_eq!(value["checks"][0]["why"], "certainly better");
}

#[test]
fn an_slo_that_is_missed_fails_the_gate_without_any_bound() {
    let (desk, sim) = (Desk::new(), engine(50));
    measure(&desk, &sim, "before", 40, &[]);
    desk.run(&["baseline", "set", "main", "latest"]);
    measure(&desk, &sim, "after", 40, &[]);
    let failed = gate(&desk, &["--slo=ttft<1ms", "--output=csv"], 3);
    assert!(failed.out.contains("ttft<1ms") && failed.out.contains("missed"), "{}", failed.all());
}

#[test]
fn a_run_that_only_fails_does_not_pass_and_too_little_data_fails_only_when_strict() {
    let (desk, usual) = (Desk::new(), engine(50));
    measure(&desk, &usual, "before", 8, &[]);
    desk.run(&["baseline", "set", "main", "before", "--target=it"]);
    measure(&desk, &usual, "few", 8, &[]);
    gate(&desk, &["--max-regression=ttft_p95=5%"], 0);
    let strict = gate(&desk, &["--max-regression=ttft_p95=5%", "--strict"], 3);
    assert!(in_one_line(&strict).contains("more requests on either side would tell"), "{}", strict.all());
    let broken = start(faulty_engine(Engine::OpenAi, Fault::ServerError));
    ask(&desk, &broken, "broken", 8, &[]);
    let failed = gate(&desk, &["--max-regression=ttft_p95=5%"], 3);
    assert!(failed.out.contains("none of its 8 requests completed"), "{}", failed.all());
}

#[test]
fn a_tag_is_a_baseline_of_all_runs_that_have_it() {
    let (desk, sim) = (Desk::new(), engine(50));
    for name in ["monday", "tuesday", "wednesday"] {
        measure(&desk, &sim, name, 40, &["--tag=main"]);
    }
    measure(&desk, &sim, "today", 40, &[]);
    let held = gate(&desk, &["--max-regression=ttft_p50=20%", "--output=json"], 0);
    let value: Value = serde_json::from_str(&held.out).unwrap();
    assert_eq!(value["baseline"].as_array().unwrap().len(), 3);
    assert_eq!(value["between_runs"], true);
}

#[test]
fn what_makes_no_sense_is_told() {
    let (desk, sim) = (Desk::new(), engine(50));
    measure(&desk, &sim, "one", 8, &[]);
    desk.run(&["baseline", "set", "main", "one"]);
    let check = |arguments: &[&str], status: i32, part: &str| {
        let outcome = desk.run(arguments);
        assert_eq!(outcome.status, Some(status), "{}", outcome.all());
        assert!(outcome.err.contains(part), "{}", outcome.all());
    };
    check(&["gate", "--baseline=main"], 2, "nothing to hold the run to");
    check(&["gate", "--baseline=main", "--max-regression=ttft=5%"], 2, "`ttft` is not a figure");
    check(&["gate", "--baseline=main", "--max-regression=ttft_p95=5%"], 2, "is part of `main` itself");
    check(&["gate", "--baseline=mian", "--slo=ttft<1s"], 1, "no baseline is called `mian`");
    check(&["baseline", "set", "main", "one", "--target=other"], 2, "has no target `other`");
    check(&["baseline", "rm", "other"], 1, "no baseline is called `other`");
    check(&["trend", "other"], 1, "no run in `results` that is meant has numbers of a target `other`");
    check(&["trend", "it", "--metric=ttft_p42"], 2, "`ttft_p42` is not kept with runs");
    check(&["trend", "it", "--slo=ttft<1s", "--objective=100%"], 2, "below 100");
}

#[test]
fn baselines_are_set_shown_and_removed() {
    let (desk, sim) = (Desk::new(), engine(50));
    measure(&desk, &sim, "one", 8, &[]);
    let run = latest(&desk);
    assert_eq!(desk.run(&["baseline", "set", "main", "latest"]).status, Some(0));
    fs::rename(&run.path, desk.path().join("results/moved")).unwrap();
    let shown = desk.run(&["baseline", "show", "main", "--output=json"]);
    let value: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!((value[0]["run"].as_str(), value[0]["there"].as_bool()), (Some("moved"), Some(true)), "{}", shown.all());
    assert_eq!(desk.run(&["baseline", "rm", "main"]).status, Some(0));
    assert!(desk.run(&["baseline", "show"]).err.contains("no baselines in `results`"));
}

#[test]
fn a_trend_has_a_row_a_run_and_a_budget_of_misses() {
    let (desk, sim) = (Desk::new(), engine(50));
    for name in ["one", "two", "three"] {
        measure(&desk, &sim, name, 10, &[]);
    }
    let csv = desk.run(&["trend", "it", "--metric=ttft_p50", "--output=csv"]);
    assert_eq!(csv.status, Some(0), "{}", csv.all());
    assert_eq!(csv.out.lines().count(), 4, "{}", csv.all());
    let table = desk.run(&["trend", "it", "--metric=ttft_p50", "--name=two"]);
    assert!(table.out.starts_with("TTFT p50 of it over 1 run, "), "{}", table.all());
    assert!(table.out.contains("too few runs: 8 are needed, there is 1"), "{}", table.all());
    let kept = desk.run(&["trend", "it", "--metric=ttft_p50", "--slo=ttft<30s", "--objective=90%", "--output=json"]);
    let value: Value = serde_json::from_str(&kept.out).unwrap();
    assert_eq!(kept.status, Some(0), "{}", kept.all());
    assert_eq!(
        value["budget"]["windows"].as_array().unwrap().iter().filter_map(|w| w["all"].as_u64()).sum::<u64>(),
        30
    );
    let spent = desk.run(&["trend", "it", "--metric=ttft_p50", "--slo=ttft<1ms", "--objective=90%"]);
    assert_eq!(spent.status, Some(3), "{}", spent.all());
    assert!(spent.out.contains("it is used up"), "{}", spent.all());
}
