use schema::plan::Plan;
use schema::target::Target;

use crate::stage::{plan, quick, run, start, target};

#[test]
fn a_budget_is_nearly_used_up_and_never_exceeded_however_many_at_once() {
    let sim = start(quick());
    let price = serde_json::json!({
        "input_per_mtok_usd": 0.0, "output_per_mtok_usd": 1000.0, "as_of": "2026-11-21", "source": "test"
    });
    let target = Target { price: Some(serde_json::from_value(price).unwrap()), ..target("a", &sim.url()) };
    let mut plan = Plan { budget_usd: Some("80usd".parse().unwrap()), ..plan(vec![target], 32, 100_000) };
    // A thousandth of a dollar a token: answers end by themselves after a few hundred, and could cost four dollars.
    plan.workload.max_tokens = 4000;
    let done = run(plan);
    let tokens: u64 = done.records("a").iter().filter_map(|r| r.usage.and_then(|u| u.output_tokens)).sum();
    assert!((75_000..=80_000).contains(&tokens), "{tokens}");
    assert!(done.notes().iter().any(|note| note.contains("the budget was reached")));
}
