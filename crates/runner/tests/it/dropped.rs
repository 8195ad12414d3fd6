use schema::plan::Retry;
use schema::record::FailureClass;
use schema::units::Nanos;
use sim::{Config, Fault, Sim};

use crate::stage::{Stage, class, quick};

/// An engine whose every answer is this fault.
fn broken(fault: Fault) -> Sim {
    Sim::start(Config { faults: vec![fault.into()], ..quick() }).unwrap()
}

#[test]
fn a_target_that_is_down_is_dropped_and_the_others_go_on() {
    let (down, up) = (broken(Fault::ServerError), Sim::start(quick()).unwrap());
    let mut stage = Stage::closed(&[&down, &up], 2, 40);
    (stage.plan.drop_after, stage.plan.blocks) = (5, 4);
    let ran = stage.run().unwrap();
    let tried = ran.records("a").len();
    assert!((5..=6).contains(&tried), "{tried}: one more may have been in flight");
    let up = ran.records("b");
    assert!(up.len() == 40 && up.iter().all(|record| record.outcome.is_complete()));
    let given_up: Vec<_> = ran.finished.given_up.iter().map(|(name, why)| (name.as_str(), why.class)).collect();
    assert_eq!(given_up, [("a", FailureClass::ServerError)]);
    let told: Vec<_> = ran.notes().iter().filter(|note| note.contains("dropped")).collect();
    assert!(told.len() == 1 && told[0].starts_with("`a` was dropped after 5 failures in a row"), "{told:?}");
}

#[test]
fn a_target_that_throttles_or_has_no_room_is_not_down() {
    for fault in [Fault::RateLimit, Fault::Overloaded] {
        let sim = broken(fault);
        let mut stage = Stage::closed(&[&sim], 2, 6);
        stage.plan.drop_after = 2;
        let ran = stage.run().unwrap();
        assert_eq!(ran.records("a").len(), 6);
        assert!(ran.finished.given_up.is_empty());
    }
}

#[test]
fn a_target_that_is_dropped_ends_its_waits() {
    let sim = broken(Fault::ServerError);
    let mut stage = Stage::closed(&[&sim], 4, 100);
    stage.plan.drop_after = 4;
    // Without the drop the attempts would take for ever.
    stage.plan.retry =
        Some(Retry { attempts: 1000, first_ns: Nanos::from_secs(3600), most_ns: Nanos::from_secs(7200) });
    let records = stage.run().unwrap().records("a");
    assert!(records.len() == 4 && records.iter().all(|record| class(record) == Some(FailureClass::ServerError)));
}
