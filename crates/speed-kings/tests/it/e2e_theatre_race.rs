//! `race`, told in lines and drawn on a terminal, live and replayed.

use serde_json::Value;
use sim::{Engine, Fault};

use crate::command::Desk;
use crate::e2e_run::{
    check_schema, faulty_engine, is_plain, latest, measured, prompt_engine, slow_engine, start, summary, target,
};
use crate::pty::{CTRL_C, DOWN, ENTER, Life, Pty, TAB};

const NAMES: [&str; 3] = ["vllm-sim", "tgi-sim", "ollama-sim"];

const MOCK: [&str; 4] = ["race", "--mock", "--max-tokens=12", "--seed=7"];

#[test]
fn a_race_in_a_pipe_is_told_in_sentences_and_its_answers_come_before_its_table() {
    let desk = Desk::new();
    let outcome = desk.run(&MOCK);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{}", outcome.all());
    let race = "A race of 3 targets, one run: vllm-sim (SIMULATED), tgi-sim (SIMULATED), ollama-sim (SIMULATED).";
    for sentence in [race, "Run 1 of 1 begins.", "Run 1 of 1 is over: "] {
        assert!(outcome.err.contains(sentence), "`{sentence}` in\n{}", outcome.err);
    }
    let run = latest(&desk);
    let (answers, table) = outcome.out.split_once("In the order of finishing\n").unwrap();
    assert!(answers.starts_with("Answers\n\n"), "{answers}");
    assert!(table.ends_with("One heat may be luck: `--runs 10` gives figures with intervals.\n"), "{table}");
    let all = format!("`speed-kings results show results/{}`", run.path.file_name().unwrap().to_str().unwrap());
    assert!(outcome.err.lines().last().is_some_and(|line| line.starts_with(&all)), "{}", outcome.err);
    assert!(
        !table.contains("enough data") && !table.contains("n/a"),
        "what one heat cannot tell is not told:\n{table}"
    );
    for name in NAMES {
        assert!(outcome.err.contains(&format!("{name} (SIMULATED) finished after ")), "{}", outcome.err);
        let records = measured(&run, name);
        let said: String = records[0].output.as_deref().unwrap().iter().map(schema::text::Untrusted::raw).collect();
        assert!(said.len() > 20 && answers.contains(said.trim_end()), "`{said}` in\n{answers}");
        assert_eq!(records.len(), 1);
    }
}

