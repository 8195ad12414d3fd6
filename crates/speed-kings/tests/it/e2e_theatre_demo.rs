//! `demo`: scenes in lines and before a terminal.

use sim::{Engine, Fault};

use crate::command::Desk;
use crate::e2e_run::{faulty_engine, prompt_engine, start, target};
use crate::pty::{DOWN, ENTER, ESCAPE, Life, Pty};

fn only_run(desk: &Desk) -> std::path::PathBuf {
    let folders = std::fs::read_dir(desk.path().join("results")).unwrap();
    let found: Vec<_> = folders.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

fn json(path: &std::path::Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn without_a_terminal_the_scenes_are_listed() {
    let desk = Desk::new();
    let out = desk.run(&["demo", "--output", "csv"]);
    assert_eq!(out.status, Some(0), "{}", out.err);
    let ids: Vec<&str> = out.out.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    let scenes =
        ["customer-support", "code-review", "creative-writing", "technical-documentation", "business-intelligence"];
    assert_eq!(ids, scenes);
    assert!(!desk.path().join("results").exists(), "a list measures nothing");
}

#[test]
fn a_scene_is_a_run_whose_messages_are_the_turns_of_one_conversation() {
    let desk = Desk::new();
    let out = desk.run(&["demo", "--scenario", "2", "--max-tokens", "12", "--output", "json"]);
    assert_eq!(out.status, Some(0), "{}", out.err);
    for said in [
        "The developer says: Please review",
        "The developer says: Thanks.",
        "(SIMULATED) answers: ",
        "Nielsen, 1993",
        "Brysbaert, 2019",
    ] {
        assert!(out.err.contains(said), "{said}: {}", out.err);
    }
    let summary: serde_json::Value = serde_json::from_str(&out.out).unwrap();
    assert_eq!(summary["simulated"], true);
    let run = only_run(&desk);
    let manifest = json(&run.join("manifest.json"));
    assert_eq!(manifest["plan"]["workload"]["prompts"]["scenario"], "code-review");
    assert_eq!(manifest["tags"], serde_json::json!(["demo", "scenario=code-review"]));
    let targets: Vec<&str> =
        manifest["plan"]["targets"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(targets, ["vllm-sim", "tgi-sim", "ollama-sim"]);
    for target in targets {
        let lines = std::fs::read_to_string(run.join(target).join("requests.jsonl")).unwrap();
        let records = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let turns: Vec<_> = records
            .filter(|r| r["phase"] == "measured")
            .map(|r| (r["block"].clone(), r["conversation"]["turn"].clone()))
            .collect();
        assert_eq!(turns, [(0.into(), 0.into()), (1.into(), 1.into())], "{target}");
    }
}

#[test]
fn a_message_that_got_no_answer_is_not_taken_for_the_next_when_it_is_asked_again() {
    let desk = Desk::new();
    let good = start(prompt_engine(Engine::Vllm));
    let bad = start(faulty_engine(Engine::Vllm, Fault::TruncateClean));
    let asked = ["demo", "--scenario=1", "--max-tokens=6", "--warmup=0", "--plain"];
    let out = desk.run(&[&asked[..], &[&target("good", &good), &target("bad", &bad)]].concat());
    assert_eq!(out.status, Some(1), "{}", out.all());
    let told = |sentence: &str| out.err.lines().filter(|line| line.starts_with(sentence)).count();
    assert_eq!(told("good (SIMULATED) answers: "), 2, "{}", out.err);
    assert_eq!(told("bad (SIMULATED) answers: "), 1, "{}", out.err);
    assert_eq!(told("bad (SIMULATED), asked message 1 again, answers: "), 1, "{}", out.err);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let desk = Desk::new();
    let refused = |arguments: &[&str], why: &str| {
        let out = desk.run(arguments);
        assert_eq!(out.status, Some(2), "{arguments:?}: {}", out.err);
        assert!(out.err.contains(why), "{}", out.err);
    };
    refused(&["demo", "--scenario", "6"], "`6` is no scenario");
    refused(&["demo", "--scenario", "1", "--prompt", "x"], "`demo` has no use for `--prompt`");
    refused(&["demo", "--live", "--mock"], "cannot be used with");
    refused(&["demo", "--live", "--scenario", "1"], "nothing was named to measure");
    refused(&["demo", "--max-tokens", "5"], "no scene was chosen");
}

#[test]
fn the_configuration_is_asked_only_when_it_is_to_be_live() {
    let file = "target: [{name: nowhere, provider: vllm, url: 'http://127.0.0.1:1', model: m}]\nscenario: 3\n";
    let desk = Desk::new().with_file("speed-kings.yaml", file);
    let out = desk.run(&["demo", "--max-tokens", "4"]);
    assert_eq!(out.status, Some(0), "{}", out.err);
    assert!(out.err.contains("vllm-sim (SIMULATED) answers") && !out.err.contains("nowhere"), "{}", out.err);
    let live = desk.run(&["demo", "--live"]);
    assert!(live.err.contains("`nowhere` cannot be reached"), "{}", live.err);
}

#[test]
fn a_scene_is_chosen_played_and_left() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &["demo", "--max-tokens", "12"], 120, 40);
    pty.wait_for("▶ 1  Customer support");
    pty.keys(DOWN);
    pty.wait_for("▶ 2  Code review");
    pty.keys(ENTER);
    pty.wait_for("2 Code review · message 2 of 2");
    pty.wait_for("Enter goes on");
    let screen = pty.screen();
    for shown in ["vllm-sim", "tgi-sim", "ollama-sim", "SIMULATED", "The developer waits", "(Nielsen,"] {
        assert!(screen.contains(shown), "{shown}:\n{screen}");
    }
    pty.keys(ENTER);
    pty.wait_for("▶ 2  Code review");
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
    assert_eq!(json(&only_run(&desk).join("manifest.json"))["status"], "complete");
}

#[test]
fn a_scene_that_is_given_up_is_sealed() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &["demo", "--scenario", "1", "--max-tokens", "4000", "--warmup", "0"], 100, 30);
    pty.wait_for("writing");
    pty.keys(ESCAPE);
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    assert_eq!(json(&only_run(&desk).join("manifest.json"))["status"], "interrupted");
}
