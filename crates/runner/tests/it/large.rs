use schema::plan::PromptSource;
use sim::Sim;

use crate::stage::{Stage, quick};

#[test]
fn large_requests_made_one_by_one_are_all_sent() {
    let sim = Sim::start(quick()).unwrap();
    let mut stage = Stage::closed(&[&sim], 8, 40);
    stage.plan.workload.prompts = PromptSource::Synthetic("20000".parse().unwrap());
    let records = stage.run().unwrap().records("a");
    assert!(records.len() == 40 && records.iter().all(|record| record.request_bytes > 60_000));
}
