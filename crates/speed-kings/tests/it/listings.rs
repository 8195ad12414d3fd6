//! Commands that print what is known, in every form.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::command::Desk;

#[test]
fn list_tells_what_each_provider_needs() {
    let desk = Desk::new().with("GROQ_API_KEY", "key").with("VLLM_URL", "http://me:secret@gpu:8000/v1");
    insta::assert_snapshot!(desk.run(&["list", "--output", "csv"]).out);
    let ready = desk.run(&["list", "--ready", "--output", "json"]).out;
    let ready: Vec<Value> = serde_json::from_str(&ready).unwrap();
    assert!(ready.iter().any(|row| row["provider"] == "groq"));
    assert!(ready.iter().all(|row| row["provider"] != "cerebras"));
}

#[test]
fn list_of_an_unknown_provider_is_wrong_usage() {
    assert_eq!(Desk::new().run(&["list", "grok"]).status, Some(2));
}

#[test]
fn list_of_a_provider_asks_it_for_its_models() {
    let desk = Desk::new();
    let mut sim = desk.command(&["sim", "--engine", "vllm", "--model", "tiny"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(sim.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let desk = desk.with("VLLM_URL", url.trim());
    let named = desk.run(&["list", "vllm", "--output", "csv"]);
    let ready = desk.run(&["list", "--models", "--output", "csv"]);
    sim.kill().unwrap();
    sim.wait().unwrap();
    assert_eq!(named.all(), ready.all());
    insta::assert_snapshot!(named.all(), @r"
    status: 0
    --- stdout ---
    provider,model,family,default,served
    vllm,tiny,,false,true
    --- stderr ---
    ");
}

#[test]
fn list_of_a_provider_without_its_key_shows_what_is_known_of_it() {
    let outcome = Desk::new().run(&["list", "cerebras"]);
    assert_eq!(outcome.status, Some(1));
    insta::assert_snapshot!(outcome.err, @"`cerebras` was not asked, or did not answer: `cerebras` needs a key, and `CEREBRAS_API_KEY` is not set");
    assert!(outcome.out.contains("gpt-oss-120b"), "{}", outcome.out);
}

#[test]
fn pricing_can_be_narrowed_and_overridden() {
    let prices = r#"{"as_of": "2020-01-02", "source": "a test", "prices": [
        {"provider": "groq", "model": "mine", "input_per_mtok_usd": 1, "output_per_mtok_usd": 2.5}]}"#;
    let desk = Desk::new().with_file("prices.json", prices);
    let arguments = ["pricing", "--provider", "groq", "--model", "MINE", "--prices", "prices.json"];
    insta::assert_snapshot!(desk.run(&[&arguments[..], &["--output", "markdown"]].concat()).all(), @r"
    status: 0
    --- stdout ---
    | Provider | Model | Input | Output | Cached input | As of | Stale | Note |
    | --- | --- | ---: | ---: | ---: | --- | --- | --- |
    | groq | mine | $1.00 | $2.50 |  | 2020-01-02 | yes | stale: looked up on 2020-01-02, more than 90 days ago |
    --- stderr ---
    stale prices among these: 1; check, or give your own with `--prices`
    ");
    let outcome = desk.run(&["pricing", "--prices", "absent.json"]);
    insta::assert_snapshot!(outcome.all(), @r"
    status: 2
    --- stdout ---
    --- stderr ---
      × the prices in `absent.json` cannot be read: No such file or directory (os error 2)
      help: check the path given as `prices`
    ");
}

#[test]
fn every_form_has_the_same_rows() {
    let desk = Desk::new();
    let json: Vec<Value> = serde_json::from_str(&desk.run(&["pricing", "--output", "json"]).out).unwrap();
    let csv = desk.run(&["pricing", "--output", "csv"]).out;
    let markdown = desk.run(&["pricing", "--output", "markdown"]).out;
    assert!(json.len() > 10);
    assert_eq!(csv.lines().count(), json.len() + 1);
    assert_eq!(markdown.lines().filter(|line| line.starts_with('|')).count(), json.len() + 2);
}

#[test]
fn results_of_a_folder_without_runs_are_none() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.run(&["results", "list"]).all(), @r"
    status: 0
    --- stdout ---
    Run  Started  Status  Targets  Models  Tags  Requests  Verdict  Simulated
    ─────────────────────────────────────────────────────────────────────────
    --- stderr ---
    no runs in `results`; `speed-kings benchmark --mock` makes one
    ");
    let outcome = desk.run(&["results", "show", "latest"]);
    assert_eq!(outcome.status, Some(1));
    insta::assert_snapshot!(outcome.all(), @r"
    status: 1
    --- stdout ---
    --- stderr ---
      × no run in `results` is called `latest`
      help: there are no runs here yet; `speed-kings benchmark --mock` makes one
    ");
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let outcome = Desk::new().run(&["completions", shell]);
        assert_eq!(outcome.status, Some(0));
        assert!(outcome.out.contains("max-concurrency"), "{shell}");
    }
}

#[test]
fn notes_quote_folders_without_their_control_characters() {
    let mock = ["benchmark", "--mock=vllm", "--requests", "1", "--max-tokens", "2", "--out", "re\u{1b}sults"];
    let outcome = Desk::new().run(&mock);
    assert_eq!(outcome.status, Some(0), "{}", outcome.err);
    assert!(outcome.err.contains("run kept in re\u{FFFD}sults/"), "{}", outcome.err);
}
