use schema::plan::{Arrival, Pause, PromptSource, Size, Stage, WhenFull, Workload};
use schema::record::{FinishReason, Outcome, Record};
use schema::target::Target;
use schema::units::Rate;

use super::*;

pub(crate) fn plan(targets: &[&str], load: Load, stop: Stop) -> Plan {
    let target = |name: &&str| Target {
        simulated: true,
        ..Target::plain(
            name.parse().unwrap(),
            "openai-compatible",
            "m",
            "http://127.0.0.1:1/v1/chat/completions".parse().unwrap(),
        )
    };
    Plan {
        grace_ns: Nanos::from_secs(5),
        blocks: 4,
        seed: 7,
        out: "results".into(),
        ..Plan::plain(
            "test",
            targets.iter().map(target).collect(),
            Workload::plain(PromptSource::BuiltIn(Size::Short), 8),
            load,
            stop,
        )
    }
}

pub(crate) fn record() -> Record {
    Record {
        max_tokens: 8,
        status: Some(200),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent("a".parse().unwrap(), 0, Moment(0))
    }
}

fn closed(concurrency: u32) -> Load {
    Load::Closed { concurrency }
}

fn turns(plan: &Plan) -> Vec<Turn> {
    super::turns(plan, &Arc::from([]))
}

fn numbers(turn: &Turn) -> Vec<u64> {
    match &turn.share {
        Share::Closed(indexes) => std::iter::from_fn(|| indexes.take()).collect(),
        Share::Open(indexes) => indexes.clone().collect(),
    }
}

#[test]
fn every_target_takes_one_turn_in_every_block_and_sends_every_number_once() {
    let plan = plan(&["a", "b", "c"], closed(2), Stop::Requests(10));
    let turns = turns(&plan);
    assert_eq!(turns.len(), 12);
    for block in 0..4 {
        let mut targets: Vec<_> = turns.iter().filter(|t| t.block == block).map(|t| t.target).collect();
        targets.sort_unstable();
        assert_eq!(targets, [0, 1, 2], "block {block}");
    }
    for target in 0..3 {
        let all: Vec<_> = turns.iter().filter(|t| t.target == target).flat_map(numbers).collect();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn warm_up_comes_first_and_is_numbered_apart() {
    let mut plan = plan(&["a", "b"], closed(3), Stop::Requests(4));
    plan.warmup = 2;
    let turns = turns(&plan);
    assert!(turns[..2].iter().all(|t| t.phase == Phase::Warmup && numbers(t) == [0, 1]));
    assert!(turns[2..].iter().all(|t| t.phase == Phase::Measured));
    assert!(turns[0].load == closed(2));
}

#[test]
fn an_open_loop_by_time_offers_as_many_slots_as_fit_whatever_the_blocks() {
    let rate = Rate::per_second(10.0).unwrap();
    let load =
        Load::Open { rate_per_s: rate, arrival: Arrival::Constant, max_concurrency: 5, when_full: WhenFull::NotSent };
    let plan = plan(&["a"], load, Stop::DurationNs(Nanos::from_secs(8)));
    let turns = turns(&plan);
    let sizes: Vec<_> = turns.iter().map(|t| numbers(t).len()).collect();
    assert_eq!(sizes, [20, 20, 20, 20]);
    assert_eq!(numbers(&turns[1])[0], 20);
}

#[test]
fn a_closed_loop_by_time_divides_the_time() {
    let plan = plan(&["a"], closed(1), Stop::DurationNs(Nanos::from_secs(8)));
    assert!(turns(&plan).iter().all(|t| t.length == Some(Nanos::from_secs(2))));
}

#[test]
fn an_open_loop_by_time_ends_by_time_too() {
    let rate = Rate::per_second(10.0).unwrap();
    let load =
        Load::Open { rate_per_s: rate, arrival: Arrival::Constant, max_concurrency: 5, when_full: WhenFull::NotSent };
    let plan = plan(&["a"], load, Stop::DurationNs(Nanos::from_secs(8)));
    assert!(turns(&plan).iter().all(|t| t.length == Some(Nanos::from_secs(2))));
}

#[test]
fn a_block_in_which_nothing_arrives_does_not_empty_those_after_it() {
    let rate = Rate::per_second(0.5).unwrap();
    let load =
        Load::Open { rate_per_s: rate, arrival: Arrival::Poisson, max_concurrency: 5, when_full: WhenFull::NotSent };
    let mut plan = plan(&["a"], load, Stop::DurationNs(Nanos::from_secs(1000)));
    plan.blocks = 1000;
    let offered: usize = turns(&plan).iter().map(|t| numbers(t).len()).sum();
    assert!((400..600).contains(&offered), "{offered} of about 500");
}

fn rate_stages() -> Load {
    let stage = |from, to| Stage { name: String::new(), from, to, length_ns: Nanos::from_secs(10) };
    Load::RateStages {
        stages: vec![stage(0.0, 20.0), stage(20.0, 20.0)],
        arrival: Arrival::Constant,
        max_concurrency: 50,
        when_full: WhenFull::NotSent,
    }
}

#[test]
fn a_load_with_a_shape_of_its_own_is_not_cut_into_blocks() {
    let plan = plan(&["a", "b"], rate_stages(), Stop::DurationNs(Nanos::from_secs(20)));
    let turns = turns(&plan);
    assert_eq!(turns.len(), 2);
    // 10/s on average, then 20/s.
    assert!(turns.iter().all(|t| (298..=301).contains(&numbers(t).len())), "{}", numbers(&turns[0]).len());
}

#[test]
fn waves_of_a_crowd_are_counted_beforehand() {
    let load = Load::Crowd { users: 5, waves: 3, every_ns: Nanos::from_secs(1) };
    let turns = turns(&plan(&["a"], load, Stop::Requests(15)));
    assert_eq!((turns.len(), numbers(&turns[0]).len(), turns[0].length), (1, 15, None));
}

#[track_caller]
fn check_ahead(load: Load, offsets: &[Nanos], expected: u32) {
    let plan = plan(&["a"], load, Stop::DurationNs(Nanos::from_secs(20)));
    assert_eq!(turns(&plan)[0].connections_ahead(offsets), expected);
}

#[test]
fn connections_are_opened_ahead_for_what_begins_at_once() {
    check_ahead(closed(700), &[], 700);
    check_ahead(rate_stages(), &[], 20);
    check_ahead(Load::Crowd { users: 400, waves: 2, every_ns: Nanos::from_secs(1) }, &[], 400);
    let pause: Pause = "1s".parse().unwrap();
    let users =
        Load::Users { users: 9, think: pause, session_requests: 2, session_pause: pause, arrive_over_ns: Nanos::ZERO };
    check_ahead(users, &[], 9);
    let replay =
        Load::Replay { trace: "trace.csv".into(), speed: 2.0, max_concurrency: 30, when_full: WhenFull::NotSent };
    let offsets: Vec<_> = (0..41).map(|second| Nanos(second * 250_000_000)).collect();
    check_ahead(replay, &offsets, 9);
}
