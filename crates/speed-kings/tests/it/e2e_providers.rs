//! Every provider's adapter, pointed at a simulated engine that speaks its protocol.

use providers::Provider;
use schema::record::TokenSource;
use schema::target::Dialect;
use secrecy::SecretString;
use sim::{Config, Engine, Sim};

use crate::command::Desk;
use crate::e2e_run::{latest, prompt_engine, records, start};

const KEY: &str = "the-key-of-this-test";

fn engine(provider: &Provider) -> Engine {
    match (provider.id, provider.dialect) {
        ("vllm", _) => Engine::Vllm,
        ("tgi", _) => Engine::Tgi,
        (_, Dialect::OllamaChat | Dialect::OllamaGenerate) => Engine::Ollama,
        _ => Engine::OpenAi,
    }
}

/// A server in the provider's place; it asks for the key if the provider may have one.
fn stand_in(provider: &Provider) -> Sim {
    let require_key = (!provider.key_variables.is_empty()).then(|| SecretString::from(KEY));
    start(Config { model: "tiny".to_owned(), require_key, ..prompt_engine(engine(provider)) })
}

#[test]
fn every_adapter_completes_a_request_at_the_address_its_variable_names() {
    check_all(&[]);
}

#[test]
fn every_adapter_completes_a_request_that_is_not_streamed() {
    check_all(&["--no-stream"]);
}

#[track_caller]
fn check_all(more: &[&str]) {
    let mut desk = Desk::new();
    let mut sims = Vec::new();
    for provider in providers::registry() {
        let sim = stand_in(provider);
        let variable = provider.url_variables.first().unwrap_or_else(|| panic!("{} cannot be moved", provider.id));
        desk = desk.with(variable, &sim.url());
        if let Some(variable) = provider.key_variables.first() {
            desk = desk.with(variable, KEY);
        }
        sims.push(sim);
    }
    let ids: Vec<&str> = providers::registry().iter().map(|provider| provider.id).collect();
    let providers = format!("--providers={}", ids.join(","));
    let load = ["benchmark", &providers, "--model=tiny", "--requests=1", "--warmup=1", "--max-tokens=3"];
    let outcome = desk.run(&[&load[..], more].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    let run = latest(&desk);
    for id in ids {
        let records = records(&run, id);
        assert_eq!(records.len(), 2, "{id}");
        for record in records {
            assert!(record.outcome.is_complete(), "{id}: {:?}", record.outcome);
            let tokens = record.tokens.unwrap();
            let reported = record.usage.and_then(|usage| usage.output_tokens);
            assert!((1..=3).contains(&tokens.output), "{id}: {tokens:?}");
            assert_eq!(reported, (tokens.source == TokenSource::ServerUsage).then_some(tokens.output), "{id}");
        }
    }
}

#[test]
fn a_target_can_be_told_to_speak_another_protocol() {
    let desk = Desk::new();
    let sims =
        [start(prompt_engine(Engine::Tgi)), start(prompt_engine(Engine::Ollama)), start(prompt_engine(Engine::Vllm))];
    let named = |name: &str, provider: &str, sim: &Sim, dialect: &str| {
        format!("--target={name}={provider}@{},dialect={dialect}", sim.url())
    };
    let targets = [
        named("a", "tgi", &sims[0], "tgi"),
        named("b", "ollama", &sims[1], "ollama-generate"),
        named("c", "ollama", &sims[1], "openai-chat"),
        named("d", "vllm", &sims[2], "openai-completions"),
    ];
    let mut arguments = vec!["benchmark", "--requests=1", "--max-tokens=3"];
    arguments.extend(targets.iter().map(String::as_str));
    let outcome = desk.run(&arguments);
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
}

#[test]
fn a_wrong_key_is_told_with_the_variable_it_came_from() {
    let groq = providers::find("groq").unwrap();
    let sim = stand_in(groq);
    let desk = Desk::new().with("GROQ_BASE_URL", &sim.url()).with("GROQ_API_KEY", "another-key-than-that");
    let outcome = desk.run(&["benchmark", "--providers=groq", "--model=tiny", "--requests=1"]);
    assert_eq!(outcome.status, Some(1), "{}", outcome.all());
    assert!(outcome.err.contains("check the value of GROQ_API_KEY"), "{}", outcome.err);
    assert!(!outcome.all().contains("another-key-than-that"));
}
