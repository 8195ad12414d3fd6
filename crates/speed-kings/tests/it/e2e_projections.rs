//! What runs come to under assumptions, on the real binary.

use schema::units::Nanos;
use serde_json::Value;
use sim::{Config, Engine, Pace};

use crate::command::{Desk, Outcome};
use crate::e2e_run::{start, target};

/// A run that searched two levels of concurrency at an engine with four places of 40 ms each.
fn searched(desk: &Desk) {
    let pace = Pace::Servers { servers: 4, service: Nanos::from_millis(40), spread: 0.0 };
    let sim = start(Config { pace, ..Config::new(Engine::OpenAi) });
    let search = ["--sweep=concurrency", "--steps=3", "--step=500ms", "--search-to=4", "--warmup=1", "--max-tokens=4"];
    let outcome = desk.run(&[&["benchmark", &target("it", &sim), "--name=sized"], &search[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
}

fn rows(outcome: &Outcome) -> Vec<Value> {
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    serde_json::from_str::<Vec<Value>>(&outcome.out).unwrap()
}

#[track_caller]
fn value(rows: &[Value], figure: &str) -> f64 {
    let row = rows.iter().find(|row| row["figure"] == figure).unwrap_or_else(|| panic!("no {figure} in {rows:#?}"));
    row["value"].as_f64().unwrap()
}

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
}

#[test]
fn a_search_tells_how_many_replicas_a_demand_takes_and_more_demand_takes_more() {
    let desk = Desk::new();
    searched(&desk);
    let planned = |per_day: &str| {
        let asked =
            ["capacity", "sized", "--peak-factor=2", "--replica-usd-per-hour=2", "--what-if=4", "--output=json"];
        rows(&desk.run(&[&asked[..], &["--requests-per-day", per_day]].concat()))
    };
    let few = planned("864000");
    assert_near(value(&few, "peak demand"), 20.0);
    assert_near(value(&few, "replicas"), 1.0);
    assert_near(value(&few, "cost a month at 4 USD/hour"), 2.0 * value(&few, "cost a month"));
    let many = planned("86400000");
    let one = value(&many, "one replica carries");
    assert!(one > 20.0 && one < 110.0, "{one}");
    assert_near(value(&many, "replicas"), (2_000.0 / one).ceil());
    assert!(many.iter().any(|row| row["target"] == "assumed" && row["figure"] == "peak_factor"), "{many:#?}");
    assert!(many.iter().any(|row| row["how"].as_str().is_some_and(|how| how.starts_with("no SLO was set"))));
}

#[test]
fn waiting_comes_to_hours_and_a_file_of_assumptions_gives_way_to_flags() {
    let desk = Desk::new().with_file(
        "ours.yaml",
        "users: {value: 100, low: 50, source: payroll}\ninteractions_per_user_per_day: 10\ndays_per_year: 200\n",
    );
    searched(&desk);
    let found = rows(&desk.run(&["impact", "--assumptions=ours.yaml", "--days-per-year=400", "--output=json"]));
    let wait = value(&found, "wait for an answer");
    let hours = value(&found, "waiting of all users a year");
    assert!((hours / (wait * 100.0 * 10.0 * 400.0 / 3600.0) - 1.0).abs() < 1e-9, "{found:#?}");
    let users = found.iter().find(|row| row["figure"] == "users").unwrap();
    assert_eq!((users["low"].as_f64(), users["how"].as_str()), (Some(50.0), Some("payroll")));
    let table = desk.run(&["impact"]);
    assert!(table.out.contains("SIMULATED") && !table.out.contains("users"), "{}", table.all());
}

#[test]
fn what_cannot_be_planned_with_is_wrong_usage() {
    let desk = Desk::new()
        .with_file("wrong.yaml", "users: 3\nconversion_rate: 2\n")
        .with_file("range.yaml", "requests_per_day: {value: 3, low: 4}\n");
    for (arguments, said) in [
        (&["capacity"][..], "no demand to plan for"),
        (&["capacity", "--requests-per-day=0"], "`requests_per_day` is zero"),
        (&["capacity", "--requests-per-day=nan"], "`requests_per_day` is no number"),
        (&["capacity", "--requests-per-day=5", "--utilisation=80"], "1 at most"),
        (&["capacity", "--requests-per-day=5", "--what-if=-1"], "--what-if"),
        (&["capacity", "--assumptions=range.yaml"], "`requests_per_day` is no number"),
        (&["impact", "--assumptions=wrong.yaml"], "`conversion_rate` is not a known key"),
        (&["impact", "--assumptions=none.yaml"], "cannot be read"),
    ] {
        let outcome = desk.run(arguments);
        assert_eq!(outcome.status, Some(2), "{arguments:?}: {}", outcome.all());
        assert!(outcome.err.contains(said), "{arguments:?}: {}", outcome.err);
    }
}

#[test]
fn a_run_that_searched_nothing_has_no_capacity() {
    let desk = Desk::new();
    let sim = start(Config::new(Engine::OpenAi));
    desk.run(&["benchmark", &target("it", &sim), "--requests=3", "--warmup=0", "--max-tokens=2"]);
    let outcome = desk.run(&["capacity", "--requests-per-day=100"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("did not search levels of load"), "{}", outcome.err);
}

#[test]
fn a_story_is_told_of_measured_figures_and_says_nothing_that_was_not_assumed() {
    let desk = Desk::new();
    let outcome = desk.run(&["benchmark", "--mock=vllm,tgi", "--requests=12", "--warmup=0", "--max-tokens=4"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let plain = desk.run(&["story", "--output=markdown"]);
    assert_eq!(plain.status, Some(0), "{}", plain.all());
    for title in
        ["impatient customer", "debugging developer", "writer's flow", "support agent's day", "executive's question"]
    {
        assert!(plain.out.contains(&format!("## The {title}")), "{}", plain.out);
    }
    assert!(plain.out.starts_with("# ") && plain.out.contains("SIMULATED"), "{}", plain.out);
    assert!(!plain.out.contains(" a year") && !plain.out.contains("Assumed: users"), "{}", plain.out);
    let users = ["--users=100", "--interactions-per-user-per-day=10", "--days-per-year=200"];
    let asked = ["story", "--target=tgi-sim", "--waits-for=first-words"];
    let assumed = desk.run(&[&asked[..], &users[..]].concat());
    let unwrapped = assumed.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "asks `tgi-sim` (SIMULATED)",
        "of the wait for the first words (TTFT visible).",
        "All agents together wait",
        "users 100, given by you",
    ] {
        assert!(unwrapped.contains(told), "{told}: {}", assumed.out);
    }
    let nobody = desk.run(&["story", "--target=groq"]);
    assert_eq!(nobody.status, Some(1), "{}", nobody.all());
    assert!(nobody.err.contains("`vllm-sim`, `tgi-sim`"), "{}", nobody.err);
}
