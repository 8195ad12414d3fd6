//! `test`, `--dry-run`, `sim`, and what reaches people who pipe.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use schema::manifest::Status;
use serde_json::json;
use sim::{Config, Engine, Fault};

use crate::command::Desk;
use crate::e2e_run::{DEAD, faulty_engine, is_plain, latest, prompt_engine, start, target};
use crate::e2e_server::{Said, serve};

#[test]
fn a_quick_request_to_each_simulated_engine_goes_well() {
    let desk = Desk::new();
    let outcome = desk.run(&["test", "--mock", "--output=json"]);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let rows: Vec<serde_json::Value> = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row["state"], "ok");
        assert!(row["target"].as_str().unwrap().ends_with("(SIMULATED)"), "{row}");
    }
    assert!(!desk.path().join("results").exists(), "nothing is kept");
}

#[test]
fn a_dead_url_fails_the_test_and_says_what_to_do() {
    let desk = Desk::new();
    let outcome = desk.run(&["test", "--url", DEAD, "--model", "m"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("connection refused") && outcome.err.contains("check that it is running"));
    let sim = start(faulty_engine(Engine::OpenAi, Fault::ServerError));
    let outcome = desk.run(&["test", "--url", &sim.url()]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.out.contains("server error"), "{}", outcome.out);
}

#[test]
fn a_dry_run_sends_nothing_and_keeps_nothing() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    for form in ["table", "json", "markdown", "csv"] {
        let it = target("it", &sim);
        let outcome = desk.run(&["benchmark", "--dry-run", &it, "--model=m", "--mock=vllm", "--output", form]);
        assert_eq!(outcome.status, Some(0), "{}", outcome.all());
        assert!(outcome.out.contains(&sim.url()), "{}", outcome.all());
    }
    assert_eq!((sim.requests(), sim.open_connections()), (0, 0));
    assert!(!desk.path().join("results").exists());
}

#[test]
fn a_simulated_engine_serves_until_interrupted_and_leaves_its_log() {
    let desk = Desk::new();
    let arguments = ["sim", "--engine=vllm", "--ttft=1ms", "--itl=1ms", "--log=truth.jsonl"];
    let mut child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let it = format!("--target=it=vllm@{}", url.trim());
    let outcome = desk.run(&["benchmark", &it, "--requests=2", "--warmup=0", "--max-tokens=4"]);
    let interrupt = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &interrupt]).status().unwrap().success());
    let ended = child.wait().unwrap();
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert_eq!(ended.code(), Some(0));
    let log = std::fs::read_to_string(desk.path().join("truth.jsonl")).unwrap();
    let entries: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let tokens: u64 = entries.iter().map(|entry| entry["tokens"].as_u64().unwrap()).sum();
    assert_eq!(tokens, 8, "two answers of four tokens");
}

#[test]
fn a_reader_that_leaves_in_the_middle_of_a_run_costs_it_nothing() {
    let desk = Desk::new();
    let arguments = ["benchmark", "--mock=vllm", "--requests=2", "--max-tokens=2", "--quiet"];
    let mut child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
    assert_eq!(latest(&desk).manifest.status, Status::Complete);
}

#[test]
fn a_run_whose_notes_nobody_hears_ends_as_any_other() {
    let desk = Desk::new();
    let dead = format!("--target=dead=vllm@{DEAD},model=m");
    for (more, status) in [(&["-vvv"][..], 0), (&[&dead], 1), (&["--slo=tttft"], 2)] {
        let arguments = [&["benchmark", "--mock=vllm", "--requests=2", "--max-tokens=2"], more].concat();
        let mut child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(status), "{more:?}");
    }
    assert_eq!(latest(&desk).manifest.status, Status::Complete);
}

#[test]
fn what_a_model_says_cannot_steer_the_terminal() {
    let sim = start(Config { seed: 5, ..faulty_engine(Engine::OpenAi, Fault::HostileText) });
    let desk = Desk::new();
    for form in ["table", "markdown", "csv", "json"] {
        let outcome = desk.run(&["test", "--url", &sim.url(), "--output", form]);
        assert_eq!(outcome.status, Some(0), "{}", outcome.all());
        assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{:?}", outcome.all());
        let outcome = desk.run(&[
            "benchmark",
            "--url",
            &sim.url(),
            "--requests=2",
            "--keep-text",
            "--max-tokens=40",
            "--output",
            form,
        ]);
        assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{:?}", outcome.all());
    }
}

