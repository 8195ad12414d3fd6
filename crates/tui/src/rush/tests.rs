use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::event::EventKind;
use schema::plan::{Load, Pause, Plan};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{FailureClass, Outcome, Phase, Record};
use schema::summary::Estimate;
use schema::units::Nanos;
use stats::{ChangedFigure, ChangedValue};

use super::crowd::Doing;
use super::*;
use crate::live::script::{answered, block, drawn, failed, ms, name, plan, recorded, wobble};
use crate::testing::{SIZES, target};

#[track_caller]
fn check(name: &str, rush: &mut Rush, at: u64) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), drawn(rush, at, size));
    }
}

fn users(users: u32) -> Load {
    Load::Users {
        users,
        think: Pause::NONE,
        session_requests: u32::MAX,
        session_pause: Pause::NONE,
        arrive_over_ns: Nanos::ZERO,
    }
}

const NAMES: [&str; 3] = ["vllm-simulated", "llamacpp", "groq"];

fn plan_of(targets: usize, load: Load) -> Plan {
    let targets = NAMES[..targets].iter().map(|name| target(name, *name == "vllm-simulated")).collect();
    Plan { side_by_side: true, warmup: 1, ..plan(targets, load) }
}

fn moved(target: &str, index: u64, stream: u32, at: u64, stage: Stage) -> Progress {
    let ticket = Ticket { target: name(target), phase: Phase::Measured, block: 0, index, attempt: 0, stream };
    Progress::Moved { ticket, at: ms(at), stage }
}

const HEARD: Stage = Stage::Heard { kind: EventKind::Text, tokens: 1, text: None };

fn tell(rush: &mut Rush, told: impl IntoIterator<Item = Progress>) {
    told.into_iter().for_each(|progress| rush.fold(&progress));
}

fn begin(rush: &mut Rush, targets: usize, requests: Option<u64>) {
    let duration = requests.is_none().then_some(Nanos::from_secs(10));
    tell(rush, [Progress::Began { requests, duration }, Progress::Pulse { at: ms(0), in_flight: vec![0; targets] }]);
    tell(rush, NAMES[..targets].iter().map(|name| block(name, Phase::Measured, 0)));
}

/// One user alone has asked ten times.
fn alone(rush: &mut Rush, targets: usize) {
    begin(rush, targets, Some(10 * targets as u64));
    for (place, target) in (0u64..).zip(&NAMES[..targets]) {
        for index in 0..10 {
            let start = index * 700;
            tell(rush, [moved(target, index, 0, start, Stage::Sent), moved(target, index, 0, start + 50, HEARD)]);
            tell(rush, [recorded(answered(target, index, start, (40 + 12 * place + index % 4, 10, 64)))]);
        }
    }
}

/// The crowd for so many milliseconds: `batch` are answered at a time, the others wait their turn.
fn crowd(rush: &mut Rush, targets: usize, size: u32, until: u64) {
    for (place, target) in (0u64..).zip(&NAMES[..targets]) {
        let batch = u64::from(size) / (2 + place);
        let mut index = u64::from(size);
        for user in 0..size {
            tell(rush, [moved(target, user.into(), user, 0, Stage::Sent)]);
        }
        let mut queue: Vec<(u64, u32, u64)> = (0..size).map(|user| (user.into(), user, 0)).collect();
        let mut now = 0;
        while now + 900 < until {
            let served: Vec<_> = queue.drain(..usize::try_from(batch).unwrap().min(queue.len())).collect();
            for (number, user, asked) in served {
                let ttft = now - asked + 60 + wobble(number + 31 * place);
                tell(rush, [moved(target, number, user, asked + ttft, HEARD)]);
                let lost = number % 37 == 11;
                let record = if lost {
                    failed(target, number, asked, FailureClass::Overloaded)
                } else {
                    answered(target, number, asked, (ttft, 10, 64))
                };
                tell(rush, [recorded(record)]);
                tell(rush, [moved(target, index, user, now + 850, Stage::Sent)]);
                queue.push((index, user, now + 850));
                index += 1;
            }
            now += 900;
            let in_flight = vec![size; targets];
            tell(rush, [Progress::Pulse { at: ms(now - 400), in_flight: in_flight.clone() }]);
            tell(rush, [Progress::Pulse { at: ms(now), in_flight }]);
        }
        for (number, user, _) in queue.drain(..usize::try_from(batch / 2).unwrap()) {
            tell(rush, [moved(target, number, user, now, HEARD)]);
        }
    }
}

