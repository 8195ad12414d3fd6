//! Searches, limits, retries, what servers say of themselves, and this machine's floor, on the real binary.

use schema::curve::Curve;
use schema::plan::Axis;
use schema::record::FailureClass;
use schema::server::Counter;
use schema::units::Nanos;
use serde_json::Value;
use sim::{Config, Engine, Fault, FaultPlan, Limits, Pace, Sim};

use crate::command::{Desk, Outcome as Ended};
use crate::e2e_run::{check_schema, failure, latest, measured, prompt_engine, records, start, summary, target};

/// An engine that has so many places, in each of which a request takes 60 ms.
fn servers(count: u32) -> Sim {
    let pace = Pace::Servers { servers: count, service: Nanos::from_millis(60), spread: 0.0 };
    start(Config { pace, ..Config::new(Engine::OpenAi) })
}

fn run(desk: &Desk, sim: &Sim, load: &[&str]) -> Ended {
    let usual = ["--warmup=2", "--max-tokens=5", "--seed=5"];
    desk.run(&[&["benchmark", &target("it", sim)], &usual[..], load].concat())
}

fn curve(desk: &Desk) -> Curve {
    let text = std::fs::read_to_string(latest(desk).path.join("it/curve.json")).unwrap();
    check_schema("curve", &text);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_highest_concurrency_without_a_queue_is_the_number_of_places() {
    let (sim, desk) = (servers(4), Desk::new());
    // Without waiting the first of five tokens comes after 12 ms. With five streams one request in five waits for 60 ms.
    let search = ["--find-max=concurrency", "--slo=ttft_p90<40ms", "--step=1s", "--tolerance=0.2", "--steps=12"];
    let outcome = run(&desk, &sim, &search);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let curve = curve(&desk);
    let answer = curve.answer.as_ref().unwrap();
    let (low, high) = (answer.low.unwrap(), answer.high.unwrap());
    // Beside other work a level may be open because this machine was late, and then the answer says so.
    let narrow = high - low <= 2.0 || answer.why.contains("the client was the limit");
    assert!(low <= 4.0 && 4.0 < high && narrow, "{answer:?}");
    assert!(curve.points.windows(2).all(|pair| pair[0].level < pair[1].level));
    assert!(outcome.out.contains("ttft_p90<40ms"), "{}", outcome.all());
    // Each step's records are told apart, and the table is of the answer's level.
    let steps: std::collections::BTreeSet<u32> = measured(&latest(&desk), "it").iter().map(|r| r.step).collect();
    assert_eq!(steps.len() as u64, answer.steps);
    assert!(summary(&latest(&desk), "it").attempted < measured(&latest(&desk), "it").len() as u64);
}

#[test]
fn a_bound_that_nothing_meets_is_not_met() {
    let (sim, desk) = (servers(2), Desk::new());
    let search = ["--find-max=concurrency", "--slo=ttft_p50<1ms", "--step=500ms", "--steps=4"];
    let outcome = run(&desk, &sim, &search);
    assert_eq!(outcome.status, Some(3), "{}", outcome.all());
    assert_eq!(curve(&desk).answer.unwrap().highest, None);
}

#[test]
fn a_sweep_begins_with_one_stream_and_finds_the_ceiling() {
    let (sim, desk) = (servers(4), Desk::new());
    let outcome = run(&desk, &sim, &["--sweep", "--step=500ms", "--steps=6"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let curve = curve(&desk);
    assert_eq!((curve.axis, curve.points.first().map(|point| point.level)), (Axis::Concurrency, Some(1.0)));
    let best = curve.points.iter().map(|point| point.requests_per_s.value).fold(0.0, f64::max);
    assert!((45.0..=70.0).contains(&best), "{best} of 66.7 requests/s");
    assert!(curve.points.iter().map(|point| point.steps.len()).sum::<usize>() <= 6);
    assert!(desk.run(&["results", "show", "latest"]).out.contains("at once"), "an old run shows its curve again");
}

#[test]
fn each_attempt_is_a_record_and_no_latency_holds_a_back_off() {
    let overloaded: FaultPlan = "overloaded:0.4".parse().unwrap();
    let sim = start(Config { faults: vec![overloaded], ..prompt_engine(Engine::OpenAi) });
    let desk = Desk::new();
    let load = ["--requests=20", "--concurrency=2", "--retries=6", "--retry-after=20ms", "--retry-most=100ms"];
    let outcome = run(&desk, &sim, &load);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let records = measured(&latest(&desk), "it");
    let summary = summary(&latest(&desk), "it");
    let again = records.iter().filter(|record| record.attempt > 0).count() as u64;
    assert!(again > 0 && summary.retries == again, "{again} and {}", summary.retries);
    assert_eq!((summary.attempted, summary.completed), (20, 20));
    let failed = |index: u64, attempt: u32| records.iter().find(|r| (r.index, r.attempt) == (index, attempt)).unwrap();
    for record in records.iter().filter(|record| record.attempt > 0) {
        let before = failed(record.index, record.attempt - 1);
        assert_eq!(failure(before), Some(FailureClass::Overloaded));
        let waited = record.start_ns.unwrap() - before.end_ns.unwrap();
        assert!(waited >= Nanos::from_millis(10), "half of the back-off at least");
        assert_eq!(record.scheduled_ns, before.scheduled_ns, "the request was due once");
    }
}

/// 20 requests at once, then 50 a second.
fn limited() -> Sim {
    let requests = Some("20/s".parse().unwrap());
    start(Config { limits: Limits { requests, tokens: None }, ..prompt_engine(Engine::OpenAi) })
}

#[test]
fn published_limits_are_respected_when_asked() {
    let throttled = |load: &[&str]| {
        let (sim, desk) = (limited(), Desk::new());
        let usual = ["--requests=60", "--concurrency=4", "--blocks=1"];
        let outcome = run(&desk, &sim, &[&usual[..], load].concat());
        let limits = summary(&latest(&desk), "it").limits.unwrap();
        assert_eq!(limits.requests.unwrap().limit, Some(20), "{}", outcome.all());
        let records = measured(&latest(&desk), "it");
        records.iter().filter(|record| failure(record) == Some(FailureClass::RateLimited)).count()
    };
    let (without, with) = (throttled(&[]), throttled(&["--respect-limits"]));
    assert!(without >= 10 && with * 10 <= without, "{without} throttled without, {with} with");
}

#[test]
fn a_target_that_goes_down_is_dropped_and_the_others_go_on() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let failing = start(Config { faults: vec![Fault::ServerError.into()], ..prompt_engine(Engine::OpenAi) });
    let desk = Desk::new();
    let targets = [target("fine", &sim), target("down", &failing)];
    let load = ["--requests=60", "--blocks=6", "--drop-after=5", "--max-tokens=3", "--warmup=0"];
    let outcome = desk.run(&[&["benchmark", &targets[0], &targets[1]], &load[..]].concat());
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert_eq!(summary(&latest(&desk), "fine").completed, 60);
    assert!(measured(&latest(&desk), "down").len() < 20);
    assert!(outcome.err.contains("`down`") && outcome.err.contains("dropped"), "{}", outcome.all());
}

#[test]
fn a_servers_own_metrics_are_kept_and_agree() {
    let sim = start(Config {
        pace: Pace::Fixed { ttft: Nanos::from_millis(20), itl: Nanos::from_millis(2) },
        ..Config::new(Engine::Vllm)
    });
    let desk = Desk::new();
    let vllm = format!("--target=it=vllm@{},model=sim-vllm", sim.url());
    let load = ["--requests=30", "--concurrency=3", "--warmup=0", "--max-tokens=12", "--scrape=100ms"];
    let outcome = desk.run(&[&["benchmark", &vllm], &load[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let lines = std::fs::read_to_string(latest(&desk).path.join("it/server-metrics.jsonl")).unwrap();
    assert!(lines.lines().count() >= 2);
    for line in lines.lines() {
        check_schema("server-sample", line);
    }
    let summary = summary(&latest(&desk), "it");
    let server = summary.server_side.unwrap();
    assert_eq!(server.engine, "vllm");
    assert!((server.counters[&Counter::GeneratedTokens] - summary.output_tokens as f64).abs() < 0.5, "{server:?}");
    assert!(outcome.out.contains("server"), "{}", outcome.all());
}

#[test]
fn the_floor_of_this_machine_stands_beside_the_result() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let outcome = run(&desk, &sim, &["--duration=500ms", "--concurrency=2", "--calibrate", "--output=json"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let shown: Value = serde_json::from_str(&outcome.out).unwrap();
    let floor = &shown["calibration"];
    assert!(floor["ttft_p50_ns"].as_f64().unwrap() > 0.0 && floor["most_requests_per_s"].as_f64().unwrap() > 10.0);
    assert!(floor["itl_error_p50_ns"].as_f64().is_some(), "{floor}");
    assert!(latest(&desk).manifest.calibration.is_some());
    let runs = std::fs::read_dir(desk.path().join("results")).unwrap().count();
    assert_eq!(runs, 1, "the floor's own runs are not among the results");
}

#[test]
fn vectors_pictures_tools_and_json_are_asked_for_and_measured() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    for form in [&["--embeddings"][..], &["--images=1", "--image-size=32x32"], &["--answer=json"], &["--answer=tool"]] {
        let outcome = run(&desk, &sim, &[&["--requests=4"], form].concat());
        assert_eq!(outcome.status, Some(0), "{form:?}: {}", outcome.all());
        assert_eq!(summary(&latest(&desk), "it").completed, 4, "{form:?}");
    }
}

#[test]
fn an_interrupted_search_answers_with_what_it_found() {
    let (sim, desk) = (servers(4), Desk::new());
    let search = ["--find-max=concurrency", "--slo=ttft_p90<40ms", "--step=400ms", "--warmup=0"];
    let target = target("it", &sim);
    let mut child = desk.command(&[&["benchmark", &target, "--max-tokens=5"], &search[..]].concat());
    let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while sim.requests() < 12 {
        assert_eq!(child.try_wait().unwrap(), None, "it is still searching");
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!records(&latest(&desk), "it").is_empty());
    assert!(curve(&desk).answer.is_some());
}
