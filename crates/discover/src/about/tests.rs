use jiff::civil::date;
use providers::{Ask, PriceBook};

use super::*;
use crate::models::tests::{Server, connector};
use crate::recognise::tests::{raw, said};

fn read(model: &str, answers: &[(Probe, Answer)]) -> About {
    About::read(&Url::parse("http://127.0.0.1:1/").unwrap(), model, answers)
}

/// What is known, a line each: `name: value (source)`.
#[track_caller]
fn check(model: &str, answers: &[(Probe, Answer)], expected: &[&str]) {
    let lines = read(model, answers).lines();
    let lines: Vec<_> = lines.iter().map(|line| format!("{}: {} ({})", line.name, line.value, line.source)).collect();
    assert_eq!(lines, expected);
}

#[test]
fn what_engines_were_recorded_to_say_is_known_with_its_page() {
    check(
        "smollm2-135m",
        &[
            (Probe::Models, raw(include_bytes!("../../tests/data/vllm-0.32.0/models.raw"))),
            (Probe::Version, raw(include_bytes!("../../tests/data/vllm-0.32.0/version.raw"))),
        ],
        &[
            "engine: vLLM 0.32.0 (/version)",
            "weights: SmolLM2-135M-Instruct (/v1/models)",
            "context: 1024 tokens (/v1/models)",
        ],
    );
    check(
        "any name will do",
        &[
            (Probe::Models, raw(include_bytes!("../../tests/data/llamacpp-b11434/models.raw"))),
            (Probe::Props, raw(include_bytes!("../../tests/data/llamacpp-b11434/props.raw"))),
        ],
        &[
            "engine: llama.cpp b0-unknown (/props)",
            "weights: SmolLM2-135M-Instruct.Q4_1.gguf (/props)",
            "parameters: 134515008 (/v1/models)",
            "quantization: Q4_1 (/v1/models)",
            "context: 1024 tokens (/props)",
            "requests at once: 4 (/props)",
        ],
    );
    check(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        &[
            (Probe::Models, raw(include_bytes!("../../tests/data/tgi-3.3.6-dev0-llamacpp/models.raw"))),
            (Probe::Info, raw(include_bytes!("../../tests/data/tgi-3.3.6-dev0-llamacpp/info.raw"))),
        ],
        &[
            "engine: TGI 3.3.6-dev0 (/info)",
            "weights: HuggingFaceTB/SmolLM2-135M-Instruct (/info)",
            "context: 1024 tokens (/info)",
            "longest prompt: 1000 tokens (/info)",
            "requests at once: 16 (/info)",
        ],
    );
}

const TAGS: &str =
    r#"{"models":[{"name":"a:latest","size":8,"details":{"parameter_size":"3.2B","quantization_level":"Q4_K_M"}}]}"#;

/// An Ollama that has two models of which `loaded` is in memory.
fn ollama(loaded: &str) -> Vec<(Probe, Answer)> {
    let held = format!(r#"{{"models":[{{"name":"{loaded}","size":8,"size_vram":6,"context_length":4096}}]}}"#);
    vec![
        (Probe::OllamaTags, said(200, TAGS)),
        (Probe::OllamaVersion, said(200, r#"{"version":"0.14.1"}"#)),
        (Probe::OllamaLoaded, said(200, &held)),
    ]
}

#[test]
fn ollama_tells_about_the_model_that_is_loaded_and_not_for_another() {
    let known = [
        "engine: Ollama 0.14.1 (/api/version)",
        "parameters: 3.2B (/api/tags)",
        "quantization: Q4_K_M (/api/tags)",
        "context: 4096 tokens (/api/ps)",
        "on GPU: 75 % (/api/ps)",
    ];
    check("a", &ollama("a:latest"), &known);
    check("a", &ollama("b:latest"), &known[..3]);
}

#[test]
fn a_service_tells_about_the_model_that_is_meant_and_what_it_does_not_say_is_not_known() {
    let list = r#"{"data":[{"id":"a","context_window":131072,"max_completion_tokens":32768},{"id":"b","context_window":8192}]}"#;
    let listed = [(Probe::Models, said(200, list))];
    check("a", &listed, &["context: 131072 tokens (/v1/models)", "longest answer: 32768 tokens (/v1/models)"]);
    check("b", &listed, &["context: 8192 tokens (/v1/models)"]);
    check("c", &listed, &[]);
    let about = read("a", &listed);
    assert_eq!((about.software, about.version), (None, None));
    let ids: Vec<_> = about.models.iter().flat_map(|models| &models.value).map(Untrusted::raw).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn hostile_and_strange_values_are_bounded_or_left_out() {
    let long = "x".repeat(10_000);
    let list = format!(
        r#"{{"data":[{{"id":"m","owned_by":"vllm","root":"{long}","max_model_len":-1,"context_window":"all",
        "max_completion_tokens":0,"meta":{{"n_params":{{}}}}}}]}}"#
    );
    let about =
        read("m", &[(Probe::Models, said(200, &list)), (Probe::Version, said(200, r#"{"version":"\u001b[2J"}"#))]);
    assert!(about.weights.as_ref().unwrap().value.raw().len() <= VALUE_BYTES + '…'.len_utf8());
    let absent = (about.context_length.clone(), about.max_output.clone(), about.parameters.clone());
    assert_eq!(absent, (None, None, None));
    assert_eq!(about.lines()[0].value.to_string(), "vLLM \u{FFFD}[2J");
    assert_eq!(read("m", &[(Probe::Models, said(500, "<html>"))]), About::default());
}

async fn ask(provider: &str, url: &str) -> About {
    let ask = Ask { provider, url: Some(url), model: Some("m"), ..Ask::default() };
    let env = |name: &str| name.ends_with("_API_KEY").then(|| "canary".to_owned());
    let target = providers::resolve(&ask, &env, &PriceBook::embedded(), date(2026, 11, 22)).unwrap();
    about(&connector(), &target).await
}

#[tokio::test]
async fn an_engine_is_asked_for_its_pages_with_the_targets_key_and_a_service_for_its_list_alone() {
    let said = r#"{"version":"0.33.0","data":[{"id":"m","owned_by":"vllm","max_model_len":4096}]}"#;
    let server = Server::saying("200 OK", said, 2).await;
    let about = ask("vllm", &server.url).await;
    assert!(about.simulated);
    assert_eq!(about.context_length, Some(Told { value: 4096, source: "/v1/models" }));
    let requests = server.requests.await.unwrap();
    assert!(requests[0].starts_with("get /v1/models ") && requests[1].starts_with("get /version "), "{requests:?}");
    assert!(requests.iter().all(|request| request.contains("authorization: bearer canary")), "{requests:?}");

    let said = r#"{"data":[{"id":"m","context_window":4096}]}"#;
    let server = Server::saying("200 OK", said, 1).await;
    assert_eq!(ask("groq", &server.url).await.lines().len(), 1);
    assert_eq!(server.requests.await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_a_server_that_does_not_answer_nothing_is_known() {
    let server = Server::saying("401 Unauthorized", "{}", 1).await;
    assert_eq!(ask("groq", &server.url).await.lines(), []);
    // Nobody listens there any more.
    server.requests.await.unwrap();
    assert_eq!(ask("vllm", &server.url).await, About::default());
}
