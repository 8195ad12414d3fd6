use schema::plan::{Axis, Load, Precision, Search, Slo, Stop};
use schema::record::{FinishReason, Outcome, Phase, Record};

use super::*;
use crate::turns::tests::{plan, record};
use crate::turns::{Rung, Share};

fn requests(count: u64) -> Stop {
    Stop::Requests(count)
}

fn agenda(plan: &Arc<Plan>) -> Agenda {
    Agenda::new(plan, &Arc::from([]), 1000, None)
}

fn all(_: usize) -> bool {
    true
}

/// The next turn, which begins alone.
fn next(agenda: &mut Agenda, wanted: impl Fn(usize) -> bool) -> Option<Turn> {
    let mut turns = agenda.next(wanted);
    assert!(turns.len() <= 1, "targets take turns");
    turns.pop()
}

/// The records of a turn: each of its requests took `ttft` to its first and only content.
fn records(plan: &Plan, turn: &Turn, numbers: std::ops::Range<u64>, ttft: impl Fn(u64) -> u64) -> Seen {
    let one = |index: u64| {
        let start = Moment(index * 1_000_000);
        let mut record: Record = record();
        record.target = plan.targets[turn.target].name.clone();
        record.index = index;
        record.phase = turn.phase;
        record.block = turn.block;
        record.step = turn.step.map_or(0, |rung| rung.number);
        record.scheduled_ns = start;
        record.start_ns = Some(start);
        record.end_ns = Some(start + Nanos::from_millis(ttft(index)));
        record.events = schema::event::Events::from(vec![schema::event::Event {
            arrival: start + Nanos::from_millis(ttft(index)),
            lag_ns: 0,
            bytes: 1,
            tokens: 1,
            kind: schema::event::EventKind::Text,
            stamp: schema::event::Stamp::Kernel,
            shared_read: false,
        }]);
        record.outcome = Outcome::Complete { finish: FinishReason::Stop };
        Arc::new(record)
    };
    Seen { records: numbers.map(one).collect(), saturated: None }
}

const SPAN: Span = Span { began: Moment(5_000), whole: true, broken_off: false };

fn find_max(targets: &[&str], stop: Stop) -> Arc<Plan> {
    let mut plan = plan(targets, Load::Closed { concurrency: 1 }, stop);
    plan.search =
        Some(Search::FindMax { axis: Axis::Concurrency, first: 1.0, highest: Some(64.0), tolerance: 0.1, trials: 9 });
    plan.slos = vec!["ttft_p50<100ms".parse::<Slo>().unwrap()];
    Arc::new(plan)
}

fn level(turn: &Turn) -> (u32, f64) {
    let Rung { number, level, .. } = turn.step.unwrap();
    (number, level)
}

/// The numbers of a closed turn's first requests.
fn first_numbers(turn: &Turn, count: usize) -> Vec<u64> {
    let Share::Closed(indexes) = &turn.share else { panic!("a closed turn") };
    std::iter::from_fn(|| indexes.take()).take(count).collect()
}

#[test]
fn what_is_listed_is_done_whatever_is_seen_but_not_at_targets_that_were_dropped() {
    let mut plan = plan(&["a", "b"], Load::Closed { concurrency: 2 }, requests(8));
    plan.warmup = 1;
    let mut agenda = agenda(&Arc::new(plan));
    assert!(!agenda.learns());
    let turns: Vec<_> = std::iter::from_fn(|| next(&mut agenda, |target| target == 0)).collect();
    assert_eq!(turns.len(), 5);
    assert!(turns.iter().all(|turn| turn.target == 0));
}

#[test]
fn side_by_side_the_turns_of_a_block_begin_together_without_those_of_dropped_targets() {
    let mut plan = plan(&["a", "b", "c"], Load::Closed { concurrency: 2 }, requests(8));
    (plan.warmup, plan.blocks, plan.side_by_side) = (1, 3, true);
    let mut agenda = agenda(&Arc::new(plan));
    let mut told = |wanted: fn(usize) -> bool| {
        let turns = agenda.next(wanted);
        let mut targets: Vec<_> = turns.iter().map(|turn| turn.target).collect();
        targets.sort_unstable();
        let blocks: Vec<_> = turns.iter().map(|turn| (turn.phase, turn.block)).collect();
        assert!(blocks.iter().all(|block| *block == blocks[0]), "{blocks:?}");
        (blocks.first().copied(), targets)
    };
    assert_eq!(told(|_| true), (Some((Phase::Warmup, 0)), vec![0, 1, 2]));
    assert_eq!(told(|_| true), (Some((Phase::Measured, 0)), vec![0, 1, 2]));
    assert_eq!(told(|target| target != 1), (Some((Phase::Measured, 1)), vec![0, 2]));
    assert_eq!(told(|target| target == 1), (Some((Phase::Measured, 2)), vec![1]));
    assert_eq!(told(|_| true), (None, vec![]));
}

