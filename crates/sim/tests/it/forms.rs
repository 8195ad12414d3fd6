//! Vectors, JSON, calls of tools, pictures, conversations and prefixes.

use serde_json::{Value, json};
use sim::{Config, Engine, EngineModel, Pace, Sim};

use crate::client::{Client, PATIENCE, decode, fast, not_streamed, routes};

/// A request on a route with further fields.
fn with(body: &str, more: &Value) -> String {
    let mut body: Value = serde_json::from_str(body).unwrap();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

fn vectors(engine: Engine, path: &str, input: &Value) -> Value {
    let sim = Sim::start(fast(engine)).unwrap();
    let answer = Client::new(&sim).post(path, &json!({ "input": input }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn the_same_text_has_the_same_vector_everywhere() {
    let of = |engine, input: Value| vectors(engine, "/v1/embeddings", &input)["data"][0]["embedding"].clone();
    let vector = of(Engine::Vllm, json!("one two three"));
    assert_eq!(vector, of(Engine::OpenAi, json!(["one two three"])));
    assert_ne!(vector, of(Engine::OpenAi, json!("one two four")));
    let squares: f64 = vector.as_array().unwrap().iter().map(|x| x.as_f64().unwrap().powi(2)).sum();
    assert!((squares - 1.0).abs() < 1e-3, "{squares}");
    let native = vectors(Engine::Ollama, "/api/embed", &json!(["one two three", "four"]));
    assert_eq!((&native["embeddings"][0], native["prompt_eval_count"].as_u64()), (&vector, Some(4)));
}

#[test]
fn vectors_are_counted_and_bounded() {
    let answer = vectors(Engine::Vllm, "/v1/embeddings", &json!([[1, 2, 3], [4]]));
    assert_eq!(
        answer["usage"],
        json!({ "prompt_tokens": 4, "total_tokens": 4, "completion_tokens": 0, "prompt_tokens_details": null })
    );
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(2));
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    for (more, says) in [
        (json!({}), "body.input"),
        (json!({ "input": "x", "dimensions": 0 }), "dimensions"),
        (json!({ "input": "x", "dimensions": 1_000_000 }), "dimensions"),
        (json!({ "input": "x", "encoding_format": "base64" }), "encoding_format"),
        (json!({ "input": "word ".repeat(40_000) }), "maximum context length"),
    ] {
        let answer = Client::new(&sim).post("/v1/embeddings", &more.to_string());
        assert!(answer.status == 400 && answer.text().contains(says), "{}", answer.text());
    }
    let answer = Client::new(&sim).post("/v1/embeddings", r#"{"input":"x","dimensions":8}"#);
    assert_eq!(answer.json()["data"][0]["embedding"].as_array().map(Vec::len), Some(8));
    assert!(sim.wait_idle(PATIENCE));
    let log = sim.take_log();
    let written = log.iter().filter(|entry| entry.content).map(|entry| (u64::from(entry.bytes), entry.tokens));
    assert_eq!(written.collect::<Vec<_>>(), [(answer.bytes, 0)]);
}

/// How each route is told to answer with JSON.
fn json_mode(path: &str) -> Value {
    match path {
        "/generate_stream" => {
            json!({ "parameters": { "max_new_tokens": 9, "details": true, "grammar": { "type": "json", "value": {} } } })
        }
        "/api/chat" | "/api/generate" => json!({ "format": "json" }),
        _ => json!({ "response_format": { "type": "json_object" } }),
    }
}

#[test]
fn in_json_mode_every_answer_is_an_object_of_the_length_asked_for() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        for (path, dialect, body) in routes(engine, 9) {
            if path == "/v1/messages" {
                continue;
            }
            let body = with(&body, &json_mode(path));
            let decoded = decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap();
            let object: Value = serde_json::from_str(&decoded.text).unwrap_or_else(|e| panic!("{e}: {}", decoded.text));
            assert!(object["answer"].is_string(), "{engine} {path}: {object}");
            assert_eq!((decoded.content_events, decoded.output_tokens), (9, Some(9)), "{engine} {path}");
            let (path, body) = not_streamed(path, &body);
            let response = Client::new(&sim).post(path, &body);
            let text = wire::decode_answer(dialect, &response.body).unwrap().text.unwrap();
            assert!(serde_json::from_str::<Value>(&text).unwrap()["answer"].is_string(), "{engine} {path}");
        }
    }
}

#[test]
fn an_object_that_ends_by_itself_is_whole() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        let (path, dialect, body) = routes(engine, 5_000).remove(0);
        let body = with(&body, &json_mode(path));
        let text = decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap().text;
        assert!(serde_json::from_str::<Value>(&text).unwrap()["answer"].is_string(), "{engine}");
    }
}

