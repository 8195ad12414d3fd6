//! Runs that do not reach their end: killed, interrupted once, interrupted twice.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use schema::manifest::Status;
use schema::record::{Outcome, Record};
use sim::{Config, Engine, Pace, Sim, Stepper};
use store::Run;

use crate::command::Desk;
use crate::e2e_run::{latest, measured, prompt_engine, records, slow_engine, start, summary, target, wait_until};

/// A run that goes on in the background; it does not outlive the test.
struct Background(Child);

impl Background {
    fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut command = desk.command(arguments);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.0.id())]).status().unwrap();
        assert!(sent.success());
    }

    fn notes(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.0.stderr.take().unwrap())
    }

    /// Waits for its end: the exit status, and what it printed.
    fn end(mut self) -> (Option<i32>, String) {
        let mut out = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        (self.0.wait().unwrap().code(), out)
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Reads until a line contains `part`.
#[track_caller]
fn read_until(notes: &mut BufReader<ChildStderr>, part: &str) {
    let mut read = String::new();
    while notes.read_line(&mut read).unwrap() > 0 {
        if read.contains(part) {
            return;
        }
    }
    panic!("`{part}` never came: {read}");
}

/// Whether the newest run has the file.
fn has(desk: &Desk, file: &str) -> bool {
    store::find(&desk.path().join("results"), "latest").is_ok_and(|run| run.join(file).exists())
}

/// Whether `file` of a target of the newest run holds anything.
fn holds_something(desk: &Desk, target: &str, file: &str) -> bool {
    let Ok(path) = store::find(&desk.path().join("results"), "latest") else { return false };
    std::fs::metadata(path.join(target).join(file)).is_ok_and(|file| file.len() > 0)
}

#[test]
fn a_run_that_was_killed_opens_with_everything_that_was_on_disk() {
    let quick = start(prompt_engine(Engine::OpenAi));
    let slow = start(slow_engine(Engine::OpenAi, 1, 50));
    let desk = Desk::new();
    let targets = [target("quick", &quick), target("slow", &slow)];
    // The warm-up of all targets comes first, so the quick one has records whatever the order of turns.
    let load = ["--requests=100", "--warmup=2", "--concurrency=2", "--max-tokens=5000", "--no-force-length"];
    let sizes = ["--prompt-file=prompts.jsonl"];
    let desk = desk.with_file("prompts.jsonl", "{\"prompt\": \"Go on forever.\"}\n");
    let run = Background::start(&desk, &[&["benchmark", &targets[0], &targets[1]], &load[..], &sizes].concat());
    wait_until("there are records and parts on disk", || {
        holds_something(&desk, "quick", "requests.jsonl") && holds_something(&desk, "slow", "in-flight.jsonl")
    });
    run.signal("KILL");
    assert_eq!(run.end().0, None);

    let listed = desk.run(&["results", "list", "--output=csv"]);
    assert!(listed.out.contains(",running,"), "{}", listed.out);
    let shown = desk.run(&["results", "show"]);
    assert_eq!(shown.status, Some(0), "{}", shown.all());
    assert!(shown.err.contains("the run has not ended"), "{}", shown.err);
    assert!(shown.err.contains("to `slow` were in flight: kept as far as they had come"), "{}", shown.err);
    assert!(shown.out.contains("quick") && shown.out.contains("slow"), "{}", shown.out);

    let run = latest(&desk);
    assert_eq!(run.manifest.status, Status::Running);
    assert!(records(&run, "quick").iter().all(|record| record.outcome.is_complete()));
    let interrupted = records(&run, "slow");
    assert_eq!(interrupted.len(), 2);
    for record in interrupted {
        assert_eq!(record.outcome, Outcome::Interrupted);
        assert!(record.events.content().count() > 0);
        assert!(record.start_ns.is_some());
    }
}

#[test]
fn a_run_that_was_killed_at_its_beginning_or_at_its_seal_opens() {
    let sim = start(prompt_engine(Engine::OpenAi));
    for (file, least) in [("manifest.json", 0), ("it/requests.parquet", 30), ("summary.csv", 30)] {
        let desk = Desk::new();
        let load = ["--requests=29", "--warmup=1", "--max-tokens=2"];
        let run = Background::start(&desk, &[&["benchmark", &target("it", &sim)], &load[..]].concat());
        wait_until("the file is there", || has(&desk, file));
        run.signal("KILL");
        run.end();
        for command in [&["results", "list"][..], &["results", "show"], &["results", "show", "--output=json"]] {
            let outcome = desk.run(command);
            assert_eq!(outcome.status, Some(0), "killed at {file}: {}", outcome.all());
        }
        let kept = records(&latest(&desk), "it").len();
        assert!(kept >= least, "killed at {file}: {kept} records");
    }
}

#[test]
fn a_server_that_goes_away_fails_its_requests_without_being_run_against() {
    let sim = start(slow_engine(Engine::OpenAi, 5, 0));
    let desk = Desk::new();
    let load = ["--duration=2s", "--blocks=1", "--warmup=0", "--max-tokens=2", "--concurrency=1"];
    let run = Background::start(&desk, &[&["benchmark", &target("it", &sim)], &load[..]].concat());
    wait_until("there are records on disk", || holds_something(&desk, "it", "requests.jsonl"));
    drop(sim);
    assert_eq!(run.end().0, Some(0));
    let run = latest(&desk);
    assert_eq!(run.manifest.status, Status::Complete);
    let summary = summary(&run, "it");
    assert!(summary.completed > 0);
    let failed: u64 = summary.failures.values().sum();
    assert!((1..100).contains(&failed), "{failed} failures");
}

/// Two requests in flight at an engine that gives nothing away by itself.
struct Held {
    desk: Desk,
    sim: Sim,
    stepper: Stepper,
}

impl Held {
    fn new() -> Self {
        let stepper = Stepper::new();
        let sim = start(Config { pace: Pace::Stepped(stepper.clone()), ..Config::new(Engine::OpenAi) });
        Self { desk: Desk::new(), sim, stepper }
    }

    /// Starts a run and waits until its first two requests are with the engine.
    fn run(&self, more: &[&str]) -> Background {
        let it = target("it", &self.sim);
        let load = ["benchmark", &it, "--requests=50", "--concurrency=2", "--warmup=0", "--max-tokens=3"];
        let run = Background::start(&self.desk, &[&load[..], more].concat());
        wait_until("two requests are in flight", || self.sim.running() == 2);
        run
    }

    fn sealed(&self) -> (Run, Vec<Record>) {
        let run = latest(&self.desk);
        assert_eq!(run.manifest.status, Status::Interrupted);
        assert_eq!(run.missing, [""; 0]);
        assert!(store::verify(&run).is_empty());
        let records = measured(&run, "it");
        (run, records)
    }
}

#[test]
fn interrupted_once_a_run_lets_requests_in_flight_finish_and_sends_no_more() {
    let held = Held::new();
    let mut run = held.run(&[]);
    let mut notes = run.notes();
    run.signal("INT");
    read_until(&mut notes, "stopping: requests in flight may finish");
    held.stepper.release_all();
    let (status, out) = run.end();
    assert_eq!(status, Some(130));
    let (run, records) = held.sealed();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.outcome.is_complete()), "{records:?}");
    assert_eq!(summary(&run, "it").completed, 2);
    assert!(out.contains("2 of 2"), "{out}");
    read_until(&mut notes, "interrupted: what was measured until then is kept");
}

