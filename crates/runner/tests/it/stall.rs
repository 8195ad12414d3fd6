//! A server that stands still for a while, under an open loop: whose latency shows it.

use std::sync::{Arc, OnceLock};

use schema::plan::{Arrival, Load, Stop as Enough, WhenFull};
use schema::progress::Progress;
use schema::record::{Outcome, Record};
use schema::units::{Moment, Rate};
use sim::{Config, Engine, Pace, Sim, Stepper};

use crate::stage::Stage;

const PLACES: usize = 2;

/// Two hundred requests, one every 10 ms, at an engine that stands still until `is_enough` of what is told. The records,
/// and a moment shortly before it went on.
fn records(
    when_full: WhenFull,
    mut is_enough: impl FnMut(&Progress) -> bool + Send + 'static,
) -> (Vec<Record>, Moment) {
    let stepper = Stepper::new();
    let config = Config { pace: Pace::Stepped(stepper.clone()), ..Config::new(Engine::Vllm) };
    let sim = Sim::start(config).unwrap();
    let load = Load::Open {
        rate_per_s: Rate::per_second(100.0).unwrap(),
        arrival: Arrival::Constant,
        max_concurrency: PLACES.try_into().unwrap(),
        when_full,
    };
    let stage = Stage::new(&[&sim], load, Enough::Requests(200));
    let (went_on, mut enough) = (Arc::new(OnceLock::new()), false);
    let going_on = Arc::clone(&went_on);
    let ran = stage.run_watched(move |progress| {
        enough |= is_enough(progress);
        if let Progress::Pulse { at, .. } = progress
            && enough
            && going_on.set(*at).is_ok()
        {
            stepper.release_all();
        }
    });
    let records = ran.unwrap().records("a");
    assert_eq!(records.len(), 200);
    (records, *went_on.get().unwrap())
}

fn first_content(record: &Record) -> Moment {
    record.events.content().next().unwrap().arrival
}

#[test]
fn requests_that_were_due_while_the_server_stood_still_show_it_from_their_schedule_and_nowhere_else() {
    let mut pulses = 0;
    let (records, went_on) = records(WhenFull::Wait, move |progress| {
        let all_taken = matches!(progress, Progress::Pulse { in_flight, .. } if in_flight[0] as usize == PLACES);
        pulses += u32::from(all_taken);
        pulses == 4
    });
    assert!(records.iter().all(|record| record.outcome.is_complete()));
    assert!(records.windows(2).all(|pair| (pair[1].scheduled_ns - pair[0].scheduled_ns).0 == 10_000_000));
    let due: Vec<_> = records.iter().take_while(|record| record.scheduled_ns < went_on).collect();
    // Between four pulses are three fifths of a second.
    assert!(due.len() >= 50, "{}", due.len());
    // From their schedule they waited at least until it went on: all of them.
    assert!(due.iter().all(|record| first_content(record) >= went_on));
    // From their start only those did that were in flight; the others were sent when places became free.
    let in_flight = due.iter().filter(|record| record.start_ns.unwrap() < went_on);
    assert_eq!(in_flight.map(|record| record.index).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn without_waiting_what_finds_no_place_is_recorded_as_not_sent() {
    let is_unsent = |record: &Record| record.outcome == Outcome::NotSent;
    let mut unsent = 0;
    let (records, _) = records(WhenFull::NotSent, move |progress| {
        unsent += u32::from(matches!(progress, Progress::Recorded(record) if is_unsent(record)));
        unsent >= 30
    });
    let not_sent = records.iter().filter(|record| is_unsent(record)).map(|record| record.index);
    assert_eq!(not_sent.take(30).collect::<Vec<_>>(), (2..32).collect::<Vec<_>>(), "all that were due meanwhile");
    assert!(records[..PLACES].iter().all(|record| record.outcome.is_complete()));
}
