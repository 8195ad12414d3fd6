use super::*;

/// A response as it came over the wire.
pub(crate) fn raw(response: &[u8]) -> Answer {
    let text = String::from_utf8(response.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer { status: head[9..12].parse().unwrap(), simulated: false, body: body.into() }
}

pub(crate) fn said(status: u16, body: &str) -> Answer {
    Answer { status, simulated: false, body: body.into() }
}

/// What is found by these answers alone.
fn found(answers: &[(Probe, Answer)]) -> Option<Found> {
    recognise(&Url::parse("http://127.0.0.1:1/").unwrap(), answers)
}

#[track_caller]
fn check(answers: &[(Probe, Answer)], provider: &str, models: &[&str], version: Option<&str>) {
    let found = found(answers).expect("an engine");
    let ids: Vec<&str> = found.models.iter().map(Untrusted::raw).collect();
    assert_eq!((found.provider, ids.as_slice()), (provider, models));
    assert_eq!(found.version.as_ref().map(Untrusted::raw), version);
    assert!(!found.simulated && !found.needs_key);
}

#[test]
fn engines_are_known_by_what_they_were_recorded_to_say() {
    check(
        &[
            (Probe::Models, raw(include_bytes!("../../tests/data/vllm-0.32.0/models.raw"))),
            (Probe::Version, raw(include_bytes!("../../tests/data/vllm-0.32.0/version.raw"))),
        ],
        "vllm",
        &["smollm2-135m"],
        Some("0.32.0"),
    );
    check(
        &[
            (Probe::Models, raw(include_bytes!("../../tests/data/llamacpp-b11434/models.raw"))),
            (Probe::Props, raw(include_bytes!("../../tests/data/llamacpp-b11434/props.raw"))),
        ],
        "llamacpp",
        &["smollm2-135m"],
        Some("b0-unknown"),
    );
    check(
        &[
            (Probe::Models, raw(include_bytes!("../../tests/data/tgi-3.3.6-dev0-llamacpp/models.raw"))),
            (Probe::Info, raw(include_bytes!("../../tests/data/tgi-3.3.6-dev0-llamacpp/info.raw"))),
        ],
        "tgi",
        &["HuggingFaceTB/SmolLM2-135M-Instruct"],
        Some("3.3.6-dev0"),
    );
}

const LIST: &str = r#"{"object":"list","data":[{"id":"m","object":"model","created":1,"owned_by":"library"}]}"#;
const TAGS: &str = r#"{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest"}]}"#;

#[test]
fn other_engines_are_known_by_their_documented_answers() {
    let version = || (Probe::OllamaVersion, said(200, r#"{"version":"0.14.1"}"#));
    check(&[(Probe::Models, said(200, LIST)), version()], "ollama", &["m"], Some("0.14.1"));
    check(
        &[(Probe::Models, said(404, "")), version(), (Probe::OllamaTags, said(200, TAGS))],
        "ollama",
        &["llama3.2:latest"],
        Some("0.14.1"),
    );
    let lmstudio = r#"{"object":"list","data":[{"id":"m","state":"loaded","compatibility_type":"gguf"}]}"#;
    check(&[(Probe::Models, said(200, LIST)), (Probe::LmStudioModels, said(200, lmstudio))], "lmstudio", &["m"], None);
    check(&[(Probe::Models, said(200, LIST))], "openai-compatible", &["m"], None);
    check(&[(Probe::Models, said(200, r#"[{"id":"m"}]"#))], "openai-compatible", &["m"], None);
}

#[test]
fn sglang_is_not_taken_for_the_ollama_it_imitates() {
    let sglang = LIST.replace("library", "sglang");
    let info = (Probe::ServerInfo, said(200, r#"{"version":"0.5.23","api_key":"canary"}"#));
    let imitation = (Probe::OllamaTags, said(200, TAGS));
    check(&[(Probe::Models, said(200, &sglang)), info.clone(), imitation.clone()], "sglang", &["m"], Some("0.5.23"));
    let model_info = (Probe::ModelInfo, said(200, r#"{"model_path":"m","is_generation":true}"#));
    check(&[(Probe::Models, said(200, LIST)), model_info, info, imitation], "sglang", &["m"], Some("0.5.23"));
}

#[test]
fn an_engine_that_wants_a_key_is_found_without_its_models() {
    #[track_caller]
    fn check(answers: &[(Probe, Answer)], provider: &str) {
        let found = found(answers).expect("an engine");
        assert_eq!((found.provider, found.needs_key, found.models.len()), (provider, true, 0));
    }
    let version = (Probe::Version, said(200, r#"{"version":"0.33.0"}"#));
    check(&[(Probe::Models, said(401, r#"{"error":"Unauthorized"}"#)), version], "vllm");
    let refusal = r#"{"error":{"message":"missing key","type":"auth"}}"#;
    check(&[(Probe::Models, said(401, refusal))], "openai-compatible");
}

#[test]
fn other_servers_are_no_engines() {
    #[track_caller]
    fn check(answers: &[(Probe, Answer)]) {
        assert_eq!(found(answers), None);
    }
    check(&[(Probe::Models, said(404, "<html>not here</html>"))]);
    check(&[(Probe::Models, said(200, "<html>a page for any path</html>"))]);
    check(&[(Probe::Models, said(401, r#"{"error":"login"}"#))]);
    check(&[(Probe::Models, said(403, "<html>Jenkins</html>"))]);
    check(&[(Probe::Models, said(404, "{}")), (Probe::Version, said(200, r#"{"version":"1.30"}"#))]);
    check(&[(Probe::Models, said(200, r#"{"data":[]}"#)), (Probe::Info, said(200, r#"{"version":"2"}"#))]);
    check(&[(Probe::Models, said(500, LIST))]);
    check(&[(Probe::Models, said(200, "[[[[1"))]);
}

#[test]
fn our_own_simulated_engines_give_themselves_away() {
    let answer = Answer { simulated: true, ..said(200, LIST) };
    assert!(found(&[(Probe::Models, answer)]).unwrap().simulated);
}

#[test]
fn what_a_server_says_is_bounded_and_clean_when_shown() {
    let items: Vec<String> = (0..1_500).map(|i| format!(r#"{{"id":"m{i}"}}"#)).collect();
    let many = format!(r#"{{"data":[{{"id":"{}"}},{}]}}"#, "x".repeat(300), items.join(","));
    let found_many = found(&[(Probe::Models, said(200, &many))]).unwrap();
    assert_eq!((found_many.models.len(), found_many.models[0].raw()), (1_000, "m0"));
    let hostile = LIST.replace("\"m\"", r#""\u001b[2Jm""#);
    let long = format!(r#"{{"version":"{}"}}"#, "9".repeat(200));
    let found = found(&[(Probe::Models, said(200, &hostile)), (Probe::OllamaVersion, said(200, &long))]).unwrap();
    assert_eq!(found.models[0].to_string(), "\u{FFFD}[2Jm");
    assert!(found.version.unwrap().raw().len() < 70);
}

#[test]
fn a_server_that_named_itself_is_asked_only_for_its_version() {
    let asked = |owner: &str| Probe::after(&said(200, &LIST.replace("library", owner))).to_vec();
    assert_eq!(asked("vllm"), [Probe::Version]);
    assert_eq!(asked("sglang"), [Probe::ServerInfo]);
    assert_eq!(asked("llamacpp"), [Probe::Props]);
    assert_eq!(asked("library").len(), 8);
}
