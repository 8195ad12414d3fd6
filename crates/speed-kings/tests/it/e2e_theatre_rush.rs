//! A crowd at each target, and what it makes of what one alone gets.

use schema::manifest::Status;
use schema::plan::Load;
use schema::record::{Phase, Record};
use serde_json::Value;
use sim::Engine;
use store::Run;

use crate::command::Desk;
use crate::e2e_bounds::dear;
use crate::e2e_run::{is_plain, latest, measured, slow_engine, start, target};
use crate::pty::{ENTER, Life, Pty};

const SMALL: [&str; 5] = ["rush", "--mock=vllm,tgi", "--crowd-size=5", "--duration=500ms", "--max-tokens=6"];

/// A small rush, so often alone before.
fn rush<'a>(alone: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    SMALL.iter().copied().chain(["--alone", alone]).chain(more.iter().copied()).collect()
}

/// The runs of the desk: of one alone, and of the crowd.
fn runs(desk: &Desk) -> (Run, Run) {
    let folders = std::fs::read_dir(desk.path().join("results")).unwrap().map(|entry| entry.unwrap().path());
    let mut runs: Vec<Run> = folders.filter(|path| path.is_dir()).map(|path| Run::open(&path).unwrap()).collect();
    runs.sort_by_key(|run| run.manifest.plan.name.clone());
    let crowd = runs.remove(0);
    (runs.remove(0), crowd)
}

fn span(records: &[Record]) -> (u64, u64) {
    let begins = records.iter().filter_map(|record| record.start_ns).min().unwrap();
    let ends = records.iter().filter_map(|record| record.end_ns).max().unwrap();
    (begins.0, ends.0)
}

#[test]
fn a_crowd_is_measured_after_one_alone_and_both_are_kept() {
    let desk = Desk::new();
    let outcome = desk.run(&rush("6", &["--plain", "--output=json"]));
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(is_plain(&outcome.out) && is_plain(&outcome.err), "{}", outcome.all());
    for said in ["first, one user alone", "the crowd at each target: 5 users at once", "vllm-sim (SIMULATED)"] {
        assert!(outcome.err.contains(said), "{}", outcome.all());
    }

    let told: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!(told["crowd"]["targets"].as_array().unwrap().len(), 2);
    assert_eq!(told["alone"]["targets"][0]["completed"], 6);
    let changes = told["degradation"].as_array().unwrap();
    let ttft = |target: &str| {
        let own = |row: &&Value| row["target"] == target && row["figure"] == "ttft_p50_ns";
        changes.iter().find(own).unwrap_or_else(|| panic!("{changes:?}"))
    };
    for target in ["vllm-sim", "tgi-sim"] {
        let row = ttft(target);
        let ratio = row["crowd"].as_f64().unwrap() / row["alone"].as_f64().unwrap();
        assert!((row["times"].as_f64().unwrap() / ratio - 1.0).abs() < 1e-9, "{row}");
        assert_eq!(row["simulated"], true);
    }

    let (alone, crowd) = runs(&desk);
    for run in [&alone, &crowd] {
        assert_eq!(run.manifest.status, Status::Complete);
        assert!(store::verify(run).is_empty() && run.manifest.plan.side_by_side);
    }
    assert_eq!(alone.manifest.plan.name, "rush-alone");
    assert_eq!(alone.manifest.tags, crowd.manifest.tags);
    assert!(crowd.manifest.notes.iter().any(|note| note.contains("test_rush-alone_")), "{:?}", crowd.manifest.notes);
    assert!(crowd.manifest.checksums.contains_key("degradation.csv"));
    assert!(matches!(crowd.manifest.plan.load, Load::Users { users: 5, .. }));
    assert_eq!((alone.manifest.plan.warmup, crowd.manifest.plan.warmup), (1, 0));
    let spans = ["vllm-sim", "tgi-sim"].map(|name| span(&measured(&crowd, name)));
    assert!(spans[0].0 < spans[1].1 && spans[1].0 < spans[0].1, "at the same time: {spans:?}");
}

#[test]
fn back_to_back_one_follows_the_other() {
    let desk = Desk::new();
    let outcome = desk.run(&rush("0", &["--back-to-back"]));
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(!outcome.out.contains("One user alone"), "{}", outcome.out);
    let run = latest(&desk);
    let [(a_begins, a_ends), (b_begins, b_ends)] = ["vllm-sim", "tgi-sim"].map(|name| span(&measured(&run, name)));
    assert!(a_ends <= b_begins || b_ends <= a_begins, "one after the other");
}

