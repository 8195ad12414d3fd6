//! Targets that are measured at the same time.

use std::collections::BTreeMap;

use runner::{Job, Stop};
use schema::manifest::{Found, Said, Status};
use schema::plan::{Arrival, Load, Stop as Enough, WhenFull};
use schema::progress::Progress;
use schema::record::{FailureClass, Outcome, Phase, Record};
use schema::target::TargetName;
use schema::units::{Moment, Nanos, Rate};
use sim::{Config, Fault, FaultPlan, Pace, Sim};

use crate::stage::{Ran, Stage, class, engine, quick};

/// Records by block: whether it counts, and its number.
type Blocks = BTreeMap<(bool, u32), Vec<Record>>;

fn blocks(ran: &Ran<'_>, target: &str) -> Blocks {
    let mut blocks = Blocks::new();
    for record in ran.records(target) {
        blocks.entry((record.phase == Phase::Measured, record.block)).or_default().push(record);
    }
    blocks
}

fn began(records: &[Record]) -> Moment {
    records.iter().map(|record| record.scheduled_ns).min().unwrap()
}

fn ended(records: &[Record]) -> Moment {
    records.iter().filter_map(|record| record.end_ns).max().unwrap()
}

/// A run of `load` at an engine that takes 5 ms and one that takes 30 ms, both at the same time.
fn both(load: Load, enough: Enough, of: impl FnOnce(&mut Stage), check: impl FnOnce(&Ran<'_>)) {
    let (fast, slow) = (engine(servers(5)), engine(servers(30)));
    let mut stage = Stage::new(&[&fast, &slow], load, enough);
    stage.plan.side_by_side = true;
    of(&mut stage);
    check(&stage.run().unwrap());
}

/// Everything at once, after so many milliseconds.
const fn servers(millis: u64) -> Pace {
    Pace::Fixed { ttft: Nanos::from_millis(millis), itl: Nanos::ZERO }
}

fn names(names: &[&str]) -> Vec<TargetName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn a_run_keeps_what_servers_said_and_how_far_away_they_are() {
    let (near, other) = (engine(servers(1)), engine(servers(1)));
    let stage = Stage::new(&[&near, &other], Load::Closed { concurrency: 2 }, Enough::Requests(4));
    let said = Said { name: "context".into(), value: "4096 tokens".into(), source: "/props".into() };
    let told = Found { target: "a".parse().unwrap(), about: vec![said], round_trip_ns: None };
    let job = Job { found: vec![told.clone()], ..stage.job() };
    let finished = runner::run(job, &Stop::new(), |_| {}).unwrap();
    let [a, b] = &store::Run::open(&finished.path).unwrap().manifest.found[..] else { panic!("both were reached") };
    assert_eq!((&a.target, &a.about), (&told.target, &told.about));
    assert_eq!((b.target.as_str(), b.about.len()), ("b", 0));
    assert!([a, b].iter().all(|found| found.round_trip_ns.is_some_and(|it| it > Nanos::ZERO)));
}

#[test]
fn each_block_begins_at_one_instant_on_ready_connections_when_all_have_ended_the_one_before() {
    let of = |stage: &mut Stage| (stage.plan.warmup, stage.plan.blocks) = (2, 3);
    both(Load::Closed { concurrency: 2 }, Enough::Requests(12), of, |ran| {
        let (fast, slow) = (blocks(ran, "a"), blocks(ran, "b"));
        assert_eq!(fast.keys().collect::<Vec<_>>(), slow.keys().collect::<Vec<_>>());
        assert_eq!(fast.len(), 4, "a warm-up and three blocks");
        let mut before = Moment::EPOCH;
        for (of_fast, of_slow) in fast.values().zip(slow.values()) {
            assert_eq!(began(of_fast), began(of_slow));
            assert!(began(of_slow) > before);
            before = ended(of_fast).max(ended(of_slow));
        }
        assert!(fast.values().chain(slow.values()).flatten().all(|record| record.connect.is_none()));
        assert!(ran.notes().iter().any(|note| note.contains("at the same time")), "{:?}", ran.notes());
    });
}

#[test]
fn those_who_watch_are_told_of_every_target_before_a_block_begins() {
    let of = |stage: &mut Stage| (stage.plan.warmup, stage.plan.blocks) = (1, 2);
    both(Load::Closed { concurrency: 1 }, Enough::Requests(4), of, |ran| {
        let told: Vec<_> = ran.told.iter().filter(|progress| !matches!(progress, Progress::Pulse { .. })).collect();
        let parts = told.split(|progress| matches!(progress, Progress::Recorded(_))).filter(|part| !part.is_empty());
        let all = |of: &dyn Fn(&Progress) -> Option<TargetName>, part: &[&Progress]| {
            let mut names: Vec<_> = part.iter().filter_map(|progress| of(progress)).collect();
            names.sort_unstable();
            names
        };
        let blocks = |progress: &Progress| match progress {
            Progress::Block { target, .. } => Some(target.clone()),
            _ => None,
        };
        let warmed = |progress: &Progress| match progress {
            Progress::Warmed { target, .. } => Some(target.clone()),
            _ => None,
        };
        let mut times = 0;
        for part in parts {
            assert_eq!(all(&blocks, part), names(&["a", "b"]), "{part:?}");
            assert_eq!(all(&warmed, part), names(&["a", "b"]), "{part:?}");
            times += 1;
        }
        assert_eq!(times, 3, "a warm-up and two blocks");
        let opened = ran.told.iter().filter_map(|progress| match progress {
            Progress::Warmed { opened, .. } => Some(opened.len()),
            _ => None,
        });
        assert_eq!(opened.take(2).collect::<Vec<_>>(), [1, 1], "before the warm-up");
    });
}

#[test]
fn open_loops_offer_every_target_the_same_arrivals() {
    let load = Load::Open {
        rate_per_s: Rate::per_second(200.0).unwrap(),
        arrival: Arrival::Poisson,
        max_concurrency: 100,
        when_full: WhenFull::NotSent,
    };
    let of = |stage: &mut Stage| stage.plan.blocks = 2;
    both(load, Enough::Requests(40), of, |ran| {
        let due = |target| ran.records(target).iter().map(|record| record.scheduled_ns).collect::<Vec<_>>();
        assert_eq!(due("a"), due("b"));
        assert_eq!(due("a").len(), 40);
    });
}

#[test]
fn a_crowd_comes_to_all_targets_at_once_over_several_threads() {
    let load = Load::Crowd { users: 300, waves: 2, every_ns: Nanos::from_millis(400) };
    both(
        load,
        Enough::Requests(600),
        |_| {},
        |ran| {
            let due = |target| ran.records(target).iter().map(|record| record.scheduled_ns).collect::<Vec<_>>();
            assert_eq!(due("a"), due("b"));
            let complete = |target| ran.records(target).iter().filter(|record| record.outcome.is_complete()).count();
            assert_eq!((complete("a"), complete("b")), (600, 600));
        },
    );
}

#[test]
fn a_run_by_time_takes_that_time_once_for_all_targets() {
    let length = Nanos::from_millis(600);
    let of = |stage: &mut Stage| stage.plan.blocks = 2;
    both(Load::Closed { concurrency: 2 }, Enough::DurationNs(length), of, |ran| {
        let told = ran.told.iter().find_map(|progress| match progress {
            Progress::Began { duration, .. } => Some(*duration),
            _ => None,
        });
        assert_eq!(told, Some(Some(length)));
        for (fast, slow) in blocks(ran, "a").values().zip(blocks(ran, "b").values()) {
            assert_eq!(began(fast), began(slow));
            let last = |records: &[Record]| records.iter().map(|record| record.scheduled_ns).max().unwrap();
            assert!(last(fast).max(last(slow)) - began(fast) < Nanos::from_millis(300));
        }
    });
}

#[test]
fn a_target_that_is_down_is_dropped_with_what_it_has_in_flight_and_the_others_lose_nothing() {
    let faults = [Fault::ServerError, Fault::Stall].map(|fault| FaultPlan { fault, share: 0.5 });
    let down = Sim::start(Config { faults: faults.to_vec(), ..quick() }).unwrap();
    let up = engine(servers(700));
    let mut stage = Stage::closed(&[&down, &up], 8, 16);
    (stage.plan.side_by_side, stage.plan.drop_after, stage.plan.grace_ns) = (true, 2, Nanos::from_millis(20));
    let ran = stage.run().unwrap();
    let down = ran.records("a");
    assert!(down.iter().any(|record| class(record) == Some(FailureClass::ServerError)));
    assert!(down.iter().any(|record| record.outcome == Outcome::Cancelled), "what stood still was given up");
    let given_up: Vec<_> = ran.finished.given_up.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(given_up, ["a"]);
    let up = ran.records("b");
    assert!(up.len() == 16 && up.iter().all(|record| record.outcome.is_complete()));
}

#[test]
fn a_budget_is_one_for_all_targets() {
    let sims = [Sim::start(quick()).unwrap(), Sim::start(quick()).unwrap()];
    let mut stage = Stage::closed(&[&sims[0], &sims[1]], 8, 100_000);
    let price = serde_json::json!({
        "input_per_mtok_usd": 0.0, "output_per_mtok_usd": 1000.0, "as_of": "2026-11-21", "source": "test"
    });
    for target in &mut stage.plan.targets {
        target.price = Some(serde_json::from_value(price.clone()).unwrap());
    }
    // A thousandth of a dollar a token, eight tokens a request.
    (stage.plan.side_by_side, stage.plan.workload.max_tokens) = (true, 8);
    stage.plan.budget_usd = Some("2usd".parse().unwrap());
    let ran = stage.run().unwrap();
    let tokens = |target| ran.records(target).iter().filter_map(|r| r.usage?.output_tokens).sum::<u64>();
    let (one, other) = (tokens("a"), tokens("b"));
    assert!((1_900..=2_000).contains(&(one + other)) && one > 0 && other > 0, "{one} and {other}");
    assert!(ran.notes().iter().any(|note| note.contains("the budget was reached")));
}

#[test]
fn a_run_that_is_interrupted_is_sealed_with_what_all_targets_have() {
    let sims = [engine(servers(20)), engine(servers(20))];
    let mut stage = Stage::closed(&[&sims[0], &sims[1]], 2, 10_000);
    stage.plan.side_by_side = true;
    let (stop, mut left) = (stage.stop.clone(), names(&["a", "b"]));
    let ran = stage.run_watched(move |progress| {
        if let Progress::Recorded(record) = progress {
            left.retain(|target| *target != record.target);
            if left.is_empty() {
                stop.sending();
            }
        }
    });
    let ran = ran.unwrap();
    assert_eq!(ran.finished.manifest.status, Status::Interrupted);
    for target in ["a", "b"] {
        let records = ran.records(target);
        assert!(!records.is_empty() && records.iter().all(|record| record.outcome.is_complete()));
    }
}

#[test]
fn how_many_are_in_flight_is_told_while_requests_go_on() {
    both(
        Load::Closed { concurrency: 3 },
        Enough::DurationNs(Nanos::from_secs(1)),
        |_| {},
        |ran| {
            let pulses = ran.told.iter().filter_map(|progress| match progress {
                Progress::Pulse { at, in_flight } => Some((*at, in_flight.clone())),
                _ => None,
            });
            let pulses: Vec<_> = pulses.collect();
            assert!(pulses.iter().all(|(_, in_flight)| in_flight.len() == 2 && in_flight.iter().all(|n| *n <= 3)));
            assert!(pulses.iter().any(|(_, in_flight)| in_flight[1] == 3), "{pulses:?}");
            assert!(pulses.windows(2).all(|pair| pair[0].0 < pair[1].0));
        },
    );
}
