//! Searches over levels of load at engines of known capacity.

use schema::plan::{Arrival, Axis, Load, Search, Stop as Enough, WhenFull};
use schema::progress::Progress;
use schema::units::{Nanos, Rate};
use sim::{Engine, EngineModel, Pace};

use crate::stage::{Ran, Stage, engine};

/// So many requests at once are served; more of them are refused, however fast this machine is.
fn places(places: usize) -> Pace {
    Pace::Model(EngineModel { max_batch: places, queue_limit: 0, ..EngineModel::of(Engine::Vllm) })
}

/// Met by whatever is served at all, and alike by all of it, so that no likeness in time makes requests count for less.
const SERVED: &str = "output_tokens_p50>1";

/// Holds the answer for a target against the most streams it has places for. On a busy machine a search may find
/// that the client was the limit before the target was, and then has to say so.
#[track_caller]
fn check_answer(ran: &Ran<'_>, target: &str, most: f64) {
    let curve = ran.finished.summary.curves.iter().find(|curve| curve.target.as_str() == target).unwrap();
    let answer = curve.answer.as_ref().unwrap();
    // With some more streams than places only the fewer half is refused.
    assert!(answer.low.is_none_or(|low| low <= most * 2.0), "{answer:?}");
    assert!(answer.high.is_none_or(|high| high > most), "{answer:?}");
    let is_found = answer.low.is_some() && answer.high.is_some();
    assert!(is_found || answer.why.contains("the client was the limit"), "{answer:?}");
}

#[test]
fn each_target_s_highest_concurrency_is_found_in_steps_that_are_recorded() {
    let (small, large) = (engine(places(2)), engine(places(6)));
    let mut stage = Stage::new(&[&small, &large], Load::Closed { concurrency: 1 }, Enough::Requests(24));
    stage.plan.slos = vec![SERVED.parse().unwrap()];
    stage.plan.search =
        Some(Search::FindMax { axis: Axis::Concurrency, first: 1.0, highest: Some(64.0), tolerance: 0.1, trials: 12 });
    let ran = stage.run().unwrap();
    for (target, most) in [("a", 2.0), ("b", 6.0)] {
        check_answer(&ran, target, most);
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
    let sim = engine(Pace::Servers { servers: 3, service: Nanos::from_millis(12), spread: 0.0 });
    let mut stage = Stage::new(&[&sim], Load::Closed { concurrency: 1 }, Enough::Requests(30));
    stage.plan.search = Some(Search::Sweep { axis: Axis::Concurrency, points: 5, highest: None });
    let ran = stage.run().unwrap();
    let curve = &ran.finished.summary.curves[0];
    // Without certain growth from one stream to four there are but two levels between.
    assert!((4..=5).contains(&curve.points.len()), "{}", curve.points.len());
    assert_eq!(ran.steps("a").iter().map(|step| step.level).take(2).collect::<Vec<_>>(), [1.0, 4.0]);
    let in_flight: Vec<f64> = curve.points.iter().map(|point| point.mean_in_flight).collect();
    assert!(in_flight[0] <= 1.0 && in_flight.is_sorted() && in_flight[3] > 1.5, "{in_flight:?}");
}

#[test]
fn a_search_that_is_interrupted_answers_with_what_it_has() {
    let sim = engine(places(2));
    let mut stage = Stage::new(&[&sim], Load::Closed { concurrency: 1 }, Enough::Requests(40));
    stage.plan.slos = vec![SERVED.parse().unwrap()];
    stage.plan.search =
        Some(Search::FindMax { axis: Axis::Concurrency, first: 1.0, highest: Some(64.0), tolerance: 0.1, trials: 12 });
    // Half of the third step's requests, of which most are refused.
    let (stop, mut of_third) = (stage.stop.clone(), 0);
    let ran = stage.run_watched(move |progress| {
        of_third += u32::from(matches!(progress, Progress::Recorded(record) if record.step == 2));
        if of_third == 20 {
            stop.sending();
        }
    });
    let ran = ran.unwrap();
    assert_eq!(ran.finished.manifest.status, schema::manifest::Status::Interrupted);
    let answer = ran.finished.summary.curves[0].answer.as_ref().unwrap();
    assert_eq!((answer.low, answer.high, answer.steps), (Some(2.0), None, 2));
    assert!(answer.why.contains("; the last step was broken off and is not judged"), "{}", answer.why);
    assert_eq!(ran.steps("a").len(), 2);
    let note = "`a`: the search was broken off in step 3, at 4 at once: that is not judged".to_owned();
    assert!(ran.notes().contains(&note), "{:?}", ran.notes());
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
