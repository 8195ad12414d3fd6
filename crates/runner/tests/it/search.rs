//! Searches over levels of load at engines of known capacity.

use schema::plan::{Arrival, Axis, Load, Search, Stop as Enough, WhenFull};
use schema::progress::Progress;
use schema::units::{Nanos, Rate};
use sim::Pace;

use crate::stage::{Ran, Stage, engine};

/// So many requests at once are served in 12 ms each; more of them wait.
fn servers(servers: u32) -> Pace {
    Pace::Servers { servers, service: Nanos::from_millis(12), spread: 0.0 }
}

/// The interval of the answer for a target, in streams.
fn interval(ran: &Ran<'_>, target: &str) -> (f64, f64) {
    let curve = ran.finished.summary.curves.iter().find(|curve| curve.target.as_str() == target).unwrap();
    let answer = curve.answer.as_ref().unwrap();
    (answer.low.unwrap(), answer.high.unwrap())
}

#[test]
fn each_target_s_highest_concurrency_is_found_in_steps_that_are_recorded() {
    let (small, large) = (engine(servers(2)), engine(servers(6)));
    let mut stage = Stage::new(&[&small, &large], Load::Closed { concurrency: 1 }, Enough::Requests(24));
    // Whoever waits for another's service takes twice as long: two thirds more than one service is in between.
    stage.plan.slos = vec!["e2e_p50<20ms".parse().unwrap()];
    stage.plan.search =
        Some(Search::FindMax { axis: Axis::Concurrency, first: 1.0, highest: Some(64.0), tolerance: 0.1, trials: 12 });
    let ran = stage.run().unwrap();
    for (target, most) in [("a", 2.0), ("b", 6.0)] {
        let (low, high) = interval(&ran, target);
        // With some more streams than servers only the fewer half waits.
        assert!(low <= most * 2.0 && high > most, "{target}: {low} to {high}");
        let steps = ran.steps(target);
        assert!(steps.iter().zip(0..).all(|(step, number)| step.number == number));
        assert_eq!(steps.iter().map(|step| step.level).take(2).collect::<Vec<_>>(), [1.0, 2.0]);
        let records = ran.records(target);
        assert!(records.iter().zip(0..).all(|(record, index)| record.index == index), "numbers go on over steps");
        for step in &steps {
            let own = records.iter().filter(|record| record.step == step.number);
            assert!(own.clone().count() >= 24);
            assert!(own.clone().all(|record| record.scheduled_ns >= step.began_ns));
            assert!(own.clone().all(|record| record.scheduled_ns <= step.ended_ns));
        }
    }
    let told = ran.told.iter().filter(|progress| matches!(progress, Progress::Step { .. })).count();
    assert_eq!(told, ran.steps("a").len() + ran.steps("b").len());
}

#[test]
fn a_sweep_gives_a_curve_from_a_single_stream_on() {
    let sim = engine(servers(3));
    let mut stage = Stage::new(&[&sim], Load::Closed { concurrency: 1 }, Enough::Requests(30));
    stage.plan.search = Some(Search::Sweep { axis: Axis::Concurrency, points: 5, highest: None });
    let ran = stage.run().unwrap();
    let curve = &ran.finished.summary.curves[0];
    assert_eq!(curve.points.len(), 5);
    assert_eq!(ran.steps("a").iter().map(|step| step.level).take(2).collect::<Vec<_>>(), [1.0, 4.0]);
    let rate = |at: usize| curve.points[at].requests_per_s.value;
    assert!(rate(4) > 1.5 * rate(0), "{} of one stream, {} of many", rate(0), rate(4));
}

#[test]
fn a_search_that_is_interrupted_answers_with_what_it_has() {
    let sim = engine(servers(2));
    let mut stage = Stage::new(&[&sim], Load::Closed { concurrency: 1 }, Enough::Requests(40));
    stage.plan.slos = vec!["e2e_p50<20ms".parse().unwrap()];
    stage.plan.search =
        Some(Search::FindMax { axis: Axis::Concurrency, first: 1.0, highest: Some(64.0), tolerance: 0.1, trials: 12 });
    let stop = stage.stop.clone();
    let ran = stage.run_watched(move |progress| {
        if matches!(progress, Progress::Step { step: 2, .. }) {
            stop.sending();
        }
    });
    let ran = ran.unwrap();
    assert_eq!(ran.finished.manifest.status, schema::manifest::Status::Interrupted);
    let answer = ran.finished.summary.curves[0].answer.as_ref().unwrap();
    assert_eq!((answer.low, answer.high), (Some(2.0), None));
}

/// The highest rate is just below what the engine can complete at all: close to it queues become long. Arrivals are
/// even, as a step of five seconds at random ones would offer some percent more or less than its level says.
#[test]
#[ignore = "takes minutes"]
fn the_highest_rate_is_found_at_an_engine_of_known_capacity_ten_times_of_ten() {
    const CAPACITY: f64 = 100.0;
    let (mut narrow, mut found) = (0, Vec::new());
    for seed in 0..10 {
        let sim = engine(Pace::Servers { servers: 4, service: Nanos::from_millis(40), spread: 0.3 });
        let load = Load::Open {
            rate_per_s: Rate::per_second(1.0).unwrap(),
            arrival: Arrival::Constant,
            max_concurrency: 400,
            when_full: WhenFull::NotSent,
        };
        let mut stage = Stage::new(&[&sim], load, Enough::DurationNs(Nanos::from_secs(5)));
        stage.plan.seed = seed;
        stage.plan.slos = vec!["ttft_p95<300ms".parse().unwrap()];
        stage.plan.search =
            Some(Search::FindMax { axis: Axis::Rate, first: 25.0, highest: None, tolerance: 0.1, trials: 15 });
        let ran = stage.run().unwrap();
        let answer = ran.finished.summary.curves[0].answer.as_ref().unwrap();
        found.push(format!("seed {seed}: {answer:?}, {:?}", ran.finished.manifest.notes));
        assert!(answer.low.is_none_or(|low| low < CAPACITY), "{found:#?}");
        assert!(answer.high.is_none_or(|high| high > 0.92 * CAPACITY), "{found:#?}");
        narrow += u32::from(answer.low.zip(answer.high).is_some_and(|(low, high)| high < 1.25 * low));
    }
    assert!(narrow >= 8, "{narrow} of ten are narrow: {found:#?}");
}
