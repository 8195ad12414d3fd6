//! Who wins, and going on until that is decided, on the real binary.

use schema::comparison::{Comparison, Criterion, PairVerdict, Verdict};
use schema::units::Nanos;
use sim::{Config, Engine, Pace, Sim};

use crate::command::Desk;
use crate::e2e_run::{check_schema, latest, start, target};

/// An engine that takes so long for a request, a fiftieth more or less.
fn engine(service_ms: u64) -> Sim {
    let pace = Pace::Servers { servers: 64, service: Nanos::from_millis(service_ms), spread: 0.02 };
    start(Config { pace, ..Config::new(Engine::OpenAi) })
}

fn comparison(desk: &Desk) -> Comparison {
    let text = std::fs::read_to_string(latest(desk).path.join("comparison.json")).unwrap();
    check_schema("comparison", &text);
    serde_json::from_str(&text).unwrap()
}

fn by(comparison: &Comparison, criterion: Criterion) -> &PairVerdict {
    let ranking = comparison.rankings.iter().find(|ranking| ranking.criterion == criterion).unwrap();
    &ranking.pairs[0]
}

const USUAL: [&str; 5] = ["--max-tokens=4", "--warmup=0", "--seed=5", "--concurrency=8", "--output=table"];

#[test]
fn three_percent_are_not_seen_in_few_requests_and_found_by_going_on() {
    let (one, other) = (engine(100), engine(103));
    let desk = Desk::new();
    let targets = [target("one", &one), target("other", &other)];
    let run = |load: &[&str]| desk.run(&[&["benchmark", targets[0].as_str(), &targets[1]], &USUAL[..], load].concat());
    let few = run(&["--requests=16", "--blocks=2"]);
    assert_eq!(few.status, Some(0), "{}", few.all());
    assert!(!by(&comparison(&desk), Criterion::E2eP50).is_certain());
    assert!(few.out.contains("not enough data to tell (TTFT p50)"), "{}", few.all());

    let until = run(&["--until-decided=e2e_p50", "--requests=4000"]);
    assert_eq!(until.status, Some(0), "{}", until.all());
    let found = comparison(&desk);
    let pair = by(&found, Criterion::E2eP50);
    assert!(pair.is_certain() && pair.better.as_str() == "one", "{pair:#?}");
    let margin = pair.margin.unwrap();
    assert!(margin.low.unwrap() < 0.031 && margin.high.unwrap() > 0.025, "{margin:?}");
    assert!(until.err.contains("all was decided after") || until.err.contains("all is decided"), "{}", until.err);
    let sent = latest(&desk).manifest.requests.unwrap();
    assert!(sent < 8_000, "{sent} requests: it went on to the limit");
}

#[test]
fn simulated_engines_are_compared_until_all_is_decided_or_the_limit_is_reached() {
    let desk = Desk::new();
    let outcome = desk.run(&[
        "benchmark",
        "--mock=vllm,ollama",
        "--until-decided",
        "--requests=40",
        "--max-tokens=2",
        "--warmup=0",
        "--weights=latency=3,throughput=1",
        "--tie=5%",
    ]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let compared = comparison(&desk);
    let pair = by(&compared, Criterion::TtftP50);
    let is_tie = matches!(pair.verdict, Verdict::Tie { .. });
    assert!(!is_tie || pair.verdict == Verdict::Tie { within: 0.05 }, "{pair:?}");
    let overall = compared.overall.unwrap();
    let weights: Vec<f64> = overall.weights.values().copied().take(2).collect();
    assert_eq!(weights, vec![0.75, 0.25], "{:?}", overall.weights);
    assert!(outcome.out.contains("Overall (latency 75 %, throughput 25 %)"), "{}", outcome.out);
    assert!(latest(&desk).path.join("verdicts.csv").exists());
}

#[test]
fn what_cannot_be_decided_is_refused() {
    let desk = Desk::new();
    for (flags, part) in [
        (&["--mock=vllm", "--until-decided"][..], "compares targets, and there is one"),
        (&["--mock=vllm,tgi", "--until-decided", "--crowd=5"], "`crowd` is not cut into blocks"),
        (&["--mock=vllm,tgi", "--until-decided=throughput", "--rate=5/s"], "`throughput` is never decided"),
        (&["--mock=vllm,tgi", "--until-decided=beauty"], "nothing that targets are compared by"),
        (&["--mock=vllm,tgi", "--weights=beauty=1"], "no weighing of dimensions"),
        (&["--mock=vllm,tgi", "--tie=3"], "no difference that counts as none"),
    ] {
        let outcome = desk.run(&[&["benchmark", "--dry-run"], flags].concat());
        assert_eq!(outcome.status, Some(2), "{flags:?}: {}", outcome.all());
        assert!(outcome.err.contains(part), "{flags:?}: {}", outcome.err);
    }
}
