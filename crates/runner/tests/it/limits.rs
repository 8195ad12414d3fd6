use schema::progress::Progress;
use schema::record::FailureClass;
use sim::{Config, Engine, Limits, Pace, Sim, Stepper};

use crate::stage::{Stage, class, quick};

/// Requests, eight at once, to a server with these limits.
fn stage(limits: Limits, requests: u64) -> (Sim, Stage) {
    let sim = Sim::start(Config { limits, ..quick() }).unwrap();
    let stage = Stage::closed(&[&sim], 8, requests);
    (sim, stage)
}

fn twenty_requests() -> Limits {
    Limits { requests: Some("20/s".parse().unwrap()), tokens: None }
}

#[test]
fn limits_that_are_not_respected_are_met() {
    let (_sim, stage) = stage(twenty_requests(), 50);
    let ran = stage.run().unwrap();
    let limited = ran.records("a").iter().filter(|r| class(r) == Some(FailureClass::RateLimited)).count();
    assert!(limited > 5, "{limited}");
    assert!(!ran.notes().iter().any(|note| note.contains("paced")));
}

#[test]
fn limits_that_are_respected_are_never_met_and_the_waits_are_told() {
    let (_sim, mut stage) = stage(twenty_requests(), 50);
    stage.plan.respect_limits = true;
    let ran = stage.run().unwrap();
    let records = ran.records("a");
    assert!(records.len() == 50 && records.iter().all(|record| record.outcome.is_complete()));
    let told = ran.notes().iter().find(|note| note.contains("paced")).unwrap();
    assert!(told.starts_with("`a`: paced ") && told.contains("(20 requests a window)"), "{told}");
}

#[test]
fn a_limit_of_tokens_is_respected_as_one_of_requests_is() {
    // A prompt of about fifty tokens may be 150 by the estimate.
    let (_sim, mut stage) = stage(Limits { requests: None, tokens: Some("2000/s".parse().unwrap()) }, 40);
    stage.plan.respect_limits = true;
    let ran = stage.run().unwrap();
    assert!(ran.records("a").iter().all(|record| record.outcome.is_complete()));
    assert!(ran.notes().iter().any(|note| note.contains("(2000 tokens a window)")), "{:?}", ran.notes());
}

#[test]
fn the_first_request_holds_the_others_only_until_the_head_of_its_answer_is_there() {
    let stepper = Stepper::new();
    let limits = Limits { requests: Some("1000/s".parse().unwrap()), tokens: None };
    let config = Config { limits, pace: Pace::Stepped(stepper.clone()), ..Config::new(Engine::Vllm) };
    let sim = Sim::start(config).unwrap();
    let mut stage = Stage::closed(&[&sim], 4, 4);
    stage.plan.respect_limits = true;
    // No answer comes to its end until all four are under way, or after far longer than that takes.
    let mut pulses = 0;
    let ran = stage.run_watched(move |progress| {
        if let Progress::Pulse { in_flight, .. } = progress {
            pulses += 1;
            if in_flight[0] == 4 || pulses == 50 {
                stepper.release_all();
            }
        }
    });
    let ran = ran.unwrap();
    let records = ran.records("a");
    assert!(records.iter().all(|record| record.outcome.is_complete()));
    let last_start = records.iter().filter_map(|record| record.start_ns).max();
    let first_end = records.iter().filter_map(|record| record.end_ns).min();
    assert!(last_start < first_end, "all four were under way at once");
}
