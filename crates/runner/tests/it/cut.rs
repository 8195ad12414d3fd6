//! A step that its target cannot keep up with is ended early.

use schema::plan::{Arrival, Axis, Load, Search, Stop as Enough, WhenFull};
use schema::units::{Nanos, Rate};
use sim::Pace;

use crate::stage::{Stage, engine};

#[test]
fn a_step_beyond_the_capacity_is_cut_short_and_the_next_finds_no_backlog() {
    // 2 at once, 40 ms each: 50 requests per second and no more.
    let sim = engine(Pace::Servers { servers: 2, service: Nanos::from_millis(40), spread: 0.0 });
    let load = Load::Open {
        rate_per_s: Rate::per_second(1.0).unwrap(),
        arrival: Arrival::Constant,
        max_concurrency: 5_000,
        when_full: WhenFull::NotSent,
    };
    let mut stage = Stage::new(&[&sim], load, Enough::DurationNs(Nanos::from_secs(20)));
    stage.plan.slos = vec!["ttft_p50<10s".parse().unwrap()];
    stage.plan.search =
        Some(Search::FindMax { axis: Axis::Rate, first: 150.0, highest: Some(150.0), tolerance: 0.1, trials: 1 });
    let ran = stage.run().unwrap();
    let step = &ran.steps("a")[0];
    assert!(step.cut_short.is_some());
    assert!(step.ended_ns - step.began_ns < Nanos::from_secs(20));
    assert!(sim.wait_idle(std::time::Duration::from_secs(10)));
    let records = ran.records("a");
    assert!(records.iter().any(|record| record.outcome == schema::record::Outcome::Cancelled));
    let answer = ran.finished.summary.curves[0].answer.as_ref().unwrap();
    assert_eq!((answer.low, answer.high), (None, Some(150.0)), "{:?}", ran.finished.summary.quality);
}