#[test]
fn an_interrupted_schedule_ends_at_once() {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let load = ["--rate=50/s", "--arrival=constant", "--duration=10m", "--warmup=0", "--max-tokens=2"];
    let run = Background::start(&desk, &[&["benchmark", &target("it", &sim)], &load[..]].concat());
    wait_until("there are records on disk", || holds_something(&desk, "it", "requests.jsonl"));
    run.signal("INT");
    assert_eq!(run.end().0, Some(130));
    let run = latest(&desk);
    assert_eq!(run.manifest.status, Status::Interrupted);
    let records = measured(&run, "it");
    assert!(records.iter().all(|record| record.outcome.is_complete()), "{records:?}");
    assert_eq!(summary(&run, "it").attempted, records.len() as u64, "what was never due was never attempted");
}

#[test]
fn interrupted_twice_a_run_gives_up_what_is_in_flight_and_is_sealed() {
    let held = Held::new();
    let mut run = held.run(&[]);
    let mut notes = run.notes();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(async { held.stepper.release_token().await && held.stepper.release_token().await }));
    run.signal("INT");
    read_until(&mut notes, "stopping: requests in flight may finish");
    run.signal("INT");
    assert_eq!(run.end().0, Some(130));
    let (run, records) = held.sealed();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record.outcome == Outcome::Cancelled), "{records:?}");
    let arrived: usize = records.iter().map(|record| record.events.content().count()).sum();
    assert_eq!(arrived, 2, "what had arrived is kept");
    assert_eq!(summary(&run, "it").cancelled, 2);
}

#[test]
fn what_does_not_finish_within_the_grace_period_is_cancelled() {
    let held = Held::new();
    let run = held.run(&["--grace=100ms"]);
    run.signal("TERM");
    assert_eq!(run.end().0, Some(130));
    let (_, records) = held.sealed();
    assert!(records.len() == 2 && records.iter().all(|record| record.outcome == Outcome::Cancelled), "{records:?}");
}