#[test]
fn nothing_is_drawn_where_nobody_watches() {
    let desk = Desk::new();
    let outcome = desk.run(&["benchmark", "--mock=vllm", "--requests=30", "--max-tokens=2"]);
    let lines: Vec<&str> = outcome.err.lines().collect();
    assert_eq!(lines.len(), 1, "{}", outcome.err);
    assert!(lines[0].starts_with("run kept in results/test_quick_"), "{}", outcome.err);
    assert_eq!(desk.run(&["benchmark", "--mock=vllm", "--requests=1", "--quiet"]).err, "");
}

#[test]
fn a_dry_run_tells_what_would_not_be_measured() {
    let desk = Desk::new();
    for form in ["table", "json", "markdown", "csv"] {
        let outcome = desk.run(&["benchmark", "--dry-run", "--providers=groq", "--mock=vllm", "--output", form]);
        assert_eq!(outcome.status, Some(1), "{}", outcome.all());
        assert!(outcome.err.contains("GROQ_API_KEY"), "{}", outcome.all());
    }
}

#[test]
fn models_with_hostile_names_cannot_steer_the_terminal() {
    let hostile = |names: &'static [&'static str]| {
        serve(move |asked| {
            let models: Vec<_> = names.iter().map(|name| json!({ "id": name })).collect();
            let text = json!({ "choices": [{ "index": 0, "delta": { "content": "Well." }, "finish_reason": "stop" }] });
            if asked.is_listing { Said::json("200 OK", &json!({ "data": models })) } else { Said::stream(&[text]) }
        })
    };
    let one = hostile(&["evil\u{1b}[2J\u{202e}\n"]);
    let two = hostile(&["evil\u{1b}[2J\u{202e}\n", "worse\u{9b}2J"]);
    let desk = Desk::new();
    for form in ["table", "json", "markdown", "csv"] {
        for (url, model) in [(&one, None), (&two, None), (&two, Some("--model=evil"))] {
            for verb in ["benchmark", "test"] {
                let named: Vec<&str> = [verb, "--url", url, "--output", form].into_iter().chain(model).collect();
                let outcome = desk.run(&named);
                assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{named:?}: {:?}", outcome.all());
            }
        }
        let outcome = desk.run(&["results", "list", "--output", form]);
        assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{:?}", outcome.all());
    }
    let desk = desk.with("VLLM_URL", &two);
    let outcome = desk.run(&["list", "vllm"]);
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{:?}", outcome.all());
}

#[test]
fn refusals_with_hostile_words_cannot_steer_the_terminal() {
    let words = json!({ "error": { "message": "no\u{1b}]0;owned\u{7}\r\u{202e}\u{9b}2J", "type": "\u{1b}[31m" } });
    let said = words.clone();
    let at_once = serve(move |_| Said::json("403 Forbidden", &said));
    let later =
        serve(move |asked| if asked.is_listing { Said::model("m") } else { Said::json("403 Forbidden", &words) });
    let desk = Desk::new();
    for url in [&at_once, &later] {
        for verb in ["benchmark", "test"] {
            let outcome = desk.run(&[verb, "--url", url, "--model=m", "-vvv"]);
            assert_eq!(outcome.status, Some(1), "{}", outcome.all());
            assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{:?}", outcome.all());
        }
        assert!(is_plain(&desk.run(&["results", "show"]).all()));
    }
}

#[test]
fn what_a_server_calls_its_model_is_no_formula_in_a_spreadsheet() {
    let url = serve(|asked| {
        let text = json!({ "choices": [{ "index": 0, "delta": { "content": "=1+1" }, "finish_reason": "stop" }] });
        if asked.is_listing { Said::model("=HYPERLINK(1)") } else { Said::stream(&[text]) }
    });
    let desk = Desk::new();
    for verb in ["benchmark", "test"] {
        let outcome = desk.run(&[verb, "--url", &url, "--output=csv"]);
        assert_eq!(outcome.status, Some(0), "{}", outcome.all());
        assert!(outcome.out.contains("HYPERLINK"), "{}", outcome.out);
        let cells = || outcome.out.lines().flat_map(|line| line.split(','));
        assert!(cells().all(|cell| !cell.trim_matches('"').starts_with('=')), "{}", outcome.out);
    }
}
