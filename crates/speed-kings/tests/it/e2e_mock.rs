//! The command of README's first screen, and all it leaves behind.

use std::collections::BTreeMap;

use schema::manifest::Status;
use schema::record::TokenSource;
use serde_json::Value;
use sim::{Config, Engine};

use crate::command::Desk;
use crate::e2e_run::{check_schema, is_plain, latest, measured, prompt_engine, records, start, summary, target};

const SIMULATED: [&str; 3] = ["vllm-sim", "tgi-sim", "ollama-sim"];

const QUICK: [&str; 6] = ["benchmark", "--mock", "--requests=4", "--max-tokens=5", "--warmup=2", "--name=My Run"];

#[test]
fn simulated_engines_are_measured_kept_and_shown_as_simulated() {
    let desk = Desk::new();
    let outcome = desk.run(&QUICK);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(outcome.out.starts_with("My Run  SIMULATED\n"), "{}", outcome.out);
    for name in SIMULATED {
        let heading = outcome.out.lines().find(|line| line.starts_with(&format!("{name}  simulated-8b at"))).unwrap();
        assert!(heading.ends_with("SIMULATED"), "{heading}");
    }
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{}", outcome.all());

    let run = latest(&desk);
    assert!(run.path.file_name().unwrap().to_str().unwrap().starts_with("test_my-run_20"));
    assert_eq!(run.missing, [""; 0]);
    assert_eq!((run.manifest.status, run.manifest.requests), (Status::Complete, Some(18)));
    assert!(run.manifest.simulated);
    assert!(store::verify(&run).is_empty());
    check_schema("manifest", &std::fs::read_to_string(run.path.join("manifest.json")).unwrap());
    for name in SIMULATED {
        for file in ["requests.jsonl", "requests.parquet", "summary.json"] {
            let path = format!("{name}/{file}");
            assert!(run.manifest.checksums.contains_key(&path), "{path}");
        }
        assert!(!run.path.join(name).join("in-flight.jsonl").exists());
        let lines = std::fs::read_to_string(run.path.join(name).join("requests.jsonl")).unwrap();
        assert_eq!(lines.lines().count(), 6);
        lines.lines().for_each(|line| check_schema("record", line));
        check_schema("target-summary", &std::fs::read_to_string(run.path.join(name).join("summary.json")).unwrap());
        assert!(records(&run, name).iter().all(|record| record.outcome.is_complete()));
        let summary = summary(&run, name);
        assert_eq!((summary.attempted, summary.completed, summary.warmup), (4, 4, 2));
        assert!(summary.simulated);
    }
    assert!(run.manifest.checksums.contains_key("summary.csv"));

    let listed = desk.run(&["results", "list", "--output", "json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed.out).unwrap();
    assert_eq!((listed.len(), &listed[0]["status"], &listed[0]["simulated"]), (1, &"complete".into(), &true.into()));
    let shown = desk.run(&["results", "show", "latest"]);
    assert_eq!(shown.out, outcome.out, "a run shows as it did when it ended");
    assert_eq!(desk.run(&["results", "show", "my run"]).status, Some(1));
    assert_eq!(desk.run(&["results", "show", "My Run"]).status, Some(0));
}

#[test]
fn every_form_is_what_it_says_it_is() {
    let desk = Desk::new();
    let form = |form| {
        let outcome = desk.run(&["benchmark", "--mock=vllm", "--requests=2", "--max-tokens=3", "--output", form]);
        assert_eq!(outcome.status, Some(0), "{}", outcome.all());
        outcome.out
    };
    let json = form("json");
    check_schema("summary", &json);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["targets"][0]["completed"], 2);
    assert_eq!(json["simulated"], true);

    let csv = form("csv");
    let mut lines = csv.lines();
    let columns = lines.next().unwrap().split(',').count();
    assert!(csv.starts_with("run,target,provider,model,simulated,"), "{csv}");
    let rows: Vec<&str> = lines.collect();
    assert!(!rows.is_empty() && rows.iter().all(|row| row.split(',').count() == columns), "{csv}");
    assert!(rows.iter().all(|row| row.contains(",SIMULATED,")), "{csv}");
    assert_eq!(std::fs::read_to_string(latest(&desk).path.join("summary.csv")).unwrap(), csv);

    let markdown = form("markdown");
    assert!(markdown.contains("SIMULATED") && markdown.contains("| --- |"), "{markdown}");
    assert_eq!(desk.run(&["results", "show", "--output=markdown"]).out, markdown);
}

/// The tokens the engine wrote into each answer, by the request's id.
fn written_tokens(sim: &sim::Sim) -> BTreeMap<String, u64> {
    let mut tokens = BTreeMap::new();
    for entry in sim.log() {
        *tokens.entry(entry.request_id).or_default() += u64::from(entry.tokens);
    }
    tokens
}

#[track_caller]
fn check_tokens(engine: Engine, provider: &str, more: &[&str]) {
    let sim = start(Config { keep_log: true, ..prompt_engine(engine) });
    let desk = Desk::new();
    let asked = format!("--target=it={provider}@{}", sim.url());
    let few = ["benchmark", &asked, "--requests=5", "--warmup=1", "--concurrency=2", "--max-tokens=40"];
    let outcome = desk.run(&[&few[..], more].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(sim.wait_idle(std::time::Duration::from_secs(10)));
    let written = written_tokens(&sim);
    let records = records(&latest(&desk), "it");
    assert_eq!((records.len(), written.len()), (6, 6));
    for record in records {
        let tokens = record.tokens.unwrap();
        let truth = written[record.request_id.unwrap().raw()];
        assert_eq!((tokens.output, tokens.source), (truth, TokenSource::ServerUsage));
        assert_eq!(record.usage.unwrap().output_tokens, Some(truth));
        assert!(tokens.input.unwrap() > 0);
    }
}

#[test]
fn token_counts_are_those_the_engine_wrote() {
    check_tokens(Engine::Vllm, "vllm", &[]);
    check_tokens(Engine::Vllm, "vllm", &["--no-force-length"]);
    check_tokens(Engine::Tgi, "tgi", &[]);
    check_tokens(Engine::Ollama, "ollama", &[]);
    check_tokens(Engine::OpenAi, "openai-compatible", &["--no-stream"]);
}

#[test]
fn an_endpoint_that_serves_one_model_needs_no_model_named() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let outcome = desk.run(&["benchmark", "--url", &sim.url(), "--requests=1", "--max-tokens=2"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert_eq!(latest(&desk).manifest.plan.targets[0].model, "sim-openai");
    assert!(
        outcome.out.starts_with("quick  SIMULATED"),
        "an engine of ours is known wherever it is met: {}",
        outcome.out
    );
}

#[test]
fn the_same_seed_asks_the_same_prompts() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let prompts = || {
        desk.run(&["benchmark", &target("it", &sim), "--requests=8", "--max-tokens=1", "--seed=7"]);
        measured(&latest(&desk), "it").iter().map(|record| (record.index, record.prompt)).collect::<Vec<_>>()
    };
    assert_eq!(prompts(), prompts());
}
