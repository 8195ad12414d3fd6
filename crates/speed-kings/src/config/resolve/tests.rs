use jiff::civil::date;

use super::*;

/// Resolves YAML against an environment.
fn resolved(yaml: &str, environment: &[(&str, &str)]) -> Result<Resolved, Problems> {
    let environment: Environment = environment.iter().copied().collect();
    let entries = crate::config::yaml::read("test", yaml)?;
    let mut object = serde_json::Map::new();
    for entry in entries {
        let serde_json::Value::Object(one) = serde_json::to_value(&entry.settings).unwrap() else { unreachable!() };
        object.extend(one);
    }
    let settings: Settings = serde_json::from_value(object.into()).unwrap();
    let prices = PriceBook::embedded();
    let surroundings =
        Surroundings { environment: &environment, prices: &prices, today: date(2026, 11, 22), fresh_seed: 7 };
    resolve(&settings, surroundings)
}

fn names(resolved: &Resolved) -> Vec<String> {
    resolved.plan.targets.iter().map(|target| target.name.to_string()).collect()
}

#[track_caller]
fn check_names(yaml: &str, environment: &[(&str, &str)], expected: &[&str]) -> Resolved {
    let resolved = resolved(yaml, environment).unwrap();
    assert_eq!(names(&resolved), expected);
    assert_eq!(resolved.targets.len(), expected.len());
    resolved
}

#[test]
fn all_takes_what_is_ready_and_notes_the_rest() {
    let environment = [("GROQ_API_KEY", "k"), ("OLLAMA_URL", "http://gpu:11434"), ("CEREBRAS_API_KEY", "k")];
    let resolved = check_names("providers: all", &environment, &["cerebras", "groq", "ollama"]);
    assert!(resolved.notes[0].contains("sambanova"), "{:?}", resolved.notes);
    assert_eq!(resolved.unnamed_models, [2], "an engine's model has to be asked for");
    assert!(resolved.skipped.is_empty());
}

#[test]
fn all_of_nothing_is_refused_with_what_is_missing() {
    let problems = resolved("providers: all", &[]).unwrap_err();
    assert!(problems.to_string().contains("no provider is ready"), "{problems}");
}

#[test]
fn a_named_provider_without_its_key_is_skipped_while_others_go_on() {
    let resolved = check_names("providers: [groq, cerebras]", &[("GROQ_API_KEY", "k")], &["groq"]);
    assert!(resolved.skipped[0].to_string().contains("CEREBRAS_API_KEY"));
    assert!(self::resolved("providers: cerebras", &[]).is_err(), "alone it stops the run");
    let beside_mock = check_names("providers: cerebras\nmock: vllm", &[], &[]);
    assert_eq!(beside_mock.skipped.len(), 1);
}

#[test]
fn every_problem_is_told_at_once() {
    let problems = resolved("providers: [grok, cerebas]\ngap_timeout: 0s\nduration: 0s", &[]).unwrap_err();
    assert_eq!(problems.0.len(), 4, "{:?}", problems.0);
}

#[test]
fn names_are_made_unique_even_when_long_or_taken() {
    let long = "x".repeat(64);
    let yaml = format!(
        "model: m\ntarget: ['{long}=vllm@http://a', '{long}=vllm@http://b', vllm@http://c, vllm-2=vllm@http://d, vllm@http://e]"
    );
    let shortened = format!("{}-2", "x".repeat(62));
    check_names(&yaml, &[], &[&long, &shortened, "vllm", "vllm-2", "vllm-3"]);
}

#[test]
fn a_simulated_engine_is_a_target_that_says_so() {
    let mut resolved = check_names("mock: [vllm, vllm, openai]\nmodel: tiny", &[], &[]);
    for engine in std::mem::take(&mut resolved.mock) {
        resolved.add_simulated(engine, "http://127.0.0.1:9").unwrap();
    }
    assert_eq!(names(&resolved), ["vllm-sim", "vllm-sim-2", "openai-sim"]);
    assert!(resolved.plan.targets.iter().all(|target| target.simulated && target.model == "tiny"));
    assert!(resolved.plan.targets.iter().all(|target| target.price.is_none()));
}

#[test]
fn a_model_is_named_in_the_plan_and_for_the_transport() {
    let mut resolved = check_names("target: vllm@http://a", &[], &["vllm"]);
    resolved.name_model(0, "qwen3");
    assert_eq!(
        (resolved.plan.targets[0].model.as_str(), resolved.targets[0].target.model.as_str()),
        ("qwen3", "qwen3")
    );
    assert!(resolved.unnamed_models.is_empty());
}

#[test]
fn a_proxy_leaves_its_password_behind() {
    let plan = resolved("mock: vllm", &[("HTTPS_PROXY", "http://me:canary@proxy:3128")]).unwrap().plan;
    assert_eq!(plan.transport.proxy.as_deref(), Some("http://proxy:3128/"));
}

#[test]
fn blocks_are_never_more_than_requests() {
    let plan = resolved("mock: vllm\nrequests: 3\nblocks: 9", &[]).unwrap().plan;
    assert_eq!((plan.blocks, plan.seed), (3, 7));
}

#[test]
fn a_proxy_that_cannot_be_used_is_no_reason_to_go_round_it() {
    let problems = resolved("mock: vllm", &[("HTTPS_PROXY", "https://proxy")]).unwrap_err();
    assert!(problems.to_string().contains("HTTPS_PROXY"), "{problems}");
}

#[test]
fn an_open_loop_is_not_endless() {
    let problems = resolved("mock: vllm\nrate: 9999999/s\nduration: 10h", &[]).unwrap_err();
    assert!(problems.to_string().contains("more than 100000000 requests"), "{problems}");
}
