//! Going on until a figure is precise.

use schema::plan::{Load, Stop as Enough};
use schema::units::Nanos;
use sim::Pace;

use crate::stage::{Stage, engine};

#[test]
fn a_run_ends_before_its_limit_when_the_figure_is_precise() {
    let steady = engine(Pace::Fixed { ttft: Nanos::from_millis(10), itl: Nanos::ZERO });
    let mut stage = Stage::new(&[&steady], Load::Closed { concurrency: 2 }, Enough::Requests(400));
    stage.plan.blocks = 20;
    stage.plan.until = Some("50%".parse().unwrap());
    let ran = stage.run().unwrap();
    let (records, notes) = (ran.records("a"), &ran.finished.manifest.notes);
    assert!((40..400).contains(&records.len()), "{} requests", records.len());
    let ended = format!(" after {} requests", records.len());
    assert!(notes.iter().any(|note| note.starts_with("`a`: ttft_p50 ±") && note.ends_with(&ended)), "{notes:?}");
}

#[test]
fn a_run_ends_at_its_limit_when_it_is_not() {
    let sim = engine(Pace::AT_ONCE);
    let mut stage = Stage::new(&[&sim], Load::Closed { concurrency: 2 }, Enough::Requests(40));
    stage.plan.blocks = 4;
    stage.plan.until = Some("ttft_p99:0.1%".parse().unwrap());
    let ran = stage.run().unwrap();
    let (records, notes) = (ran.records("a"), &ran.finished.manifest.notes);
    assert_eq!(records.len(), 40);
    assert!(notes.contains(&"`a`: no interval of ttft_p99 after 40 requests".to_owned()), "{notes:?}");
}
