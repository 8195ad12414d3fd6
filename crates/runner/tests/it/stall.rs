//! A server that stands still for a while, under an open loop: whose latency shows it.

use schema::plan::{Arrival, Load, Stop as Enough, WhenFull};
use schema::record::Record;
use schema::units::{Nanos, Rate};
use sim::{Config, Engine, Pace, Sim, Stall};

use crate::stage::Stage;

const STALL: Nanos = Nanos::from_millis(800);

fn ttft(record: &Record) -> Nanos {
    record.events.content().next().unwrap().arrival - record.start_ns.unwrap()
}

fn ttft_from_schedule(record: &Record) -> Nanos {
    record.events.content().next().unwrap().arrival - record.scheduled_ns
}

/// Two hundred requests over two seconds at an engine that stands still from 600 ms on.
fn records(places: u32, when_full: WhenFull) -> Vec<Record> {
    let stall = Stall { after: Nanos::from_millis(600), length: STALL };
    let config = Config { pace: Pace::AT_ONCE, stall: Some(stall), ..Config::new(Engine::Vllm) };
    let sim = Sim::start(config).unwrap();
    let rate_per_s = Rate::per_second(100.0).unwrap();
    let load = Load::Open { rate_per_s, arrival: Arrival::Constant, max_concurrency: places, when_full };
    let stage = Stage::new(&[&sim], load, Enough::Requests(200));
    let records = stage.run().unwrap().records("a");
    assert_eq!(records.len(), 200);
    records
}

#[test]
fn requests_that_were_due_while_the_server_stood_still_show_it_from_their_schedule_and_nowhere_else() {
    let records = records(2, WhenFull::Wait);
    assert!(records.iter().all(|record| record.outcome.is_complete()));
    // A request that was due in the first half of the stall waited for at least the other half.
    let half = Nanos(STALL.0 / 2);
    let late: Vec<_> = records.iter().filter(|record| ttft_from_schedule(record) > half).collect();
    assert!(late.len() >= 35, "{} of about 40", late.len());
    assert!(late.windows(2).all(|pair| pair[0].index + 1 == pair[1].index), "every one of them, and no other");
    // Only those two that were in flight when it began were sent before it.
    let shown = records.iter().filter(|record| ttft(record) > half).count();
    assert!(shown <= 2, "{shown} requests show the stall in their plain TTFT");
}

#[test]
fn without_waiting_what_finds_no_place_is_recorded_as_not_sent() {
    let records = records(2, WhenFull::NotSent);
    let not_sent = records.iter().filter(|record| record.outcome == schema::record::Outcome::NotSent);
    let not_sent: Vec<_> = not_sent.map(|record| record.index).collect();
    assert!((70..=82).contains(&not_sent.len()), "{} of about 78", not_sent.len());
    assert!(not_sent.windows(2).all(|pair| pair[0] + 1 == pair[1]), "those due in the stall");
}