#[test]
fn every_form_tells_what_the_crowd_made_of_it() {
    #[track_caller]
    fn check(form: &str, expected: &[&str]) {
        let outcome = Desk::new().run(&rush("6", &["--output", form]));
        assert_eq!(outcome.status, Some(0), "{}", outcome.all());
        for text in expected {
            assert!(outcome.out.contains(text), "{form}: {}", outcome.out);
        }
    }
    check("table", &["rush  SIMULATED\n", "\nOne user alone, and one of the crowd\n", "Crowd ÷ alone"]);
    check("markdown", &["# One user alone, and one of the crowd", "| vllm-sim SIMULATED | TTFT p50 |"]);
    check("csv", &["target,simulated,figure,alone,alone_low", "\nvllm-sim,true,ttft_p50_ns,"]);
}

#[test]
fn waves_come_as_often_as_asked() {
    let desk = Desk::new();
    let outcome = desk.run(&rush("0", &["--waves=3", "--wave-every=100ms"]));
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    assert!(matches!(run.manifest.plan.load, Load::Crowd { users: 5, waves: 3, .. }));
    for name in ["vllm-sim", "tgi-sim"] {
        assert_eq!(measured(&run, name).iter().filter(|record| record.phase == Phase::Measured).count(), 15);
    }
}

#[test]
fn what_a_crowd_settles_itself_is_refused() {
    let outcome = Desk::new().run(&rush("6", &["--concurrency=9"]));
    assert_eq!(outcome.status, Some(2));
    assert!(outcome.err.contains("`rush` has no use for `--concurrency`"), "{}", outcome.err);
}

#[test]
fn a_crowd_that_cannot_be_paid_for_any_more_is_not_let_in() {
    let desk = dear();
    let asked = ["rush", "--providers=groq", "--model=tiny", "--prices=prices.json", "--prompt=Say something."];
    let outcome = desk.run(&[&asked[..], &["--max-tokens=10", "--alone=50", "--budget=20cents"]].concat());
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("the crowd was not let in"), "{}", outcome.all());
    assert!(outcome.err.contains("of the budget"), "{}", outcome.all());
    let run = latest(&desk);
    assert_eq!((run.manifest.status, run.manifest.plan.name.as_str()), (Status::Complete, "rush-alone"));
    assert_eq!(std::fs::read_dir(desk.path().join("results")).unwrap().count(), 1, "no empty run of a crowd");
}

#[test]
fn on_a_terminal_it_is_watched_to_its_end() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &rush("6", &[]), 100, 30);
    pty.wait_for("first, one user alone");
    pty.wait_for("the crowd:");
    pty.wait_for("generating");
    pty.wait_for("over: this is what the crowd made of it");
    let seen = pty.screen();
    for text in ["A vllm-sim SIMULATED", "B tgi-sim SIMULATED", "5 finished", "f f f f f", "TTFT p50", "tokens/s each"]
    {
        assert!(seen.contains(text), "{text}:\n{seen}");
    }
    pty.keys(ENTER);
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
    assert!(pty.screen().contains("one user alone kept in"), "{}", pty.screen());
}

#[test]
fn stopped_while_the_crowd_is_in_it_is_kept_as_interrupted() {
    let desk = Desk::new();
    let sim = start(slow_engine(Engine::OpenAi, 1, 20));
    let target = target("slow", &sim);
    let arguments = ["rush", &target, "--crowd-size=4", "--alone=0", "--max-tokens=100000", "--duration=1h"];
    let pty = Pty::spawn(&desk, &arguments, 80, 24);
    pty.wait_for("4 generating");
    pty.keys("q");
    pty.wait_for("stopping: requests in flight may finish");
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    let run = latest(&desk);
    assert_eq!((run.manifest.status, measured(&run, "slow").len()), (Status::Interrupted, 4));
}

#[test]
fn stopped_before_the_crowd_its_figures_are_not_taken_for_the_crowds() {
    let desk = Desk::new();
    let sim = start(slow_engine(Engine::OpenAi, 1, 20));
    let target = target("slow", &sim);
    let arguments = ["rush", &target, "--crowd-size=4", "--alone=9", "--max-tokens=100000", "--duration=1h"];
    let pty = Pty::spawn(&desk, &arguments, 80, 24);
    pty.wait_for("1 generating");
    pty.keys("q");
    pty.wait_for("stopping: requests in flight may finish");
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    let screen = pty.screen().replace(['\r', '\n'], " ");
    assert!(screen.contains("stopped before the crowd was let in"), "{screen}");
    let run = latest(&desk);
    assert_eq!((run.manifest.status, run.manifest.plan.name.as_str()), (Status::Interrupted, "rush-alone"));
}
