//! `try-it`, from prompts to votes: in lines, and before a terminal.

use std::io::Write as _;
use std::process::Stdio;

use crate::command::{Desk, Outcome};
use crate::pty::{CTRL_C, ENTER, ESCAPE, Life, Pty};

const QUICK: [&str; 6] = ["try-it", "--mock", "--max-tokens", "12", "--seed", "7"];

/// Runs the binary with `input` on stdin.
fn told(desk: &Desk, arguments: &[&str], input: &[u8]) -> Outcome {
    let mut command = desk.command(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Outcome { status: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn votes(desk: &Desk) -> Vec<serde_json::Value> {
    let kept = std::fs::read_to_string(desk.path().join("results/votes.jsonl")).unwrap_or_default();
    kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn runs(desk: &Desk) -> Vec<serde_json::Value> {
    let folders = std::fs::read_dir(desk.path().join("results")).unwrap();
    let manifests = folders.filter_map(|folder| std::fs::read(folder.unwrap().path().join("manifest.json")).ok());
    manifests.map(|bytes| serde_json::from_slice(&bytes).unwrap()).collect()
}

#[test]
fn prompts_and_votes_are_lines_and_every_round_is_a_run() {
    let desk = Desk::new();
    let out =
        told(&desk, &[&QUICK[..], &["--output", "json"]].concat(), "one\nnonsense\nB\ntwo Zürich\ntie\n\n".as_bytes());
    assert_eq!(out.status, Some(0), "{}", out.err);
    assert!(out.err.contains("that is no vote") && out.err.contains("You preferred B: "), "{}", out.err);
    assert!(out.err.contains("SIMULATED: all of them"), "{}", out.err);
    let before_vote = out.err.split("You preferred").next().unwrap();
    assert!(!before_vote.split("Which is the best?").next().unwrap().contains("TTFT"), "blind: {before_vote}");
    let rows: serde_json::Value = serde_json::from_str(&out.out).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 3, "{rows}");
    let kept = votes(&desk);
    assert_eq!(kept.len(), 2);
    let second_shown = &kept[0]["shown"][1]["target"];
    assert_eq!(&kept[0]["preference"]["one"], second_shown, "B is the second that was shown");
    assert_eq!(kept[1]["preference"], "all_alike");
    assert_eq!(kept[1]["prompt"], "two Zürich");
    let runs = runs(&desk);
    assert_eq!(runs.len(), 2);
    for run in &runs {
        assert_eq!(run["tags"][0], "try-it");
        assert_eq!(run["plan"]["side_by_side"], true);
        assert!(kept.iter().any(|vote| vote["run_id"] == run["run_id"]));
    }
}

#[test]
fn the_order_of_the_answers_is_drawn_from_the_seed() {
    let order = |seed: &str| {
        let desk = Desk::new();
        let arguments = ["try-it", "--mock", "--max-tokens", "4", "--prompt", "x", "--seed", seed];
        assert_eq!(told(&desk, &arguments, b"skip\n").status, Some(0));
        let kept = votes(&desk);
        assert_eq!(kept[0]["preference"], "skipped");
        kept[0]["shown"].to_string()
    };
    let first = order("1");
    assert_eq!(first, order("1"));
    assert!((2..8).any(|seed: u32| order(&seed.to_string()) != first), "some seed has another order");
}

#[test]
fn the_end_of_stdin_is_no_vote() {
    let desk = Desk::new();
    let out = told(&desk, &[&QUICK[..], &["--prompt", "x"]].concat(), b"");
    assert_eq!(out.status, Some(0), "{}", out.err);
    assert!(out.err.contains("You gave no vote"), "{}", out.err);
}

#[test]
fn a_prompt_that_is_too_long_or_no_text_harms_nothing() {
    let desk = Desk::new();
    let long = [&b"x".repeat(40_000)[..], b"\n\xff\xfe\x1b[2J\nA\n\n"].concat();
    let out = told(&desk, &QUICK, &long);
    assert_eq!(out.status, Some(0), "{}", out.err);
    assert!(out.err.contains("that is too long: a prompt has 16 KiB at most"), "{}", out.err);
    assert!(!out.err.contains('\u{1b}'), "{}", out.err);
    assert_eq!(votes(&desk).len(), 1);
}

#[test]
fn stored_votes_are_tallied_in_every_form() {
    let desk = Desk::new();
    let none = desk.run(&["try-it", "--tally"]);
    assert_eq!(none.status, Some(0));
    assert!(none.err.contains("No votes yet."), "{}", none.err);
    assert_eq!(told(&desk, &[&QUICK[..], &["--prompt", "x"]].concat(), b"A\n").status, Some(0));
    std::fs::OpenOptions::new()
        .append(true)
        .open(desk.path().join("results/votes.jsonl"))
        .unwrap()
        .write_all(b"{\"format_version\":1,\"torn\n")
        .unwrap();
    for (form, begins) in [("table", "Votes: 1"), ("markdown", "# Votes: 1"), ("csv", "target,model,"), ("json", "[")] {
        let tally = desk.run(&["try-it", "--tally", "--output", form]);
        assert_eq!(tally.status, Some(0));
        assert!(tally.out.starts_with(begins), "{form}: {}", tally.out);
        assert!(tally.out.contains("SIMULATED"), "{form}: {}", tally.out);
        assert!(tally.err.contains("lines passed over that are no votes: 1"), "{}", tally.err);
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anybody_types() {
    let desk = Desk::new();
    let refused = |arguments: &[&str]| {
        let out = desk.run(arguments);
        assert_eq!(out.status, Some(2), "{arguments:?}: {}", out.err);
        out.err
    };
    assert!(refused(&["try-it", "--mock=vllm"]).contains("`try-it` needs 2 targets"));
    assert!(refused(&["try-it", "--mock", "--size", "long"]).contains("`try-it` has no use for `--size`"));
    assert!(refused(&["try-it", "--tally", "--mock"]).contains("`--tally` asks nobody"));
    assert!(!desk.path().join("results").exists());
}

#[test]
fn a_round_before_a_terminal() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &QUICK, 120, 40);
    pty.wait_for("Your prompt");
    // As terminals send what is pasted.
    pty.keys("\u{1b}[200~Why is the sky blue?\rIn two\tlines, \u{1b}[31mplease.\u{1b}[201~");
    pty.wait_for("please.");
    pty.keys(ENTER);
    pty.wait_for("RACE finished");
    let race = pty.screen();
    assert!(!race.contains("vllm-sim") && race.contains("Why is the sky blue?"), "{race}");
    pty.keys(ENTER);
    pty.wait_for("Which answer is the best?");
    assert!(!pty.screen().contains("vllm-sim"), "{}", pty.screen());
    pty.keys("b");
    pty.wait_for("B is the best? Enter says so");
    pty.keys(ENTER);
    pty.wait_for("You preferred B: ");
    pty.wait_for("B: ");
    pty.keys("t");
    pty.wait_for("All votes so far: 1");
    pty.keys("tq");
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
    assert!(pty.screen().contains("too close to call"), "{}", pty.screen());
    assert_eq!(votes(&desk)[0]["prompt"].as_str().unwrap().lines().count(), 2);
}

#[test]
fn a_session_is_ended_from_every_screen() {
    for keys in [ESCAPE, CTRL_C] {
        let desk = Desk::new();
        let pty = Pty::spawn(&desk, &QUICK, 80, 24);
        pty.wait_for("Your prompt");
        pty.keys(keys);
        assert_eq!(pty.end(), Life::Ended(0));
        pty.check_sane();
    }
}

#[test]
fn a_race_that_is_given_up_asks_for_no_vote_and_goes_back_to_the_prompt() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &["try-it", "--mock", "--max-tokens", "4000"], 100, 30);
    pty.wait_for("Your prompt");
    pty.keys("x\r");
    pty.wait_for("generating");
    pty.keys("q");
    pty.wait_for("That round was given up.");
    pty.keys(ESCAPE);
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    assert!(votes(&desk).is_empty());
    assert_eq!(runs(&desk)[0]["status"], "interrupted");
}
