use schema::plan::{Load, Stop as Enough};
use workload::Sources;

use super::*;

fn job(plan: &Plan) -> Job {
    let targets = plan.targets.iter().map(|target| Credentialed { target: target.clone(), key: None });
    Job {
        targets: targets.collect(),
        prompts: workload::prepare(&plan.workload, plan.seed, Sources::default()).unwrap(),
        plan: plan.clone(),
        trace: None,
        calibration: None,
        proxy: None,
        found: Vec::new(),
        notes: vec!["noted before".to_owned()],
        tags: Vec::new(),
        program_version: "0.0.0".to_owned(),
        pages: Box::new(|_, _| Vec::new()),
        clock: Clock::start(),
        follow: Follow::Records,
    }
}

#[test]
fn a_log_that_cannot_be_written_is_trouble_before_anything_is_sent() {
    let out = tempfile::tempdir().unwrap();
    let plan = turns::tests::plan(&["a"], Load::Closed { concurrency: 1 }, Enough::Requests(1));
    let job = job(&plan);
    let (run_id, now) = (Uuid::now_v7(), Zoned::now().datetime());
    let directory = RunDir::create(out.path(), &manifest(&job, run_id), now, &[]).unwrap();
    // A folder where the log should be.
    std::fs::create_dir(directory.path().join("run.log")).unwrap();
    let means = Means::of(&job, run_id).unwrap();
    let done = carry_out(&job, means, &directory, &Stop::new(), |progress| panic!("{progress:?}"));
    assert!(matches!(done.trouble, Some(RunError::Store(_))), "{:?}", done.trouble);
    assert_eq!(done.notes, ["noted before"]);
}
