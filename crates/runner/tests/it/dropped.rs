use schema::plan::{Plan, Retry};
use schema::record::FailureClass;
use schema::units::Nanos;
use sim::{Config, Fault};

use crate::stage::{class, plan, quick, run, start, target};

#[test]
fn a_target_that_is_down_is_dropped_and_the_others_go_on() {
    let (down, up) = (start(Config { faults: vec![Fault::Overloaded.into()], ..quick() }), start(quick()));
    let targets = vec![target("down", &down.url()), target("up", &up.url())];
    let done = run(Plan { drop_after: 5, blocks: 4, ..plan(targets, 2, 40) });
    let tried = done.records("down").len();
    assert!((5..=6).contains(&tried), "{tried}: one more may have been in flight");
    let up = done.records("up");
    assert!(up.len() == 40 && up.iter().all(|record| record.outcome.is_complete()));
    let given_up: Vec<_> = done.finished.given_up.iter().map(|(name, why)| (name.as_str(), why.class)).collect();
    assert_eq!(given_up, [("down", FailureClass::Overloaded)]);
    let told: Vec<_> = done.notes().iter().filter(|note| note.contains("dropped")).collect();
    assert!(told.len() == 1 && told[0].starts_with("`down` was dropped after 5 failures in a row"), "{told:?}");
}

#[test]
fn a_target_that_throttles_is_not_down() {
    let sim = start(Config { faults: vec![Fault::RateLimit.into()], ..quick() });
    let done = run(Plan { drop_after: 2, ..plan(vec![target("a", &sim.url())], 2, 6) });
    assert_eq!(done.records("a").len(), 6);
    assert!(done.finished.given_up.is_empty());
}

#[test]
fn a_target_that_is_dropped_ends_its_waits() {
    let sim = start(Config { faults: vec![Fault::ServerError.into()], ..quick() });
    // Without the drop the attempts would take for ever.
    let retry = Retry { attempts: 1000, first_ns: Nanos::from_secs(3600), most_ns: Nanos::from_secs(7200) };
    let done = run(Plan { drop_after: 4, retry: Some(retry), ..plan(vec![target("a", &sim.url())], 4, 100) });
    let records = done.records("a");
    assert!(records.len() == 4 && records.iter().all(|record| class(record) == Some(FailureClass::ServerError)));
}
