pub(crate) mod script;

use std::sync::Arc;

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::plan::{Arrival, Axis, Load, Plan, Search, Stage, WhenFull};
use schema::progress::Progress;
use schema::record::{FailureClass, Outcome, Phase, Record};
use schema::server::{Counter, ServerSample};
use schema::target::Target;
use schema::units::Nanos;

use super::*;
use crate::testing::{SIZES, price, target};
use script::{answered, block, drawn, failed, ms, name, plan, recorded, wobble};

#[track_caller]
fn check(name: &str, live: &mut LiveView, at: u64) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), drawn(live, at, size));
    }
}

fn closed() -> Load {
    Load::Closed { concurrency: 8 }
}

fn open() -> Load {
    Load::Open {
        rate_per_s: "20/s".parse().unwrap(),
        arrival: Arrival::Poisson,
        max_concurrency: 1000,
        when_full: WhenFull::NotSent,
    }
}

fn pulse(at: u64, in_flight: &[u32]) -> Progress {
    Progress::Pulse { at: ms(at), in_flight: in_flight.to_vec() }
}

fn view_of(plan: &Plan, told: impl IntoIterator<Item = Progress>) -> LiveView {
    let mut live = LiveView::new(plan, Occasion::Run);
    told.into_iter().for_each(|progress| live.fold(&progress));
    live
}

fn pair() -> Vec<Target> {
    vec![target("vllm-simulated", true), Target { price: Some(price()), ..target("groq", false) }]
}

/// Two targets in turns, ten requests a second each, of which the second is slower.
fn two_in_turns() -> Vec<Progress> {
    let mut told = vec![Progress::Began { requests: Some(640), duration: None }, pulse(0, &[0, 0])];
    for turn in 0..6u64 {
        let (name, place) = [("vllm-simulated", 0), ("groq", 1)][usize::try_from(turn % 2).unwrap()];
        let begin = 1_000 + turn * 5_000;
        told.push(pulse(begin, &[0, 0]));
        told.push(block(name, Phase::Measured, u32::try_from(turn / 2).unwrap()));
        for n in 0..48 {
            let start = begin + n * 100;
            let wobble = wobble(turn * 1_000 + n);
            let ttft = 60 + 50 * place + wobble + if n % 16 == 0 { 150 } else { 0 };
            let record = answered(name, turn * 48 + n, start, (ttft, 8 + place * 4 + wobble % 5, 20));
            told.push(recorded(Record { block: u32::try_from(turn / 2).unwrap(), ..record }));
            if n % 2 == 0 {
                let flying = u32::try_from(3 + wobble % 6).unwrap();
                let both = if place == 0 { [flying, 0] } else { [0, flying] };
                told.push(pulse(start, &both));
            }
        }
    }
    told
}

#[test]
fn before_anything_happened() {
    check("before", &mut view_of(&plan(pair(), closed()), []), 0);
}

#[test]
fn two_targets_take_turns() {
    let plan = Plan { blocks: 5, budget_usd: Some("1usd".parse().unwrap()), ..plan(pair(), closed()) };
    check("in_turns", &mut view_of(&plan, two_in_turns()), 31_000);
}

#[test]
fn an_open_loop_that_its_target_does_not_carry() {
    let plan = plan(vec![target("tgi", false)], open());
    let mut told = vec![
        Progress::Began { requests: Some(1_200), duration: None },
        pulse(0, &[0]),
        block("tgi", Phase::Measured, 0),
    ];
    for n in 0..400u64 {
        let start = n * 50;
        told.push(pulse(start, &[u32::try_from(2 + n / 2).unwrap()]));
        told.push(recorded(match n % 20 {
            7 => failed("tgi", n, start, FailureClass::RateLimited),
            13 => failed("tgi", n, start, FailureClass::Stalled),
            19 => Record { outcome: Outcome::NotSent, ..answered("tgi", n, start, (0, 0, 0)) },
            _ => answered("tgi", n, start, (100 + n * 10, 30, 12)),
        }));
    }
    let sample = |at, waiting, tokens| {
        let counters = [(Counter::GeneratedTokens, tokens)].into();
        let sample = ServerSample {
            at_ns: ms(at),
            engine: "tgi".into(),
            running: Some(32.0),
            waiting: Some(waiting),
            kv_usage: Some(0.83),
            counters,
            ..ServerSample::default()
        };
        Progress::Sampled(name("tgi"), Arc::new(sample))
    };
    told.extend([sample(18_000, 120.0, 9_000.0), sample(19_000, 148.0, 9_640.0)]);
    told.push(Progress::Note("`tgi`: 20 requests found no place".into()));
    check("open", &mut view_of(&plan, told), 20_000);
}

