//! When nothing more can be kept.

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
    assert!([Status::Failed, Status::Running].contains(&status));
}
