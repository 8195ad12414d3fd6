//! Each engine's stream, as another room decodes it and as it stands on the wire.

use schema::record::FinishReason;
use sim::{Config, Engine, Pace, Sim};
use wire::decode_answer;

use crate::client::{Client, End, decode, fast, not_streamed, routes};

#[test]
fn every_route_streams_exactly_the_tokens_asked_for() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        for (path, dialect, body) in routes(engine, 7) {
            let response = Client::new(&sim).post(path, &body);
            let decoded = decode(dialect, &response.body).unwrap();
            assert_eq!((response.status, response.end), (200, End::Proper), "{engine} {path}");
            assert_eq!(decoded.content_events, 7, "{engine} {path}: {}", response.text());
            assert_eq!(decoded.finish, Some(FinishReason::Length), "{engine} {path}");
            assert_eq!(decoded.output_tokens, Some(7), "{engine} {path}");
            assert!(decoded.input_tokens.is_some_and(|tokens| tokens >= 3), "{engine} {path}");
            assert!(decoded.ending.ended && decoded.ending.finished, "{engine} {path}");
            assert_eq!(response.header("x-simulated"), Some("speed-kings"), "{engine} {path}");
        }
    }
}

#[test]
fn a_whole_answer_has_as_many_tokens_as_a_streamed_one() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        for (path, dialect, body) in routes(engine, 7) {
            let (path, body) = not_streamed(path, &body);
            let response = Client::new(&sim).post(path, &body);
            let answer = decode_answer(dialect, &response.body).unwrap();
            assert_eq!(response.status, 200, "{engine} {path}: {}", response.text());
            assert_eq!(answer.finish, Some(FinishReason::Length), "{engine} {path}: {}", response.text());
            assert!(answer.text.is_some_and(|text| text.len() > 7), "{engine} {path}: {}", response.text());
            assert_eq!(answer.usage.and_then(|usage| usage.output_tokens), Some(7), "{engine} {path}");
        }
    }
}

#[test]
fn a_model_of_any_name_is_called_by_it() {
    let model = "a \"b\\c\"\n\u{7f}ü";
    let quoted = serde_json::to_string(model).unwrap();
    for engine in Engine::ALL {
        let sim = Sim::start(Config { model: model.to_owned(), ..fast(engine) }).unwrap();
        for (path, dialect, body) in routes(engine, 3) {
            let body = body.replace(&format!("\"sim-{engine}\""), &quoted);
            let streamed = Client::new(&sim).post(path, &body);
            assert_eq!(decode(dialect, &streamed.body).unwrap().output_tokens, Some(3), "{engine} {path}");
            let (path, body) = not_streamed(path, &body);
            let whole = Client::new(&sim).post(path, &body).json();
            let named = whole.get("model").map(|named| named.as_str().unwrap());
            assert_eq!(named, Some(model).filter(|_| path != "/generate"), "{engine} {path}: {whole}");
        }
    }
}

#[test]
fn an_answer_that_may_be_long_ends_by_itself() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        for (path, dialect, body) in routes(engine, 5_000) {
            let response = Client::new(&sim).post(path, &body);
            let decoded = decode(dialect, &response.body).unwrap();
            let tokens = decoded.output_tokens.unwrap();
            assert_eq!(decoded.finish, Some(FinishReason::Stop), "{engine} {path}");
            assert!((200..=600).contains(&tokens), "{engine} {path}: {tokens}");
            assert!(tokens - decoded.content_events as u64 <= 1, "{engine} {path}");
        }
    }
}