#[test]
fn each_target_has_a_search_of_its_own_and_they_take_turns() {
    let plan = find_max(&["fast", "slow"], requests(40));
    let mut agenda = agenda(&plan);
    let mut levels = [Vec::new(), Vec::new()];
    let mut turns = Vec::new();
    while let Some(turn) = next(&mut agenda, all) {
        // The fast target meets the SLO up to 8 streams, the slow one up to 2.
        let most = [8.0, 2.0][turn.target];
        let ttft = if level(&turn).1 <= most { 50 } else { 150 };
        let first = first_numbers(&turn, 1)[0];
        levels[turn.target].push(level(&turn).1);
        turns.push(turn.target);
        let seen = records(&plan, &turn, first..first + 40, |_| ttft);
        let step = agenda.take_in(&turn, SPAN, seen).unwrap();
        assert_eq!((step.number, step.level, step.began_ns), (level(&turn).0, level(&turn).1, SPAN.began));
    }
    assert_eq!(levels[0], [1.0, 2.0, 4.0, 8.0, 16.0, 11.0, 9.0, 8.0, 9.0]);
    assert_eq!(levels[1], [1.0, 2.0, 4.0, 3.0, 2.0, 3.0]);
    assert_ne!(turns[0], turns[1], "the first round holds both");
    let notes = agenda.notes(&plan);
    assert!(
        notes[1].contains("`slow`: the search ended after 6 steps: the answer is as narrow as asked for"),
        "{notes:?}"
    );
}

#[test]
fn requests_go_on_counting_from_step_to_step_and_a_repeated_step_is_longer() {
    let plan = find_max(&["a"], requests(40));
    let mut agenda = agenda(&plan);
    let turn = next(&mut agenda, all).unwrap();
    assert_eq!(first_numbers(&turn, 100), (0..40).collect::<Vec<_>>());
    // Half of them slow: undecided.
    agenda.take_in(&turn, SPAN, records(&plan, &turn, 0..40, |index| 50 + 100 * (index % 2))).unwrap();
    let higher = next(&mut agenda, all).unwrap();
    assert_eq!(level(&higher), (1, 2.0));
    agenda.take_in(&higher, SPAN, records(&plan, &higher, 40..80, |_| 150)).unwrap();
    let again = next(&mut agenda, all).unwrap();
    assert_eq!(level(&again), (2, 1.0));
    assert_eq!(first_numbers(&again, 200), (80..160).collect::<Vec<_>>());
}

#[test]
fn a_target_that_is_dropped_is_searched_no_further_and_the_others_are() {
    let plan = find_max(&["a", "b"], requests(40));
    let mut agenda = agenda(&plan);
    for _ in 0..3 {
        let turn = next(&mut agenda, |target| target == 1).unwrap();
        assert_eq!(turn.target, 1);
        let first = first_numbers(&turn, 1)[0];
        agenda.take_in(&turn, SPAN, records(&plan, &turn, first..first + 40, |_| 50)).unwrap();
    }
}

#[test]
fn a_step_that_was_cut_short_says_why_and_the_next_waits_until_its_backlog_is_gone() {
    let mut plan = Arc::unwrap_or_clone(find_max(&["a"], Stop::DurationNs(Nanos::from_secs(4))));
    let rate = |highest| Search::FindMax { axis: Axis::Rate, first: 10.0, highest, tolerance: 0.1, trials: 9 };
    plan.search = Some(rate(None));
    let plan = Arc::new(plan);
    let mut agenda = agenda(&plan);
    let turn = next(&mut agenda, all).unwrap();
    assert!(turn.may_be_cut_short() && turn.settle == Nanos::ZERO);
    assert!(matches!(&turn.share, Share::Open(numbers) if numbers.start == 0));
    let seen = records(&plan, &turn, 0..20, |_| 50);
    let cut = Seen { saturated: Some("TTFT grows".into()), ..seen };
    let step = agenda.take_in(&turn, Span { whole: false, ..SPAN }, cut).unwrap();
    assert_eq!((step.cut_short.as_deref(), step.ended_ns), (Some("TTFT grows"), Moment(19_000_000)));
    let next = next(&mut agenda, all).unwrap();
    assert_eq!(level(&next), (1, 5.0));
    assert!(next.settle > Nanos::ZERO);
    assert!(matches!(&next.share, Share::Open(numbers) if numbers.start == 20));
}

#[test]
fn a_step_that_is_broken_off_is_not_judged_and_the_search_says_so() {
    let plan = find_max(&["a"], requests(40));
    let mut agenda = agenda(&plan);
    let first = next(&mut agenda, all).unwrap();
    agenda.take_in(&first, SPAN, records(&plan, &first, 0..40, |_| 50)).unwrap();
    let second = next(&mut agenda, all).unwrap();
    // All of what was sent missed.
    let seen = records(&plan, &second, 40..70, |_| 150);
    assert_eq!(agenda.take_in(&second, Span { whole: false, broken_off: true, ..SPAN }, seen), None);
    assert_eq!(agenda.notes(&plan), ["`a`: the search was broken off in step 2, at 2 at once: that is not judged"]);
}