fn tools() -> Value {
    let function = json!({ "name": "find_\"it\"", "description": "x", "parameters": { "type": "object" } });
    json!({
        "tools": [{ "type": "function", "function": function, "name": "find_\"it\"", "input_schema": {} }],
        "tool_choice": { "type": "any" },
    })
}

/// The arguments' parts of a streamed call, by event.
fn arguments(text: &str) -> Vec<String> {
    let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    events
        .filter_map(|event| {
            let call = event.pointer("/choices/0/delta/tool_calls/0/function/arguments");
            Some(call.or(event.pointer("/delta/partial_json"))?.as_str()?.to_owned())
        })
        .collect()
}

#[test]
fn a_forced_call_streams_its_arguments_token_by_token() {
    for engine in Engine::ALL {
        let sim = Sim::start(fast(engine)).unwrap();
        for (path, dialect, body) in routes(engine, 9) {
            if path != "/v1/chat/completions" && path != "/v1/messages" {
                continue;
            }
            let body = with(&body, &tools());
            let response = Client::new(&sim).post(path, &body);
            let parts = arguments(response.text());
            let shown: Vec<_> = parts.iter().filter(|part| !part.is_empty()).collect();
            assert_eq!(shown.len(), 9, "{engine} {path}: {}", response.text());
            assert!(serde_json::from_str::<Value>(&parts.concat()).unwrap()["answer"].is_string());
            assert_eq!(response.text().matches(r#"find_\"it\""#).count(), 1, "{engine} {path}");
            let decoded = decode(dialect, &response.body).unwrap();
            assert_eq!((decoded.content_events >= 9, decoded.output_tokens), (true, Some(9)), "{engine} {path}");
            let (path, body) = not_streamed(path, &body);
            let whole = Client::new(&sim).post(path, &body).json();
            let named =
                whole.pointer("/choices/0/message/tool_calls/0/function/name").or(whole.pointer("/content/0/name"));
            assert_eq!(named.and_then(Value::as_str), Some("find_\"it\""), "{engine} {path}: {whole}");
        }
    }
}

#[test]
fn a_call_that_ends_by_itself_says_so() {
    let sim = Sim::start(fast(Engine::OpenAi)).unwrap();
    let (path, _, body) = routes(Engine::OpenAi, 5_000).remove(0);
    let body = with(&body, &json!({ "tools": tools()["tools"], "tool_choice": "required" }));
    assert!(Client::new(&sim).post(path, &body).text().contains(r#""finish_reason":"tool_calls""#));
    let free = with(&body, &json!({ "tool_choice": "auto" }));
    assert!(!Client::new(&sim).post(path, &free).text().contains("tool_calls"));
}

#[test]
fn ollama_shows_a_call_whole() {
    let sim = Sim::start(fast(Engine::Ollama)).unwrap();
    let (path, _, body) = routes(Engine::Ollama, 9).remove(2);
    let body = with(&body, &json!({ "tools": tools()["tools"] }));
    let response = Client::new(&sim).post(path, &body);
    let lines: Vec<Value> = response.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{}", response.text());
    assert!(lines[0]["message"]["tool_calls"][0]["function"]["arguments"]["answer"].is_string(), "{}", lines[0]);
    assert_eq!(lines[1]["eval_count"], 9);
    assert!(sim.wait_idle(PATIENCE));
    assert_eq!(sim.log().iter().map(|entry| entry.tokens).sum::<u32>(), 9);
    let (path, body) = not_streamed(path, &body);
    let whole = Client::new(&sim).post(path, &body).json();
    assert!(whole["message"]["tool_calls"][0]["function"]["arguments"]["answer"].is_string(), "{whole}");
}

#[track_caller]
fn check_prompt(engine: Engine, path: &str, body: &Value, expected: u64) {
    let sim = Sim::start(fast(engine)).unwrap();
    let answer = Client::new(&sim).post(path, &body.to_string()).json();
    let tokens = answer.pointer("/usage/prompt_tokens").or(answer.get("prompt_eval_count"));
    let tokens = tokens.or(answer.pointer("/usage/input_tokens"));
    assert_eq!(tokens.and_then(Value::as_u64), Some(expected), "{engine} {path}: {answer}");
}

#[test]
fn a_picture_counts_as_256_tokens() {
    let chat = "/v1/chat/completions";
    let image = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } });
    let parts = json!([{ "type": "text", "text": "one two" }, image, image]);
    for engine in Engine::ALL {
        // Three for the conversation, four for the message.
        let body = json!({ "messages": [{ "role": "user", "content": parts }], "max_tokens": 1 });
        check_prompt(engine, chat, &body, 7 + 2 + 512);
    }
    let source = json!({ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "AAAA" } });
    let body = json!({ "messages": [{ "role": "user", "content": [source] }], "max_tokens": 1 });
    check_prompt(Engine::OpenAi, "/v1/messages", &body, 7 + 256);
    let options = json!({ "num_predict": 1 });
    let message = json!({ "role": "user", "content": "one", "images": ["AAAA"] });
    let body = json!({ "messages": [message], "stream": false, "options": options });
    check_prompt(Engine::Ollama, "/api/chat", &body, 7 + 1 + 256);
    let body = json!({ "prompt": "one", "images": ["AAAA"], "stream": false, "options": options });
    check_prompt(Engine::Ollama, "/api/generate", &body, 1 + 256);
}

