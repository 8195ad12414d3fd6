//! When nothing more can be kept.

use runner::Job;
use schema::manifest::Status;
use schema::plan::{Load, Stop as Enough};
use schema::progress::Progress;
use schema::units::Nanos;
use sim::Pace;

use crate::stage::{Stage, engine};

#[test]
fn a_disk_that_refuses_ends_the_run_and_says_so() {
    let sim = engine(Pace::Fixed { ttft: Nanos::from_millis(5), itl: Nanos::ZERO });
    let stage = Stage::new(&[&sim], Load::Closed { concurrency: 4 }, Enough::DurationNs(Nanos::from_secs(600)));
    let out = stage.plan.out.clone();
    let error = stage.run_watched(move |progress| {
        if matches!(progress, Progress::Began { .. }) {
            // A file where the target's folder should be: nothing can be written into it.
            let run = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
            std::fs::write(run.join("a"), "in the way").unwrap();
        }
    });
    let error = error.err().expect("the records were not kept");
    assert!(matches!(error, runner::RunError::Store(_)), "{error}");
    let status = store::Run::open(&stage.folder()).unwrap().manifest.status;
    assert_eq!(status, Status::Failed);
}

#[test]
fn a_bug_in_what_is_made_of_the_numbers_leaves_a_run_that_is_sealed_as_failed_with_its_records() {
    let sim = engine(Pace::Fixed { ttft: Nanos::ZERO, itl: Nanos::ZERO });
    let stage = Stage::closed(&[&sim], 1, 3);
    let job = Job { pages: Box::new(|_, _| panic!("a bug")), ..stage.job() };
    let error = runner::run(job, &stage.stop, |_| {}).expect_err("nothing came of the numbers");
    assert!(matches!(error, runner::RunError::Panicked { .. }), "{error}");
    let run = store::Run::open(&stage.folder()).unwrap();
    assert_eq!(run.manifest.status, Status::Failed);
    assert_eq!(run.records(&"a".parse().unwrap()).unwrap().count(), 3);
}

#[test]
fn a_viewer_that_panics_is_left_behind_and_every_record_is_kept() {
    let sim = engine(Pace::Fixed { ttft: Nanos::ZERO, itl: Nanos::ZERO });
    let stage = Stage::closed(&[&sim], 1, 3);
    let watch = |progress: Progress| assert!(!matches!(progress, Progress::Recorded(_)), "a bug");
    let finished = runner::run(stage.job(), &stage.stop, watch).unwrap();
    assert_eq!(finished.summary.targets[0].completed, 3);
    assert!(finished.manifest.notes.iter().any(|note| note.contains("unwatched")), "{:?}", finished.manifest.notes);
}
