//! What becomes of requests that are due, and of those that wait, when somebody wants to stop.

use schema::plan::{Arrival, Load, Stop as Enough, WhenFull};
use schema::progress::Progress;
use schema::record::Outcome;
use schema::units::Rate;
use sim::{Config, Engine, Limits, Pace, Sim, Stepper};

use crate::stage::Stage;

/// Twenty requests that are due at once, at an engine that answers none of them, stopped when they have been.
#[track_caller]
fn check(places: u32, limits: Limits, respect_limits: bool) {
    let config = Config { pace: Pace::Stepped(Stepper::new()), limits, ..Config::new(Engine::Vllm) };
    let sim = Sim::start(config).unwrap();
    let load = Load::Open {
        rate_per_s: Rate::per_second(1_000.0).unwrap(),
        arrival: Arrival::Constant,
        max_concurrency: places,
        when_full: WhenFull::Wait,
    };
    let mut stage = Stage::new(&[&sim], load, Enough::Requests(20));
    stage.plan.respect_limits = respect_limits;
    let (stop, mut pulses) = (stage.stop.clone(), 0);
    let ran = stage.run_watched(move |progress| {
        if matches!(progress, Progress::Pulse { in_flight, .. } if in_flight[0] > 0) {
            // Pulses are further from each other than the first request from the last.
            pulses += 1;
            if pulses == 2 {
                stop.waiting();
            }
        }
    });
    let records = ran.unwrap().records("a");
    let outcomes: Vec<_> = records.iter().map(|record| &record.outcome).collect();
    assert_eq!(outcomes, [&Outcome::Cancelled; 20]);
    let sent = records.iter().filter(|record| record.start_ns.is_some()).count();
    assert!((1..20).contains(&sent), "{sent} were under way and the others waited");
}

#[test]
fn those_who_wait_for_a_place_are_cancelled() {
    check(3, Limits::default(), false);
}

#[test]
fn those_who_wait_for_limits_are_cancelled_alike() {
    check(30, Limits { requests: Some("5/min".parse().unwrap()), tokens: None }, true);
}