#[test]
fn every_turn_of_a_conversation_is_part_of_the_prompt() {
    let turn = |role: &str, content: &str| json!({ "role": role, "content": content });
    let messages =
        [turn("system", "be kind"), turn("user", "one"), turn("assistant", "two three"), turn("user", "four")];
    let body = json!({ "messages": messages, "max_tokens": 1 });
    check_prompt(Engine::Vllm, "/v1/chat/completions", &body, 3 + 4 * 4 + 6);
}

/// A vLLM without jitter, whose prompt tokens take a millisecond each and nothing else any time to speak of.
fn reading() -> Sim {
    let model = EngineModel {
        overhead: "0ns".parse().unwrap(),
        prefill_per_token: "100us".parse().unwrap(),
        decode_base: "1us".parse().unwrap(),
        jitter: 0.0,
        ..EngineModel::of(Engine::Vllm)
    };
    Sim::start(Config { pace: Pace::Model(model), ..fast(Engine::Vllm) }).unwrap()
}

#[test]
fn a_prefix_that_was_read_before_is_cached_and_counted() {
    let sim = reading();
    let ask = |words: usize, salt: &str| {
        let prompt = (0..words).map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ");
        let body = json!({ "prompt": prompt, "max_tokens": 1, "cache_salt": salt });
        Client::new(&sim).post("/v1/completions", &body.to_string()).json()["usage"].clone()
    };
    let cached = |usage: &Value| usage["prompt_tokens_details"]["cached_tokens"].as_u64();
    let first = ask(1_000, "");
    assert_eq!((first["prompt_tokens"].as_u64(), cached(&first)), (Some(1_000), None));
    assert_eq!(cached(&ask(1_000, "")), Some(992));
    assert_eq!(cached(&ask(1_100, "")), Some(992));
    assert_eq!(cached(&ask(1_000, "salt")), None);
    assert!(sim.wait_idle(PATIENCE));
    // Reading what is cached takes no time.
    let log = sim.log();
    let took: Vec<u64> = log.iter().map(|entry| entry.before_ns - entry.received_ns).collect();
    assert!(took[0] >= 100_000_000 && took[3] >= 100_000_000 && took[1] < took[0], "{took:?}");
    let page = Client::new(&sim).get("/metrics");
    for line in [
        r#"vllm:prefix_cache_queries_total{engine="0",model_name="sim-vllm"} 4100.0"#,
        r#"vllm:prefix_cache_hits_total{engine="0",model_name="sim-vllm"} 1984.0"#,
        r#"vllm:prompt_tokens_by_source_total{engine="0",model_name="sim-vllm",source="local_compute"} 2116.0"#,
        r#"vllm:request_prefill_kv_computed_tokens_sum{engine="0",model_name="sim-vllm"} 2116"#,
        r#"vllm:request_queue_time_seconds_count{engine="0",model_name="sim-vllm"} 4"#,
        r#"vllm:request_decode_time_seconds_count{engine="0",model_name="sim-vllm"} 4"#,
    ] {
        assert!(page.text().contains(line), "{line}\n{}", page.text());
    }
}

#[test]
fn a_conversation_finds_its_earlier_turns_cached() {
    let sim = reading();
    let mut messages = vec![json!({ "role": "user", "content": "word ".repeat(100) })];
    let mut cached = Vec::new();
    for _ in 0..2 {
        let body = json!({ "messages": messages, "max_tokens": 4 });
        let answer = Client::new(&sim).post("/v1/chat/completions", &body.to_string()).json();
        cached.push(answer["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64());
        messages.push(answer["choices"][0]["message"].clone());
        messages.push(json!({ "role": "user", "content": "And then?" }));
    }
    assert_eq!(cached, [None, Some(96)]);
}
