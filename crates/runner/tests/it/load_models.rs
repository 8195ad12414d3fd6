//! Every kind of load, end to end: what it offers arrives, once each.

use std::sync::Arc;

use schema::plan::{Arrival, Load, PromptSource, Stage as LoadStage, Stop as Enough, WhenFull};
use schema::progress::Progress;
use schema::record::{Outcome, Record};
use schema::units::Nanos;
use sim::Pace;
use workload::{Trace, TraceEntry};

use crate::stage::{Stage, engine};

fn seconds(seconds: f64) -> Nanos {
    Nanos::from_secs_f64(seconds)
}

fn stages(levels: &[(f64, f64)]) -> Vec<LoadStage> {
    let stage = |&(from, to): &(f64, f64)| LoadStage { name: String::new(), from, to, length_ns: seconds(0.3) };
    levels.iter().map(stage).collect()
}

/// The records of a run of `load`, all of which must have completed.
#[track_caller]
fn run(load: Load, enough: Enough, trace: Option<Trace>) -> Vec<Record> {
    let sim = engine(Pace::AT_ONCE);
    let mut stage = Stage::new(&[&sim], load, enough);
    stage.trace = trace.map(Arc::new);
    let records = stage.run().unwrap().records("a");
    assert!(records.iter().all(|record| record.outcome.is_complete()), "{:?}", records.first());
    assert!(records.iter().zip(0..).all(|(record, index)| record.index == index), "each number once");
    records
}

#[test]
fn a_rate_that_changes_stage_by_stage_is_one_schedule() {
    let load = Load::RateStages {
        stages: stages(&[(0.0, 200.0), (200.0, 200.0)]),
        arrival: Arrival::Constant,
        max_concurrency: 100,
        when_full: WhenFull::NotSent,
    };
    let records = run(load, Enough::DurationNs(seconds(0.6)), None);
    // 30 in the ramp, 60 after it.
    assert!((88..=91).contains(&records.len()), "{}", records.len());
    let gap = |at: usize| records[at + 1].scheduled_ns - records[at].scheduled_ns;
    assert!(gap(1) > gap(80));
}

#[test]
fn streams_come_and_go_stage_by_stage() {
    let load = Load::StreamStages { stages: stages(&[(1.0, 1.0), (6.0, 6.0)]) };
    let records = run(load, Enough::DurationNs(seconds(0.6)), None);
    let begin = records[0].scheduled_ns;
    let second_stage = begin + seconds(0.3);
    let early = records.iter().filter(|record| record.end_ns.unwrap() < second_stage);
    let mut last_end = begin;
    for record in early {
        assert!(record.start_ns.unwrap() >= last_end, "one stream has one request at a time");
        last_end = record.end_ns.unwrap();
    }
    assert!(records.iter().any(|record| record.scheduled_ns >= second_stage));
}

#[test]
fn users_think_between_their_requests() {
    let load = Load::Users {
        users: 4,
        think: "100ms".parse().unwrap(),
        session_requests: 2,
        session_pause: "200ms".parse().unwrap(),
        arrive_over_ns: Nanos::ZERO,
    };
    let records = run(load, Enough::Requests(12), None);
    assert_eq!(records.len(), 12);
    let first = records[0].scheduled_ns;
    // Thought over, then a pause: the third request of a user comes after both.
    assert!(records[4].scheduled_ns - first >= seconds(0.1));
    assert!(records[8].scheduled_ns - first >= seconds(0.3));
}

#[test]
fn a_crowd_is_due_at_one_instant_wave_by_wave() {
    let load = Load::Crowd { users: 20, waves: 2, every_ns: seconds(0.2) };
    let records = run(load, Enough::Requests(40), None);
    let waves: Vec<_> = records.chunks(20).collect();
    for wave in &waves {
        assert!(wave.iter().all(|record| record.scheduled_ns == wave[0].scheduled_ns));
    }
    assert_eq!(waves[1][0].scheduled_ns - waves[0][0].scheduled_ns, seconds(0.2));
}

#[test]
fn a_trace_is_replayed_at_its_own_times_divided_by_the_speed() {
    let at = [0.0, 0.01, 0.3, 0.31, 0.5];
    let entries = at.map(|at| TraceEntry { at: seconds(at), ..TraceEntry::default() });
    let trace = Trace::from_arrivals("a test", entries.to_vec()).unwrap();
    let load =
        Load::Replay { trace: "trace.csv".into(), speed: 2.0, max_concurrency: 10, when_full: WhenFull::NotSent };
    let records = run(load, Enough::Requests(5), Some(trace));
    let offsets: Vec<_> = records.iter().map(|record| record.scheduled_ns - records[0].scheduled_ns).collect();
    assert_eq!(offsets, at.map(|at| seconds(at / 2.0)));
}

/// Load threads share the places of an open loop. Every other request never ends: on two threads, all of one, which has
/// more of them than half of the places.
#[test]
fn no_request_waits_for_a_place_while_another_thread_has_some_to_spare() {
    let sim = engine(Pace::Fixed { ttft: Nanos::ZERO, itl: Nanos::from_secs(3600) });
    let entry = |number: u64| TraceEntry {
        at: Nanos::from_millis(number),
        input_tokens: Some(8),
        output_tokens: Some(if number.is_multiple_of(2) { 2 } else { 1 }),
        ..TraceEntry::default()
    };
    let trace = Trace::from_arrivals("a test", (0..800).map(entry).collect()).unwrap();
    let load = Load::Replay { trace: "trace.csv".into(), speed: 1.0, max_concurrency: 700, when_full: WhenFull::Wait };
    let mut stage = Stage::new(&[&sim], load, Enough::Requests(800));
    stage.plan.workload.prompts = PromptSource::Trace;
    stage.trace = Some(Arc::new(trace));
    let (stop, mut over, mut pulses) = (stage.stop.clone(), 0, 0);
    let ran = stage.run_watched(move |progress| match progress {
        Progress::Recorded(_) => over += 1,
        Progress::Pulse { in_flight, .. } => {
            pulses += 1;
            // Only those that never end are left, or it takes far longer than that.
            if (over, in_flight[0]) == (400, 400) || pulses == 200 {
                stop.waiting();
            }
        }
        _ => {}
    });
    let records = ran.unwrap().records("a");
    let count = |outcome: fn(&Outcome) -> bool| records.iter().filter(|record| outcome(&record.outcome)).count();
    assert_eq!((count(Outcome::is_complete), count(|outcome| *outcome == Outcome::Cancelled)), (400, 400));
    assert_eq!(records.iter().filter(|record| record.start_ns.is_none()).count(), 0, "waited in vain");
}
