use jiff::civil::date;
use schema::plan::{Axis, Search, Stop};

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

#[track_caller]
fn check_load(yaml: &str, load: &str, stop: Stop) {
    let plan = resolved(&format!("mock: vllm\nseed: 1\n{yaml}"), &[]).unwrap().plan;
    assert_eq!((plan.load.to_string().as_str(), plan.stop), (load, stop));
}

#[test]
fn every_load_has_its_words_and_its_end() {
    let requests = Stop::Requests;
    let seconds = |n| Stop::DurationNs(Nanos::from_secs(n));
    check_load("concurrency: 3\nrequests: 9", "closed loop, 3 at once", requests(9));
    check_load(
        "rate: 5/s\narrival: gamma:0.5\nwhen_full: wait\nmax_concurrency: 7\nduration: 4s",
        "open loop, 5/s (gamma:0.5), at most 7 at once, the rest waiting",
        seconds(4),
    );
    check_load(
        "stages: [warm=2/s@10s, 2/s..20/s@30s]\narrival: constant",
        "open loop in stages, warm 2→2/s in 10.0 s, 2→20/s in 30.0 s (constant), at most 1000 at once",
        seconds(40),
    );
    check_load("stages: 1..8@5s", "closed loop in stages, 1→8 at once in 5.00 s", seconds(5));
    check_load(
        "users: 4\nthink: exponential:2s\nsession_requests: 3\nsession_pause: 5s\nrequests: 20",
        "4 users, thinking exponential:2000ms, 3 requests a session, 5000ms between",
        requests(20),
    );
    check_load("crowd: 50\nwaves: 3\nwave_every: 2s", "3 waves of 50, one each 2.00 s", requests(150));
    check_load("sweep: concurrency\nstep: 2s", "closed loop, 1 at once", seconds(2));
    check_load("until_precise: 2%", "closed loop, 1 at once", requests(10_000));
}

#[track_caller]
fn check_refused(yaml: &str, part: &str) {
    let problems = resolved(&format!("mock: vllm\n{yaml}"), &[]).unwrap_err();
    assert!(problems.to_string().contains(part), "{problems}");
}

#[test]
fn what_cannot_be_together_is_refused() {
    check_refused("find_max: rate", "seeks the highest load that meets `slo`");
    check_refused("sweep: rate\ncrowd: 5", "`crowd` sets another");
    check_refused("stages: [5/s@1s, 5@1s]", "mixes rates and streams");
    check_refused("stages: 0/s@1s", "no stage of `stages` sends anything");
    check_refused("rate: 5/s\nturns: 3", "an open loop does not");
    check_refused("prefix_share: 0.5", "there are none");
    check_refused("columns: prompt=q", "there is none");
    check_refused("prefix_groups: 2\ndefeat_cache: true", "keeps caches out");
    check_refused("search_from: 5\nsearch_to: 2\nsweep: rate", "above `search_to`");
    for none in ["'0'", "0.2", "uniform:0..5", "normal:0,3", "exponential:0.5", "lognormal:0,1"] {
        check_refused(&format!("input_tokens: {none}"), "`input_tokens` is `");
        check_refused(&format!("output_tokens: {none}"), "no text is shorter than one token");
    }
    check_refused("side_by_side: true\nuntil_precise: 2%", "`until_precise` goes on as long as each target needs");
    check_refused("side_by_side: true\nsweep: rate", "`sweep` goes on as long as each target needs");
    check_refused("gpu_metrics: http://me:canary@gpu/metrics", "holds no user name");
    check_refused("url: http://a\nmodel: m\nmetrics_url: gpu:9400/metrics", "`metrics_url` is `gpu:9400/metrics`, and");
    check_refused("gpu_metrics: http://a/m,http://b/m", "is one alone");
    check_refused("gpu_metrics: metrics", "names a host");
    assert!(
        !resolved("mock: vllm\ngpu_metrics: http://me:canary@gpu/", &[]).unwrap_err().to_string().contains("canary")
    );
}

#[test]
fn a_search_keeps_what_steps_have_in_common() {
    let yaml = "mock: vllm\nfind_max: rate\nslo: ttft_p95<1s\narrival: constant\nmax_concurrency: 9\nsearch_to: 50";
    let plan = resolved(yaml, &[]).unwrap().plan;
    let Some(Search::FindMax { axis: Axis::Rate, highest: Some(highest), .. }) = plan.search else { panic!() };
    assert!((highest - 50.0).abs() < 1e-9);
    assert!(plan.load.at(Axis::Rate, 3.0).unwrap().to_string().contains("3/s (constant), at most 9 at once"));
}

#[test]
fn vectors_are_asked_for_in_the_words_of_the_provider() {
    let dialects = |yaml: &str| -> Vec<Dialect> {
        resolved(yaml, &[]).unwrap().plan.targets.iter().map(|target| target.dialect).collect()
    };
    let yaml = "embeddings: true\nmodel: m\ntarget: [vllm@http://a, ollama@http://b]";
    assert_eq!(dialects(yaml), [Dialect::OpenaiEmbeddings, Dialect::OllamaEmbed]);
}

#[test]
fn a_metrics_page_may_be_named() {
    let probed = "mock: vllm\ngpu_metrics: http://exporter/probe?target=http://gpu:9400";
    let plan = resolved(probed, &[]).unwrap().plan;
    assert_eq!(plan.gpu_metrics.unwrap().query(), Some("target=http://gpu:9400"));
    let yaml = "model: m\ntarget: ['vllm@http://a,metrics=http://b:9/metrics']";
    let target = resolved(yaml, &[]).unwrap().plan.targets.remove(0);
    assert_eq!(target.metrics_url.unwrap().as_str(), "http://b:9/metrics");
}

#[test]
fn a_target_is_dropped_after_more_failures_than_there_are_requests_in_flight() {
    let after = |yaml: &str| resolved(&format!("mock: vllm\n{yaml}"), &[]).unwrap().plan.drop_after;
    assert_eq!((after("concurrency: 1"), after("concurrency: 64"), after("drop_after: 0")), (20, 128, 0));
}
