//! Bounds on latency and on money.

use schema::units::Usd;
use serde_json::json;
use sim::{Config, Engine};

use crate::command::Desk;
use crate::e2e_run::{latest, measured, prompt_engine, records, start, summary, target};
use crate::e2e_server::{Said, serve};

#[track_caller]
fn check_slo(slo: &str, status: i32) {
    let sim = start(prompt_engine(Engine::OpenAi));
    let desk = Desk::new();
    let outcome = desk.run(&["benchmark", &target("it", &sim), "--requests=60", "--max-tokens=4", "--slo", slo]);
    assert_eq!(outcome.status, Some(status), "{}", outcome.all());
    assert!(outcome.out.contains(slo), "{}", outcome.out);
}

#[test]
fn a_missed_slo_is_exit_status_3() {
    check_slo("ttft_p50<1us", 3);
    check_slo("ttft_p50<60s", 0);
    check_slo("output_speed_p50>1000000000", 3);
}

#[test]
fn an_slo_that_too_few_requests_were_sent_for_is_not_met() {
    check_slo("ttft_p99<60s", 3);
}

/// Prices of a dear provider: 1,000 $ per million tokens either way.
const PRICES: &str = r#"{"as_of": "2026-11-21", "source": "a test", "prices": [
    {"provider": "groq", "model": "tiny", "input_per_mtok_usd": 1000, "output_per_mtok_usd": 1000}]}"#;

/// A provider that counts 10 tokens in and 10 out for every request. What is simulated would cost nothing.
pub(crate) fn dear() -> Desk {
    let url = serve(|asked| {
        if asked.is_listing {
            return Said::model("tiny");
        }
        let text = json!({ "choices": [{ "index": 0, "delta": { "content": "Well." }, "finish_reason": "length" }] });
        Said::stream(&[text, json!({ "choices": [], "usage": { "prompt_tokens": 10, "completion_tokens": 10 } })])
    });
    Desk::new()
        .with("GROQ_BASE_URL", &format!("{url}/v1"))
        .with("GROQ_API_KEY", "a-key-of-some-length")
        .with_file("prices.json", PRICES)
}

const ASKED: [&str; 5] =
    ["benchmark", "--providers=groq", "--model=tiny", "--prices=prices.json", "--prompt=Say something."];

#[test]
fn a_run_ends_before_its_budget_is_exceeded() {
    let desk = dear();
    let load = ["--requests=500", "--concurrency=3", "--warmup=1", "--max-tokens=10", "--budget=1usd"];
    let outcome = desk.run(&[&ASKED[..], &load].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(outcome.err.contains("the budget is $1.00"), "{}", outcome.err);
    assert!(outcome.err.contains("the budget was reached"), "{}", outcome.err);
    let run = latest(&desk);
    let price = run.manifest.plan.targets[0].price.clone().unwrap();
    let costs = records(&run, "groq").into_iter().map(|record| providers::cost(&price, &record.usage.unwrap()));
    let spent = costs.fold(Usd::ZERO, |sum, cost| sum + cost);
    let budget: Usd = "1usd".parse().unwrap();
    assert!(spent <= budget, "{spent}");
    assert!(spent > "0.5usd".parse().unwrap(), "{spent} of it is hardly worth calling used up");
    assert!(measured(&run, "groq").len() < 500);
    let cost = summary(&run, "groq").cost.unwrap();
    assert_eq!(cost.total_usd + cost.warmup_usd, spent, "what is shown is what the records add up to");
}

#[test]
fn a_budget_that_is_enough_stops_nothing() {
    let desk = dear();
    let outcome = desk.run(&[&ASKED[..], &["--requests=5", "--max-tokens=10", "--budget=1000usd"]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(!outcome.err.contains("the budget was reached"), "{}", outcome.err);
    let summary = summary(&latest(&desk), "groq");
    assert_eq!((summary.completed, summary.cost.unwrap().total_usd), (5, "0.1usd".parse().unwrap()));
}

#[test]
fn what_is_simulated_costs_nothing_whatever_it_plays() {
    let sim = start(Config { model: "tiny".to_owned(), ..prompt_engine(Engine::OpenAi) });
    let desk = Desk::new()
        .with("GROQ_BASE_URL", &sim.url())
        .with("GROQ_API_KEY", "a-key-of-some-length")
        .with_file("prices.json", PRICES);
    let outcome = desk.run(&[&ASKED[..], &["--requests=2", "--max-tokens=2"]].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    assert!(outcome.out.contains("SIMULATED"), "{}", outcome.out);
    assert_eq!(summary(&latest(&desk), "groq").cost, None);
}
