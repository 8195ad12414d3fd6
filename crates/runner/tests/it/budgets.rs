use sim::Sim;

use crate::stage::{Stage, quick};

#[test]
fn a_budget_is_nearly_used_up_and_never_exceeded_however_many_at_once() {
    let sim = Sim::start(quick()).unwrap();
    let mut stage = Stage::closed(&[&sim], 32, 100_000);
    let price = serde_json::json!({
        "input_per_mtok_usd": 0.0, "output_per_mtok_usd": 1000.0, "as_of": "2026-11-21", "source": "test"
    });
    stage.plan.targets[0].price = Some(serde_json::from_value(price).unwrap());
    stage.plan.budget_usd = Some("80usd".parse().unwrap());
    // A thousandth of a dollar a token: answers end by themselves after a few hundred, and could cost four dollars.
    stage.plan.workload.max_tokens = 4000;
    let ran = stage.run().unwrap();
    let tokens: u64 = ran.records("a").iter().filter_map(|r| r.usage.and_then(|u| u.output_tokens)).sum();
    assert!((75_000..=80_000).contains(&tokens), "{tokens}");
    assert!(ran.notes().iter().any(|note| note.contains("the budget was reached")));
}
