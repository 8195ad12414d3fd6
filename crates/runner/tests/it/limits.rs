use schema::plan::Plan;
use schema::record::FailureClass;
use sim::{Config, Limits};

use crate::stage::{Done, class, plan, quick, run, start, target};

/// Fifty requests, eight at once, to a server that allows twenty a second.
fn fifty(respect_limits: bool) -> Done {
    let limits = Limits { requests: Some("20/s".parse().unwrap()), tokens: None };
    let sim = start(Config { limits, ..quick() });
    run(Plan { respect_limits, ..plan(vec![target("a", &sim.url())], 8, 50) })
}

#[test]
fn limits_that_are_not_respected_are_met() {
    let done = fifty(false);
    let limited = done.records("a").iter().filter(|r| class(r) == Some(FailureClass::RateLimited)).count();
    assert!(limited > 5, "{limited}");
    assert!(!done.notes().iter().any(|note| note.contains("paced")));
}

#[test]
fn limits_that_are_respected_are_never_met_and_the_waits_are_told() {
    let done = fifty(true);
    let records = done.records("a");
    assert!(records.len() == 50 && records.iter().all(|record| record.outcome.is_complete()));
    let told = done.notes().iter().find(|note| note.contains("paced")).unwrap();
    assert!(told.starts_with("`a`: paced ") && told.contains("(20 requests a window)"), "{told}");
}

#[test]
fn a_limit_of_tokens_is_respected_as_one_of_requests_is() {
    // A prompt of about fifty tokens may be 150 by the estimate.
    let limits = Limits { requests: None, tokens: Some("2000/s".parse().unwrap()) };
    let sim = start(Config { limits, ..quick() });
    let done = run(Plan { respect_limits: true, ..plan(vec![target("a", &sim.url())], 8, 40) });
    assert!(done.records("a").iter().all(|record| record.outcome.is_complete()));
    assert!(done.notes().iter().any(|note| note.contains("(2000 tokens a window)")), "{:?}", done.notes());
}