#[test]
fn ignore_eos_and_min_tokens_make_an_answer_as_long_as_asked() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    for (field, at_least) in [(r#""ignore_eos":true"#, 2_000), (r#""min_tokens":1500"#, 1_500)] {
        let body = format!(r#"{{"model":"sim-vllm","prompt":"Go","max_tokens":2000,{field}}}"#);
        let tokens = Client::new(&sim).post("/v1/completions", &body).json()["usage"]["completion_tokens"].as_u64();
        assert!(tokens >= Some(at_least), "{field}: {tokens:?}");
    }
}

#[test]
fn continuous_usage_counts_up_on_every_event() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let body = r#"{"messages":[{"role":"user","content":"Hi"}],"max_completion_tokens":3,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}}"#;
    let response = Client::new(&sim).post("/v1/chat/completions", body);
    let counts: Vec<u64> = response
        .text()
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line.strip_prefix("data: ")?).ok())
        .filter_map(|event| event["usage"]["completion_tokens"].as_u64())
        .collect();
    assert_eq!(counts, [0, 1, 2, 3, 3]);
}

#[test]
fn events_of_several_tokens_carry_them_all() {
    let model = sim::EngineModel {
        tokens_per_event: 4,
        overhead: "0ns".parse().unwrap(),
        ..sim::EngineModel::of(Engine::Vllm)
    };
    let sim = Sim::start(Config { pace: Pace::Model(model), ..fast(Engine::Vllm) }).unwrap();
    let (path, dialect, body) = routes(Engine::Vllm, 10).remove(0);
    let decoded = decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap();
    // As vLLM's `--stream-interval 4`: one token first, then four an event, then the rest.
    assert_eq!((decoded.content_events, decoded.output_tokens), (4, Some(10)));
}

#[test]
fn one_seed_says_the_same_and_another_something_else() {
    let said = |seed| {
        let sim = Sim::start(Config { seed, ..fast(Engine::Ollama) }).unwrap();
        let (path, dialect, body) = routes(Engine::Ollama, 40).remove(2);
        decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap().text
    };
    assert_eq!(said(1), said(1));
    assert_ne!(said(1), said(2));
}

#[test]
fn ollamas_last_line_accounts_for_its_time() {
    let model = sim::EngineModel { overhead: "1ms".parse().unwrap(), ..sim::EngineModel::of(Engine::Ollama) };
    let sim = Sim::start(Config { pace: Pace::Model(model), ..fast(Engine::Ollama) }).unwrap();
    let (path, dialect, body) = routes(Engine::Ollama, 3).remove(2);
    let timing = decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap().timing;
    assert!(timing.prefill_ns.is_some() && timing.decode_ns.is_some(), "{timing:?}");
    assert!(timing.total_ns >= timing.prefill_ns, "{timing:?}");
}

/// The stream with what differs from run to run taken out.
fn shape(engine: Engine, index: usize) -> String {
    let sim = Sim::start(fast(engine)).unwrap();
    let (path, _, body) = routes(engine, 2).remove(index);
    let response = Client::new(&sim).post(path, &body);
    let head = response.head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("date"));
    let events = response.chunks.iter().map(|chunk| String::from_utf8_lossy(chunk).trim_end().to_owned());
    head.map(str::to_owned).chain(events).collect::<Vec<_>>().join("\n")
}

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#""created":\d+"#, r#""created":[time]"#);
    settings.add_filter(r#""created_at":"[^"]+""#, r#""created_at":"[time]""#);
    settings.add_filter(r#"_duration":\d+"#, r#"_duration":[ns]"#);
    settings
}

#[test]
fn vllm_chat_looks_like_its_capture() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::Vllm, 0)));
}

#[test]
fn vllm_completions_look_like_their_capture() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::Vllm, 1)));
}

#[test]
fn tgi_generate_looks_like_its_capture() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::Tgi, 2)));
}

#[test]
fn tgi_chat_looks_like_its_capture() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::Tgi, 0)));
}

#[test]
fn ollama_chat_is_lines_of_json() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::Ollama, 2)));
}

#[test]
fn anthropic_messages_are_named_events() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::OpenAi, 2)));
}

#[test]
fn hosted_chat_ends_with_a_finish_event() {
    settings().bind(|| insta::assert_snapshot!(shape(Engine::OpenAi, 0)));
}