#[test]
fn a_search_shows_its_steps_and_the_curve() {
    let search = Search::Sweep { axis: Axis::Concurrency, points: 8, highest: Some(64.0) };
    let plan = Plan { search: Some(search), ..plan(vec![target("vllm", false)], closed()) };
    let mut told = vec![Progress::Began { requests: None, duration: None }, pulse(0, &[0])];
    for (step, level) in [1u64, 64, 8, 16, 32].into_iter().enumerate() {
        let step = u32::try_from(step).unwrap();
        let begin = u64::from(step) * 10_000;
        told.push(pulse(begin, &[0]));
        told.push(block("vllm", Phase::Measured, 0));
        told.push(Progress::Step { target: name("vllm"), step, axis: Axis::Concurrency, level: level as f64 });
        for n in 0..level * 10 {
            let ttft = 40 + level * 3 + wobble(n);
            told.push(recorded(Record {
                step,
                ..answered("vllm", n, begin + n / level * 900, (ttft, 10 + level / 4, 12))
            }));
        }
        told.push(pulse(begin + 9_000, &[u32::try_from(level).unwrap()]));
    }
    check("search", &mut view_of(&plan, told), 49_500);
}

#[test]
fn six_targets_side_by_side() {
    let names = ["cerebras", "groq", "sambanova", "fireworks", "deepseek", "own-vllm"];
    let targets = names.map(|name| target(name, name == "own-vllm")).to_vec();
    let plan = Plan {
        side_by_side: true,
        ..plan(
            targets,
            Load::Users {
                users: 20,
                think: schema::plan::Pause::NONE,
                session_requests: u32::MAX,
                session_pause: schema::plan::Pause::NONE,
                arrive_over_ns: Nanos::ZERO,
            },
        )
    };
    let mut told = vec![Progress::Began { requests: None, duration: Some(Nanos::from_secs(20)) }, pulse(0, &[0; 6])];
    told.extend(names.map(|name| block(name, Phase::Measured, 0)));
    for (place, name) in (0u64..).zip(names) {
        for n in 0..100 {
            let wobble = wobble(place * 991 + n);
            told.push(recorded(answered(name, n, n * 80, (50 + place * 40 + wobble, 5 + place * 3 + wobble % 4, 16))));
        }
    }
    told.push(pulse(8_000, &[20; 6]));
    check("six", &mut view_of(&plan, told), 8_200);
}

#[test]
fn stages_say_which_one_it_is() {
    let stage = |name: &str, from, to| Stage { name: name.into(), from, to, length_ns: Nanos::from_secs(10) };
    let load = Load::RateStages {
        stages: vec![stage("warm", 2.0, 2.0), stage("ramp", 2.0, 20.0)],
        arrival: Arrival::Constant,
        max_concurrency: 100,
        when_full: WhenFull::NotSent,
    };
    let told = [pulse(0, &[0]), block("vllm", Phase::Measured, 0), pulse(15_000, &[9])];
    let mut live = view_of(&plan(vec![target("vllm", false)], load), told);
    let seen = drawn(&mut live, 15_000, (100, 30));
    assert!(seen.contains("ramp: 11.0/s asked"), "{seen}");
}

#[test]
fn a_calibration_says_what_it_is() {
    let mut live =
        LiveView::new(&plan(vec![target("floor", true)], closed()), Occasion::Calibration { part: 1, of: 2 });
    live.fold(&Progress::Began { requests: None, duration: Some(Nanos::from_secs(3)) });
    let seen = drawn(&mut live, 1_000, (120, 20));
    assert!(seen.contains("calibrating, 1 of 2: this machine against the built-in engine"), "{seen}");
}

#[test]
fn any_size_is_drawn() {
    let mut live = view_of(&Plan { blocks: 3, ..plan(pair(), closed()) }, two_in_turns());
    for columns in [1, 2, 7, 20, 39, 60, 99, 100, 101, 189, 190, 300] {
        for rows in [1, 2, 3, 4, 5, 9, 17, 24, 50] {
            drawn(&mut live, 31_000, (columns, rows));
        }
    }
}

#[test]
fn hostile_names_and_notes_stay_in_their_lines() {
    let mut plan = plan(vec![target("vllm", false)], closed());
    plan.name = "\u{1b}[2Jevil\u{202e}\n".into();
    let mut live = view_of(&plan, [Progress::Note("\u{1b}]0;x\u{7}\u{202e}said\nso".into())]);
    let seen = drawn(&mut live, 0, (120, 40));
    assert!(!seen.contains('\u{1b}') && !seen.contains('\u{202e}'), "{seen}");
    assert!(seen.contains("evil") && seen.contains("said so"), "{seen}");
}

#[test]
fn stopping_is_asked_for_with_a_key_and_said() {
    let mut live = view_of(&plan(pair(), closed()), []);
    assert_eq!(live.press(KeyEvent::from(KeyCode::Char('x'))), Reaction::Stay);
    assert_eq!(live.press(KeyEvent::from(KeyCode::Char('q'))), Reaction::Stop);
    assert!(drawn(&mut live, 0, (80, 24)).contains("stopping: requests in flight may finish"));
}