#[test]
fn every_heat_begins_at_one_instant_and_is_kept_like_any_other_run() {
    let desk = Desk::new();
    let outcome = desk.run(&[&MOCK[..], &["--runs=5", "--output=json"]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    check_schema("summary", &outcome.out);
    let run = latest(&desk);
    assert!(run.manifest.plan.side_by_side && run.manifest.plan.keep_text);
    assert!(store::verify(&run).is_empty());
    let scheduled = |name| measured(&run, name).iter().map(|r| (r.block, r.scheduled_ns)).collect::<Vec<_>>();
    assert_eq!(scheduled(NAMES[0]).len(), 5);
    assert_eq!(scheduled(NAMES[0]), scheduled(NAMES[1]));
    assert_eq!(scheduled(NAMES[0]), scheduled(NAMES[2]));
    let blocks: Vec<_> = scheduled(NAMES[0]).into_iter().map(|(block, _)| block).collect();
    assert_eq!(blocks, [0, 1, 2, 3, 4]);
    let summary: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(summary["targets"][1]["completed"], 5);
    assert!(summary["comparison"]["rankings"].is_array());
}

#[test]
fn heats_enough_for_figures_are_summed_up() {
    let desk = Desk::new();
    let outcome = desk.run(&[&MOCK[..], &["--runs=5"]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let (_, table) = outcome.out.split_once("race  SIMULATED\n").expect("there is a summary");
    assert!(table.contains("closed loop, 1 at once") && !table.contains("may be luck"), "{table}");
}

#[track_caller]
fn check_refused(arguments: &[&str], expected: &[&str]) {
    let desk = Desk::new();
    let outcome = desk.run(arguments);
    assert_eq!(outcome.status, Some(2), "{}", outcome.all());
    assert_eq!(outcome.out, "");
    for words in expected {
        assert!(outcome.err.contains(words), "`{words}` in\n{}", outcome.err);
    }
    assert!(!desk.path().join("results").exists(), "nothing was measured");
}

#[test]
fn what_is_no_race_is_refused_with_what_to_do() {
    check_refused(&["race", "--mock=vllm"], &["`race` needs 2 targets, and there is 1", "--target NAME=PROVIDER@URL"]);
    let many = ["a", "b", "c", "d", "e", "f", "g"].map(|name| format!("--target={name}=vllm@http://127.0.0.1:1"));
    let many: Vec<_> = std::iter::once("race").chain(many.iter().map(String::as_str)).collect();
    check_refused(&many, &["has room for 6 targets, and there are 7", "speed-kings benchmark"]);
    check_refused(&["race", "--mock", "--rate=5/s"], &["`race` has no use for `--rate`", "benchmark"]);
    check_refused(&["race", "--mock", "--replay-speed=2"], &["`--replay-speed` says nothing without `--replay`"]);
    check_refused(&["race", "--replay=latest", "--mock"], &["`--replay` asks nobody, and has no use for `--mock`"]);
    check_refused(&["race", "--replay=latest", "--config=quick"], &["no use for `--config`"]);
    check_refused(&["race", "--mock", "--record=x.cast"], &["there is no screen to record"]);
}

#[test]
fn a_race_that_one_target_is_left_of_is_not_held() {
    let desk = Desk::new();
    let alive = start(prompt_engine(Engine::Vllm));
    let outcome = desk.run(&["race", &target("alive", &alive), "--target=dead=vllm@http://127.0.0.1:1,model=m"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(
        outcome.err.contains("`dead` cannot be reached") && outcome.err.contains("needs 2 targets"),
        "{}",
        outcome.err
    );
}

#[test]
fn a_target_that_fails_is_told_of_and_the_others_finish() {
    let desk = Desk::new();
    let good = start(prompt_engine(Engine::Vllm));
    let bad = start(faulty_engine(Engine::Vllm, Fault::TruncateClean));
    let outcome = desk.run(&["race", &target("good", &good), &target("bad", &bad), "--max-tokens=6", "--warmup=0"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    for sentence in ["good (SIMULATED) finished", "bad (SIMULATED) failed: truncated", "bad did not finish"] {
        assert!(outcome.err.contains(sentence), "`{sentence}` in\n{}", outcome.err);
    }
    assert!(outcome.out.contains("[failed: truncated"), "{}", outcome.out);
    assert_eq!(summary(&latest(&desk), "good").completed, 1);
}

#[test]
fn settings_of_files_that_do_not_count_for_a_race_are_told() {
    let desk = Desk::new()
        .with_file("speed-kings.yaml", "max_tokens: 4\nconcurrency: 9\n")
        .with("SPEED_KINGS_REQUESTS", "70")
        .with("SPEED_KINGS_SEED", "3");
    let race = desk.run(&["race", "--mock=vllm,tgi", "--plain"]);
    assert_eq!(race.status, Some(0), "{}", race.all());
    let told = "`race` settles itself, or has no use for, `concurrency` (speed-kings.yaml:2), `requests` \
                ($SPEED_KINGS_REQUESTS): what is said there does not count";
    assert_eq!(race.err.lines().filter(|line| *line == told).count(), 1, "{}", race.err);
    let benchmark = desk.run(&["benchmark", "--mock=vllm", "--max-tokens=4", "--no-tui"]);
    assert!(!benchmark.err.contains("does not count"), "{}", benchmark.err);
}

#[test]
fn a_replay_tells_and_prints_what_the_race_did_and_measures_nothing() {
    let desk = Desk::new();
    let race = desk.run(&[&MOCK[..], &["--runs=2"]].concat());
    let replay = desk.run(&["race", "--replay=latest", "--replay-speed=1000"]);
    assert_eq!(replay.status, Some(0), "{}", replay.all());
    assert_eq!(replay.out, race.out);
    let told = |err: &str| -> Vec<String> {
        let kept = |line: &&str| {
            ["TCP handshake", "first words", "finished after", "is over"].iter().any(|it| line.contains(it))
        };
        let mut lines: Vec<_> = err.lines().filter(kept).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(told(&replay.err).len(), 3 + 2 * (3 + 3 + 1), "{}", replay.err);
    assert_eq!(told(&replay.err), told(&race.err));
    assert!(replay.err.contains("nothing was measured"), "{}", replay.err);
    assert_eq!(std::fs::read_dir(desk.path().join("results")).unwrap().count(), 1);
    let shown = desk.run(&["results", "show"]);
    for found in ["What was found of the targets", "round trip", "TCP handshake", "context", "32768 tokens"] {
        assert!(shown.out.contains(found), "{found} in\n{}", shown.out);
    }
    let one = desk.run(&["race", "--replay=race", "--replay-speed=1000", "--runs=1"]);
    assert!(one.err.contains("one run") && !one.err.contains("Run 2"), "{}", one.err);
    let none = desk.run(&["race", "--replay=nowhere"]);
    assert_eq!(none.status, Some(1), "{}", none.all());
}

#[test]
fn any_run_can_be_raced_again_and_what_it_lacks_is_said() {
    let desk = Desk::new();
    let benchmark = desk.run(&["benchmark", "--mock=vllm,tgi", "--requests=4", "--max-tokens=5"]);
    assert_eq!(benchmark.status, Some(0), "{}", benchmark.all());
    let replay = desk.run(&["race", "--replay=latest", "--replay-speed=1000"]);
    assert_eq!(replay.status, Some(0), "{}", replay.all());
    for words in ["measured one after another", "the texts of this run were not kept", "Run 4 of 4 is over"] {
        assert!(replay.err.contains(words), "`{words}` in\n{}", replay.err);
    }
    assert!(replay.out.contains("[its text was not kept with the run; "), "{}", replay.out);
    let alone = desk.run(&["benchmark", "--mock=vllm", "--requests=2", "--max-tokens=5"]);
    assert_eq!(alone.status, Some(0), "{}", alone.all());
    let replay = desk.run(&["race", "--replay=latest"]);
    assert_eq!(replay.status, Some(2), "{}", replay.all());
    assert!(replay.err.contains("has one target") && replay.err.contains("two to six"), "{}", replay.err);
}

/// Goes through all pages after a race of so many heats, and back, and leaves.
#[track_caller]
fn walk(pty: &Pty, heats: usize) {
    for heat in 1..=heats {
        pty.keys(ENTER);
        pty.wait_for(&if heats > 1 { format!("Answers, heat {heat} of {heats}") } else { "Answers".to_owned() });
    }
    pty.keys(TAB);
    pty.keys(DOWN);
    pty.keys(ENTER);
    pty.wait_until("the ranking is on the screen", |screen| screen.contents().starts_with("Ranking"));
    pty.wait_for("may be luck: `--runs 10`");
    pty.keys(ENTER);
    pty.wait_for("Statistics");
    pty.wait_for("attempted");
    pty.keys("\u{7f}");
    pty.wait_until("the ranking is on the screen", |screen| screen.contents().starts_with("Ranking"));
    pty.keys(ENTER);
    pty.keys(ENTER);
    pty.wait_for("What it means");
    pty.keys("q");
}

#[test]
fn a_race_is_drawn_and_what_came_of_it_is_read_page_by_page() {
    for (columns, rows) in [(80, 24), (250, 70)] {
        let desk = Desk::new();
        let pty = Pty::spawn(&desk, &MOCK, columns, rows);
        pty.wait_for("Enter goes on");
        let screen = pty.screen();
        for name in NAMES {
            assert!(screen.contains(name), "{name} in\n{screen}");
        }
        assert!(screen.contains("SIMULATED"), "{screen}");
        assert!(screen.contains("127.0.0.1:") && !screen.contains("/v1/chat"), "{screen}");
        walk(&pty, 1);
        pty.wait_for("run kept in");
        assert_eq!(pty.end(), Life::Ended(0));
        pty.check_sane();
        assert_eq!(measured(&latest(&desk), NAMES[0]).len(), 1);
    }
}

#[test]
fn a_replay_is_drawn_and_obeys_its_keys() {
    let desk = Desk::new();
    let race = desk.run(&[&MOCK[..], &["--runs=2"]].concat());
    assert_eq!(race.status, Some(0), "{}", race.all());
    let pty = Pty::spawn(&desk, &["race", "--replay=latest", "--replay-speed=0.01"], 120, 40);
    pty.wait_for("REPLAY ▶ 0.0");
    pty.keys(" ");
    pty.wait_for("REPLAY ‖");
    pty.keys("\u{1b}[F");
    pty.wait_for("REPLAY ■");
    pty.wait_for("heat 2 of 2");
    pty.wait_for("RTT");
    pty.keys("c");
    pty.wait_for("as the engines told it");
    pty.wait_for("requests at once");
    pty.keys("c");
    pty.wait_for("heat 2 of 2");
    assert!(!pty.screen().contains("Prompt of heat 1"), "the second heat's own is known:\n{}", pty.screen());
    walk(&pty, 2);
    pty.wait_for("nothing was measured");
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
}

#[test]
fn a_race_that_is_given_up_is_kept_and_the_terminal_given_back() {
    for key in ["q", CTRL_C] {
        let desk = Desk::new();
        let slow: Vec<_> = (0..2).map(|_| start(slow_engine(Engine::Vllm, 1, 3_000))).collect();
        let arguments = ["race", &target("a", &slow[0]), &target("b", &slow[1]), "--warmup=0", "--grace=0s"];
        let pty = Pty::spawn(&desk, &arguments, 80, 24);
        pty.wait_for("generating");
        pty.keys(key);
        pty.wait_for("run kept in");
        assert_eq!(pty.end(), Life::Ended(130), "{key:?}");
        pty.check_sane();
        assert_eq!(latest(&desk).manifest.status, schema::manifest::Status::Interrupted);
    }
}
