use std::collections::BTreeMap;

use schema::plan::Retry;
use schema::record::{FailureClass, Record};
use schema::units::Nanos;
use sim::{Config, Fault, FaultPlan, Sim};

use crate::stage::{Stage, class, quick};

const RETRY: Retry = Retry { attempts: 3, first_ns: Nanos::from_millis(300), most_ns: Nanos::from_millis(600) };

/// The attempts at each of 24 requests, half of which meet `fault`.
fn attempts(fault: Fault, retry: Option<Retry>) -> BTreeMap<u64, Vec<Record>> {
    let sim = Sim::start(Config { faults: vec![FaultPlan { fault, share: 0.5 }], ..quick() }).unwrap();
    let mut stage = Stage::closed(&[&sim], 24, 24);
    stage.plan.retry = retry;
    let mut attempts = BTreeMap::<_, Vec<_>>::new();
    for record in stage.run().unwrap().records("a") {
        attempts.entry(record.index).or_default().push(record);
    }
    attempts
}

#[test]
fn each_attempt_is_a_record_and_there_is_one_more_after_each_that_may_pass() {
    let attempts = attempts(Fault::ServerError, Some(RETRY));
    assert_eq!(attempts.keys().copied().collect::<Vec<_>>(), (0..24).collect::<Vec<_>>());
    let mut retried = 0;
    for attempts in attempts.values() {
        let numbers: Vec<_> = attempts.iter().map(|record| record.attempt).collect();
        assert_eq!(numbers, (0..u32::try_from(attempts.len()).unwrap()).collect::<Vec<_>>());
        let (last, before) = attempts.split_last().unwrap();
        assert!(before.iter().all(|record| class(record) == Some(FailureClass::ServerError)));
        assert!(last.outcome.is_complete() || last.attempt == RETRY.attempts);
        retried += before.len();
    }
    assert!(retried >= 4, "{retried}");
}

#[test]
fn back_off_is_in_no_latency_but_that_from_schedule() {
    let attempts = attempts(Fault::Overloaded, Some(RETRY));
    let pairs = attempts.values().flat_map(|attempts| attempts.windows(2));
    let mut seen = 0;
    for pair in pairs {
        let (ended, start, end) = (pair[0].end_ns.unwrap(), pair[1].start_ns.unwrap(), pair[1].end_ns.unwrap());
        assert!(start.since(ended) >= Nanos(RETRY.first_ns.0 / 2), "waits at least the half that is not random");
        assert!(end.since(start) < start.since(ended), "{end:?} after {start:?}, after {ended:?}");
        assert_eq!(pair[0].scheduled_ns, pair[1].scheduled_ns, "the request was due once");
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn nothing_is_sent_again_unless_the_plan_says_so() {
    assert!(attempts(Fault::ServerError, None).values().all(|attempts| attempts.len() == 1));
}

#[test]
fn nothing_is_sent_again_once_content_has_come() {
    let attempts = attempts(Fault::Truncate, Some(RETRY));
    let failed = attempts.values().filter(|attempts| !attempts[0].outcome.is_complete()).count();
    assert!(failed >= 4 && attempts.values().all(|attempts| attempts.len() == 1));
}

#[test]
fn a_server_that_asks_for_more_patience_than_the_plan_has_is_not_asked_again() {
    // The simulated engine says two seconds.
    let attempts = attempts(Fault::RateLimit, Some(RETRY));
    let limited = attempts.values().filter(|attempts| class(&attempts[0]) == Some(FailureClass::RateLimited)).count();
    assert!(limited >= 4 && attempts.values().all(|attempts| attempts.len() == 1));
}
