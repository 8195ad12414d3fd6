//! Targets measured at the same time, on the real binary.

use schema::comparison::{Comparison, Criterion};
use schema::record::Record;
use schema::units::Moment;
use sim::Engine;

use crate::command::Desk;
use crate::e2e_run::{latest, measured, slow_engine, start, target};
use crate::pty::{Life, Pty};

/// When the block began.
fn began(records: &[Record], block: u32) -> Moment {
    records.iter().filter(|record| record.block == block).map(|record| record.scheduled_ns).min().unwrap()
}

const USUAL: [&str; 6] =
    ["--side-by-side", "--requests=30", "--blocks=10", "--warmup=1", "--max-tokens=2", "--output=json"];

#[test]
fn blocks_begin_at_one_instant_for_all_targets_and_are_compared_pair_by_pair() {
    let (fast, slow) = (start(slow_engine(Engine::OpenAi, 5, 0)), start(slow_engine(Engine::OpenAi, 60, 0)));
    let desk = Desk::new();
    let targets = [target("fast", &fast), target("slow", &slow)];
    let outcome = desk.run(&[&["benchmark", targets[0].as_str(), &targets[1]], &USUAL[..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    assert!(run.manifest.plan.side_by_side);
    let (fast, slow) = (measured(&run, "fast"), measured(&run, "slow"));
    assert_eq!((fast.len(), slow.len()), (30, 30));
    for block in 0..10 {
        assert_eq!(began(&fast, block), began(&slow, block), "block {block}");
    }
    let note = "all targets were measured at the same time";
    assert!(run.manifest.notes.iter().any(|kept| kept.starts_with(note)), "{:?}", run.manifest.notes);
    assert!(outcome.err.contains(note), "{}", outcome.err);
    let text = std::fs::read_to_string(run.path.join("comparison.json")).unwrap();
    let comparison: Comparison = serde_json::from_str(&text).unwrap();
    let ranking = comparison.rankings.iter().find(|ranking| ranking.criterion == Criterion::TtftP50).unwrap();
    let pair = &ranking.pairs[0];
    assert!(pair.is_certain() && pair.better.as_str() == "fast", "{pair:#?}");
}

#[test]
fn the_floor_of_targets_side_by_side_is_measured_with_as_many_side_by_side() {
    let desk = Desk::new();
    let arguments =
        ["benchmark", "--mock=vllm,tgi", "--side-by-side", "--duration=1s", "--max-tokens=4", "--calibrate"];
    let pty = Pty::spawn(&desk, &arguments, 120, 40);
    pty.wait_until("two engines are calibrated with", |screen| {
        let shown = screen.contents();
        shown.contains("calibrating, 1 of 2") && shown.contains("openai-sim-2")
    });
    assert_eq!(pty.end(), Life::Ended(0));
    let floor = latest(&desk).manifest.calibration.expect("there is a floor");
    assert!(floor.load.ends_with(", at each of 2 targets at once"), "{}", floor.load);
}

#[test]
fn targets_take_turns_unless_told() {
    let sims = [start(slow_engine(Engine::OpenAi, 5, 0)), start(slow_engine(Engine::OpenAi, 5, 0))];
    let desk = Desk::new();
    let targets = [target("one", &sims[0]), target("other", &sims[1])];
    let outcome = desk.run(&[&["benchmark", targets[0].as_str(), &targets[1]], &USUAL[1..]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    let (one, other) = (measured(&run, "one"), measured(&run, "other"));
    assert!((0..10).all(|block| began(&one, block) != began(&other, block)));
    assert!(!outcome.err.contains("at the same time"), "{}", outcome.err);
}

#[test]
fn what_goes_on_as_long_as_each_target_needs_is_refused() {
    for until in ["--sweep", "--until-precise=2%", "--until-decided"] {
        let outcome = Desk::new().run(&["benchmark", "--mock=vllm,ollama", "--side-by-side", until]);
        assert_eq!(outcome.status, Some(2), "{}", outcome.all());
        assert!(outcome.err.contains("`side_by_side` measures all alike"), "{}", outcome.all());
    }
}