fn changes(targets: usize) -> Vec<Change> {
    let known = |value: f64| ChangedValue::Known(Estimate { value, low: Some(value * 0.9), high: Some(value * 1.1) });
    let one = |target: &str| {
        let change = |figure, alone, crowd: f64, times: Option<f64>| Change {
            target: name(target),
            simulated: target == "vllm-simulated",
            figure,
            alone,
            crowd: known(crowd),
            times: times.map(|value| Estimate { value, low: Some(value * 0.8), high: Some(value * 1.25) }),
        };
        [
            change(ChangedFigure::TtftP50Ns, known(42e6), 921e6, Some(21.9)),
            change(ChangedFigure::TtftP95Ns, ChangedValue::TooFew(62), 1_410e6, None),
            change(ChangedFigure::OutputSpeedP50, known(98.2), 61.0, Some(0.62)),
            change(ChangedFigure::OutputTokensPerS, known(95.0), 1_830.0, Some(19.3)),
            change(ChangedFigure::SuccessRate, known(1.0), 0.97, None),
        ]
    };
    NAMES[..targets].iter().flat_map(|target| one(target)).collect()
}

fn under_way(targets: usize, size: u32) -> Rush {
    let mut rush = Rush::new(&plan_of(targets, users(1)), size, true);
    alone(&mut rush, targets);
    rush.let_in(&plan_of(targets, users(size)));
    begin(&mut rush, targets, None);
    crowd(&mut rush, targets, size, 6_000);
    rush
}

#[test]
fn one_user_alone_comes_first() {
    let mut rush = Rush::new(&plan_of(2, users(1)), 50, true);
    alone(&mut rush, 2);
    tell(&mut rush, [moved("llamacpp", 10, 0, 7_000, Stage::Sent)]);
    check("alone", &mut rush, 7_100);
}

#[test]
fn a_crowd_at_one_target() {
    check("one", &mut under_way(1, 100), 6_100);
}

#[test]
fn a_crowd_at_each_of_two_targets() {
    check("two", &mut under_way(2, 50), 6_100);
}

#[test]
fn a_crowd_at_each_of_three_targets() {
    check("three", &mut under_way(3, 50), 6_100);
}

#[test]
fn a_crowd_larger_than_the_screen() {
    check("large", &mut under_way(2, 3_000), 6_100);
}

#[test]
fn it_is_over() {
    let mut rush = under_way(2, 50);
    rush.conclude(changes(2));
    check("over", &mut rush, 12_000);
}

#[test]
fn back_to_back_the_next_is_to_come() {
    let plan = Plan { side_by_side: false, ..plan_of(2, users(8)) };
    let mut rush = Rush::new(&plan, 8, false);
    tell(&mut rush, [Progress::Began { requests: None, duration: Some(Nanos::from_secs(20)) }]);
    tell(&mut rush, [Progress::Pulse { at: ms(0), in_flight: vec![0, 0] }, block(NAMES[0], Phase::Measured, 0)]);
    tell(&mut rush, [moved(NAMES[0], 0, 3, 5, Stage::Connecting), moved(NAMES[0], 1, 4, 5, Stage::Sent)]);
    let seen = drawn(&mut rush, 1_000, (100, 24));
    assert!(seen.contains("one target after the other") && seen.contains("to come: 8 idle"), "{seen}");
    assert!(seen.contains("· · · c w · · ·"), "{seen}");
}

#[test]
fn users_go_from_state_to_state() {
    let mut rush = Rush::new(&plan_of(1, users(3)), 3, false);
    let target = NAMES[0];
    let states = |rush: &Rush| rush.crowds[0].users().map(Doing::letter).collect::<String>();
    assert_eq!(states(&rush), "···");
    tell(&mut rush, [moved(target, 0, 1, 0, Stage::Connecting), moved(target, 1, 0, 0, Stage::Sent)]);
    assert_eq!(states(&rush), "wc·");
    tell(&mut rush, [moved(target, 1, 0, 9, Stage::Answering { start: ms(0), status: 200 })]);
    assert_eq!(states(&rush), "wc·", "the head of an answer is no answer");
    tell(&mut rush, [moved(target, 1, 0, 9, Stage::Heard { kind: EventKind::Other, tokens: 0, text: None })]);
    assert_eq!(states(&rush), "wc·", "nor is a role");
    tell(&mut rush, [moved(target, 1, 0, 9, HEARD)]);
    assert_eq!(states(&rush), "gc·");
    tell(
        &mut rush,
        [recorded(answered(target, 1, 0, (9, 1, 2))), recorded(failed(target, 0, 0, FailureClass::Stalled))],
    );
    assert_eq!(states(&rush), "fx·");
    tell(&mut rush, [recorded(answered(target, 77, 0, (9, 1, 2))), moved(target, 2, 99, 20, Stage::Sent)]);
    assert_eq!(states(&rush), "fx·", "what nobody of them sent changes nobody");
    let warm = Record { phase: Phase::Warmup, ..answered(target, 2, 0, (9, 1, 2)) };
    tell(&mut rush, [moved(target, 2, 2, 20, Stage::Sent), recorded(warm)]);
    assert_eq!(states(&rush), "fxw");
}

