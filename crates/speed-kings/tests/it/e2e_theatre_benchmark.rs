//! The live view of a benchmark.

use schema::manifest::Status;
use sim::Engine;

use crate::command::Desk;
use crate::e2e_run::{latest, measured, slow_engine, start, target};
use crate::pty::{Life, Pty};

/// What takes the terminal's other page.
const OTHER_PAGE: &[u8] = b"\x1b[?1049h";

fn takes_the_screen(pty: &Pty) -> bool {
    pty.sent().windows(OTHER_PAGE.len()).any(|bytes| bytes == OTHER_PAGE)
}

#[test]
fn a_benchmark_is_watched_and_ends_by_itself() {
    let desk = Desk::new();
    let arguments =
        ["benchmark", "--mock=vllm,tgi", "--requests=16", "--blocks=2", "--concurrency=4", "--max-tokens=40"];
    let pty = Pty::spawn(&desk, &arguments, 120, 40);
    pty.wait_for("4 at once asked");
    pty.wait_for("in flight");
    pty.wait_for("client lag p99");
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
    assert!(takes_the_screen(&pty));
    assert!(pty.screen().contains("run kept in"), "{}", pty.screen());
    let run = latest(&desk);
    assert_eq!(run.manifest.status, Status::Complete);
    assert!(["vllm-sim", "tgi-sim"].iter().all(|name| measured(&run, name).len() == 16));
}

#[test]
fn calibrating_is_watched_too() {
    let desk = Desk::new();
    let arguments = ["benchmark", "--mock=vllm", "--duration=1s", "--max-tokens=4", "--calibrate"];
    let pty = Pty::spawn(&desk, &arguments, 120, 40);
    pty.wait_for("calibrating, 1 of 2");
    pty.wait_for("calibrating, 2 of 2");
    assert_eq!(pty.end(), Life::Ended(0));
    assert!(latest(&desk).manifest.calibration.is_some());
}

#[test]
fn a_search_shows_its_steps() {
    let desk = Desk::new();
    let arguments = ["benchmark", "--mock=vllm", "--sweep=concurrency", "--steps=3", "--step=1s", "--max-tokens=8"];
    let pty = Pty::spawn(&desk, &arguments, 120, 40);
    pty.wait_for("Steps of the search");
    pty.wait_for("step 2");
    assert_eq!(pty.end(), Life::Ended(0));
}

#[test]
fn without_a_screen_there_is_a_bar_or_there_are_sentences() {
    #[track_caller]
    fn check(flag: &str, expected: &str) {
        let arguments = ["benchmark", "--mock=vllm", "--requests=4", "--max-tokens=4", flag];
        let desk = Desk::new();
        let pty = Pty::spawn(&desk, &arguments, 120, 40);
        assert_eq!(pty.end(), Life::Ended(0));
        assert!(!takes_the_screen(&pty), "{flag}");
        let sent = String::from_utf8_lossy(&pty.sent()).into_owned();
        assert!(sent.contains(expected), "{flag}: {sent}");
    }
    check("--no-tui", "ETA");
    check("--plain", "vllm-sim (SIMULATED): 1 at once asked, 4 done");
}

#[test]
fn stopped_from_the_screen_it_is_kept() {
    let desk = Desk::new();
    let sim = start(slow_engine(Engine::OpenAi, 1, 20));
    let target = target("slow", &sim);
    let pty = Pty::spawn(&desk, &["benchmark", &target, "--max-tokens=100000", "--warmup=0", "--requests=9"], 80, 24);
    pty.wait_for("1 in flight");
    pty.resize(40, 10);
    pty.keys("q");
    pty.wait_for("stopping: requests in flight");
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    assert_eq!(latest(&desk).manifest.status, Status::Interrupted);
}
