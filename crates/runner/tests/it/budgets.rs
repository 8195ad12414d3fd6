use runner::RunError;
use schema::manifest::Status;
use schema::record::Phase;
use schema::target::Price;
use sim::Sim;

use crate::stage::{Stage, quick};

/// So many dollars a million tokens of output, and nothing for input.
fn price(usd: f64) -> Option<Price> {
    let price = serde_json::json!({
        "input_per_mtok_usd": 0.0, "output_per_mtok_usd": usd, "as_of": "2026-11-21", "source": "test"
    });
    serde_json::from_value(price).unwrap()
}

#[test]
fn a_budget_is_nearly_used_up_and_never_exceeded_however_many_at_once() {
    let sim = Sim::start(quick()).unwrap();
    let mut stage = Stage::closed(&[&sim], 32, 100_000);
    stage.plan.targets[0].price = price(1000.0);
    stage.plan.budget_usd = Some("80usd".parse().unwrap());
    // A thousandth of a dollar a token: answers end by themselves after a few hundred, and could cost four dollars.
    stage.plan.workload.max_tokens = 4000;
    let ran = stage.run().unwrap();
    let tokens: u64 = ran.records("a").iter().filter_map(|r| r.usage.and_then(|u| u.output_tokens)).sum();
    assert!((75_000..=80_000).contains(&tokens), "{tokens}");
    assert!(ran.notes().iter().any(|note| note.contains("the budget was reached")));
}

/// A dear target and a cheap one: ten requests each, of which the budget pays for six of the dear one's.
fn dear_and_cheap(side_by_side: bool) {
    let sims = [Sim::start(quick()).unwrap(), Sim::start(quick()).unwrap()];
    let mut stage = Stage::closed(&[&sims[0], &sims[1]], 2, 10);
    (stage.plan.blocks, stage.plan.side_by_side) = (2, side_by_side);
    for (target, usd) in stage.plan.targets.iter_mut().zip([1000.0, 1.0]) {
        target.price = price(usd);
    }
    stage.plan.workload.max_tokens = 8;
    stage.plan.budget_usd = Some("5cents".parse().unwrap());
    let ran = stage.run().unwrap();
    assert_eq!(ran.finished.manifest.status, Status::Complete);
    let cheap = ran.records("b");
    assert!(cheap.len() == 10 && cheap.iter().all(|record| record.outcome.is_complete()), "{}", cheap.len());
    assert_eq!(ran.records("a").len(), 6);
    let told: Vec<_> = ran.notes().iter().filter(|note| note.contains("the budget was reached")).collect();
    assert!(told.len() == 1 && told[0].starts_with("`a`: the budget was reached: of it $0.00"), "{told:?}");
}

#[test]
fn a_target_that_the_budget_has_no_room_for_leaves_and_cheaper_ones_go_on() {
    dear_and_cheap(false);
}

#[test]
fn it_does_so_side_by_side_too() {
    dear_and_cheap(true);
}

#[test]
fn a_budget_that_pays_for_no_request_at_all_is_refused_before_there_is_a_run() {
    let sims = [Sim::start(quick()).unwrap(), Sim::start(quick()).unwrap()];
    let mut stage = Stage::closed(&[&sims[0], &sims[1]], 2, 10);
    for (target, usd) in stage.plan.targets.iter_mut().zip([1000.0, 500.0]) {
        target.price = price(usd);
    }
    stage.plan.workload.max_tokens = 8;
    stage.plan.budget_usd = Some("0.003usd".parse().unwrap());
    let error = stage.run().err().expect("not even four tenths of a cent are there");
    let RunError::Unaffordable { budget, least } = error else { panic!("{error}") };
    assert_eq!((budget.to_string(), least.to_string()), ("$0.003".to_owned(), "$0.004".to_owned()));
    assert!(sims.iter().all(|sim| sim.requests() == 0));
    assert_eq!(std::fs::read_dir(&stage.plan.out).unwrap().count(), 0);
    (stage.plan.warmup, stage.plan.workload.warmup_max_tokens) = (2, Some(1));
    let error = stage.run().err().expect("a warm-up could be paid, and nothing after it");
    assert!(matches!(error, RunError::Unaffordable { .. }) && sims.iter().all(|sim| sim.requests() == 0), "{error}");
    stage.plan.targets[1].price = price(1.0);
    let measured = stage.run().unwrap().records("b").into_iter().filter(|record| record.phase == Phase::Measured);
    assert_eq!(measured.count(), 10, "one that can be paid is measured");
}