#[test]
fn in_waves_requests_are_dealt_out() {
    let load = Load::Crowd { users: 4, waves: 3, every_ns: Nanos::from_secs(5) };
    let mut rush = Rush::new(&plan_of(1, load), 4, false);
    tell(&mut rush, [moved(NAMES[0], 6, 0, 0, Stage::Sent), moved(NAMES[0], 7, 0, 0, HEARD)]);
    let states: String = rush.crowds[0].users().map(Doing::letter).collect();
    assert_eq!(states, "··wg");
}

#[test]
fn a_wave_that_is_not_answered_waits_beside_the_next() {
    let load = Load::Crowd { users: 4, waves: 3, every_ns: Nanos::from_secs(5) };
    let mut rush = Rush::new(&plan_of(1, load), 4, false);
    tell(&mut rush, (0..8).map(|index| moved(NAMES[0], index, 0, 0, Stage::Sent)));
    assert_eq!(rush.crowds[0].queued(), 8);
    tell(&mut rush, [recorded(answered(NAMES[0], 2, 0, (9, 1, 2)))]);
    let states: String = rush.crowds[0].users().map(Doing::letter).collect();
    assert_eq!(
        (states.as_str(), rush.crowds[0].queued()),
        ("wwww", 7),
        "the end of an earlier one is not the latest's"
    );
    assert!(drawn(&mut rush, 10, (100, 24)).contains("Queue: requests waiting"));
}

#[test]
fn ends_that_were_missed_leave_nobody_waiting() {
    let mut rush = Rush::new(&plan_of(1, users(2)), 2, false);
    tell(&mut rush, (0..1_000).map(|index| moved(NAMES[0], index, 1, 0, Stage::Sent)));
    assert_eq!(rush.crowds[0].queued(), 1, "a user asks one thing at a time");
    tell(&mut rush, [Progress::Pulse { at: ms(9), in_flight: vec![0] }]);
    assert_eq!(rush.crowds[0].queued(), 0);
}

#[test]
fn who_is_sent_away_has_not_failed() {
    let mut rush = Rush::new(&plan_of(1, users(2)), 2, false);
    tell(&mut rush, [moved(NAMES[0], 0, 0, 0, Stage::Sent), moved(NAMES[0], 1, 1, 0, HEARD)]);
    let gone = |index, outcome| recorded(Record { outcome, ..answered(NAMES[0], index, 0, (9, 1, 2)) });
    tell(&mut rush, [gone(0, Outcome::Cancelled), gone(1, Outcome::Interrupted)]);
    assert_eq!((rush.crowds[0].count(Doing::Idle), rush.crowds[0].queued()), (2, 0));
}

#[test]
fn looks_at_the_queue_stay_few() {
    let mut crowd = Crowd::new(4, false);
    (0..100_000).for_each(|_| crowd.look());
    assert!((256..=1_025).contains(&crowd.waiting().len()), "{}", crowd.waiting().len());
}

#[test]
fn any_size_is_drawn() {
    let mut rush = under_way(3, 50);
    for over in [false, true] {
        for columns in [1, 2, 7, 20, 39, 60, 99, 120, 300] {
            for rows in [1, 2, 3, 4, 5, 9, 17, 24, 50] {
                drawn(&mut rush, 6_100, (columns, rows));
            }
        }
        if !over {
            rush.conclude(changes(3));
        }
    }
}

#[test]
fn it_is_told_in_sentences_too() {
    let told = under_way(2, 50).in_words(ms(6_100)).join("\n");
    insta::assert_snapshot!(told, @"
    the crowd, 6 s: vllm-simulated (SIMULATED): 38 waiting, 12 generating, 4 failed, 150 done, TTFT p50 1.04 s, 25.4 times that of one alone, p95 1.10 s, 1562 tokens/s
    the crowd, 6 s: llamacpp: 42 waiting, 8 generating, 3 failed, 96 done, TTFT p50 1.92 s, 36.3 times that of one alone, p95 2.80 s, 998 tokens/s
    ");
}

#[test]
fn keys_stop_it_and_leave_it_when_it_is_over() {
    let mut rush = under_way(1, 4);
    let press = |rush: &mut Rush, code| rush.press(KeyEvent::from(code));
    assert_eq!(press(&mut rush, KeyCode::Enter), Reaction::Stay);
    assert_eq!(press(&mut rush, KeyCode::Char('q')), Reaction::Stop);
    assert!(drawn(&mut rush, 6_100, (80, 24)).contains("stopping: requests in flight may finish"));
    rush.conclude(changes(1));
    assert_eq!(press(&mut rush, KeyCode::Enter), Reaction::Leave);
}