#[test]
fn the_single_stream_of_a_sweep_over_rates_has_the_rate_that_it_came_to() {
    let mut plan = plan(&["a"], Load::Closed { concurrency: 1 }, requests(40));
    plan.search = Some(Search::Sweep { axis: Axis::Rate, points: 3, highest: None });
    let plan = Arc::new(plan);
    let mut agenda = agenda(&plan);
    let single = next(&mut agenda, all).unwrap();
    assert_eq!((single.load.clone(), single.step.unwrap().axis), (Load::Closed { concurrency: 1 }, Axis::Concurrency));
    // 40 requests, one a millisecond, the last 20 ms long; the first third of the step fills the line.
    let step = agenda.take_in(&single, SPAN, records(&plan, &single, 0..40, |_| 20)).unwrap();
    assert!((step.level - 26.0 / 0.045).abs() < 1.0, "{}", step.level);
    assert_eq!(next(&mut agenda, all).unwrap().load, plan.load.at(Axis::Rate, 2311.0).unwrap());
}

fn until_precise(targets: &[&str]) -> Arc<Plan> {
    let mut plan = plan(targets, Load::Closed { concurrency: 1 }, requests(160));
    plan.blocks = 8;
    plan.until = Some("5%".parse::<Precision>().unwrap());
    Arc::new(plan)
}

#[test]
fn a_target_that_is_precise_drops_out_and_the_others_go_on() {
    let plan = until_precise(&["even", "wild"]);
    let mut agenda = agenda(&plan);
    let mut blocks = [0, 0];
    while let Some(turn) = next(&mut agenda, all) {
        blocks[turn.target] += 1;
        let first = first_numbers(&turn, 1)[0];
        let ttft = |index| if turn.target == 0 { 100 + index % 2 } else { 10 + 97 * (index % 7) };
        assert!(agenda.take_in(&turn, SPAN, records(&plan, &turn, first..first + 20, ttft)).is_none());
    }
    assert_eq!(blocks, [2, 8]);
    let notes = agenda.notes(&plan);
    assert_eq!(notes[0], "`even`: ttft_p50 ±0.50 % after 40 requests");
    assert!(notes[1].starts_with("`wild`: ttft_p50 ±"), "{}", notes[1]);
    assert!(notes[1].ends_with(" % after 160 requests, not the ±5.00 % asked for"), "{}", notes[1]);
}

#[test]
fn warming_up_makes_no_figure_precise() {
    let mut plan = Arc::unwrap_or_clone(until_precise(&["a"]));
    plan.warmup = 50;
    let plan = Arc::new(plan);
    let mut agenda = agenda(&plan);
    let warmup = next(&mut agenda, all).unwrap();
    assert_eq!(warmup.phase, Phase::Warmup);
    agenda.take_in(&warmup, SPAN, records(&plan, &warmup, 0..50, |_| 100));
    assert_eq!(agenda.notes(&plan), Vec::<String>::new());
}

fn until_decided() -> Arc<Plan> {
    let mut plan = plan(&["one", "other"], Load::Closed { concurrency: 1 }, requests(400));
    plan.blocks = 40;
    plan.judging.until_decided = vec![schema::comparison::Criterion::TtftP50];
    Arc::new(plan)
}

/// A number that looks like chance (S. Vigna's splitmix64).
const fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How many blocks of ten requests are done when the second target takes so much longer than the first, and what is
/// told of it.
fn blocks_until_decided(longer: u64) -> (u32, Vec<String>) {
    let plan = until_decided();
    let mut agenda = agenda(&plan);
    let (mut blocks, mut told) = (0, Vec::new());
    while let Some(turn) = next(&mut agenda, all) {
        blocks = turn.block + 1;
        let first = first_numbers(&turn, 1)[0];
        // Noise of its own for each target, over a thousand milliseconds.
        let ttft = |index: u64| 1_000 + longer * turn.target as u64 + mixed(2 * index + turn.target as u64) % 1_000;
        assert!(agenda.take_in(&turn, SPAN, records(&plan, &turn, first..first + 10, ttft)).is_none());
        told.extend(agenda.news());
    }
    told.extend(agenda.notes(&plan));
    (blocks, told)
}

#[test]
fn sampling_ends_when_targets_are_told_apart() {
    let (blocks, told) = blocks_until_decided(1_500);
    assert!((3..20).contains(&blocks), "{blocks}");
    assert!(told[0].starts_with("after 1 of 40 blocks: open: `one` against `other` by TTFT p50"), "{told:?}");
    assert_eq!(told.last().unwrap(), &format!("all was decided after {blocks} of 40 blocks"));
}

#[test]
fn sampling_that_decides_nothing_ends_at_its_limit_and_says_what_is_open() {
    let (blocks, told) = blocks_until_decided(60);
    assert_eq!(blocks, 40, "{told:?}");
    assert!(told.last().unwrap().starts_with("not all was decided after 40 blocks: open: `one`"), "{told:?}");
}

#[test]
fn a_target_that_is_left_alone_has_nothing_to_be_decided() {
    let plan = until_decided();
    let mut agenda = agenda(&plan);
    let alone = |target| target == 0;
    let turn = next(&mut agenda, alone).unwrap();
    agenda.take_in(&turn, SPAN, records(&plan, &turn, 0..10, |_| 100));
    assert!(next(&mut agenda, alone).is_none());
}
