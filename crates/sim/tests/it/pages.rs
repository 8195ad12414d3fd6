//! Side endpoints, refusals and what is no request at all.

use sim::{Config, Engine, Sim, SimError};

use crate::client::{Client, fast};

#[track_caller]
fn check(engine: Engine, requests: &[(&str, &str, u16, &str)]) {
    let sim = Sim::start(fast(engine)).unwrap();
    let mut client = Client::new(&sim);
    for &(path, body, status, says) in requests {
        let response = if body.is_empty() { client.get(path) } else { client.post(path, body) };
        assert_eq!(response.status, status, "{engine} {path} {body}: {}", response.text());
        assert!(response.text().contains(says), "{engine} {path} {body}: {}", response.text());
    }
}

#[test]
fn vllm_has_its_side_endpoints_and_refusals() {
    let chat = "/v1/chat/completions";
    check(
        Engine::Vllm,
        &[
            ("/health", "", 200, ""),
            ("/ping", "", 200, ""),
            ("/version", "", 200, r#""version":"0.32.0""#),
            ("/v1/models", "", 200, r#""owned_by":"vllm""#),
            ("/metrics", "", 200, "vllm:time_to_first_token_seconds_bucket"),
            ("/tokenize", r#"{"prompt":"Hello world, how are you?"}"#, 200, r#""count":7"#),
            ("/tokenize", r#"{"messages":[{"role":"user","content":"Hello world"}]}"#, 200, r#""count":9"#),
            ("/v1/no-such-path", "", 404, r#"{"detail":"Not Found"}"#),
            (chat, "", 405, r#"{"detail":"Method Not Allowed"}"#),
            (chat, "{\"messages\": [", 400, r#""type":"Bad Request""#),
            (chat, r#"{"max_tokens":4}"#, 400, "body.messages"),
            (chat, r#"{"messages":[]}"#, 400, "empty conversation"),
            (chat, r#"{"messages":[{"role":"user","content":"x"}],"max_tokens":"many"}"#, 400, "Bad Request"),
            (
                chat,
                r#"{"messages":[{"role":"user","content":"x"}],"max_tokens":0}"#,
                400,
                "max_tokens must be at least 1, got 0.",
            ),
            (chat, r#"{"messages":[{"role":"user","content":"x"}],"max_tokens":-5}"#, 400, r#""param":"max_tokens""#),
            (chat, r#"{"messages":[{"role":"user","content":"x"}],"max_tokens":100000}"#, 400, "max_model_len=32768"),
            (chat, r#"{"messages":[{"role":"user","content":"x"}],"temperature":-1}"#, 400, "temperature"),
            (
                chat,
                r#"{"model":"no-such-model","messages":[{"role":"user","content":"x"}],"stream":true}"#,
                404,
                r#""message":"The model `no-such-model` does not exist. Valid aliases: sim-vllm.""#,
            ),
            (
                "/v1/completions",
                &format!(r#"{{"prompt":"{}"}}"#, "word ".repeat(40_000)),
                400,
                "maximum context length is 32768 tokens",
            ),
        ],
    );
}

#[test]
fn tgi_has_its_side_endpoints_and_refusals() {
    let long = format!(r#"{{"inputs":"{}"}}"#, "word ".repeat(20_000));
    check(
        Engine::Tgi,
        &[
            ("/health", "", 200, ""),
            ("/info", "", 200, r#""router":"text-generation-router""#),
            ("/v1/models", "", 200, r#""owned_by":"sim-tgi""#),
            ("/metrics", "", 200, "tgi_request_duration_bucket"),
            ("/tokenize", r#"{"inputs":"Hello world"}"#, 200, r#""text":" world""#),
            ("/version", "", 404, ""),
            ("/generate", r#"{"inputs":"x","parameters":{"max_new_tokens":0}}"#, 422, "strictly positive"),
            ("/generate", r#"{"inputs":"x","parameters":{"max_new_tokens":-5}}"#, 422, "Failed to deserialize"),
            ("/generate", "{", 400, "Failed to parse the request body as JSON"),
            ("/generate", "{}", 422, "missing field `inputs`"),
            ("/generate", &long, 422, r#""error_type":"validation""#),
            ("/generate_stream", &long, 200, r#"data: {"error":"Input validation error"#),
            (
                "/v1/chat/completions",
                r#"{"model":"anything","messages":[{"role":"user","content":"x"}],"max_tokens":1}"#,
                200,
                r#""model":"anything""#,
            ),
        ],
    );
}

#[test]
fn ollama_has_its_side_endpoints_and_refusals() {
    check(
        Engine::Ollama,
        &[
            ("/", "", 200, "Ollama is running"),
            ("/api/version", "", 200, r#""version""#),
            ("/api/tags", "", 200, r#""name":"sim-ollama""#),
            ("/api/ps", "", 200, r#""size_vram""#),
            ("/api/show", r#"{"model":"sim-ollama"}"#, 200, r#""llama.context_length":8192"#),
            ("/v1/models", "", 200, r#""owned_by":"library""#),
            (
                "/api/chat",
                r#"{"model":"other","messages":[{"role":"user","content":"x"}]}"#,
                404,
                r#"{"error":"model 'other' not found"}"#,
            ),
            (
                "/v1/chat/completions",
                r#"{"model":"other","messages":[{"role":"user","content":"x"}]}"#,
                404,
                "not_found_error",
            ),
            ("/metrics", "", 404, ""),
        ],
    );
}

#[test]
fn a_hosted_api_has_models_and_nothing_else() {
    check(
        Engine::OpenAi,
        &[
            ("/v1/models", "", 200, r#""id":"sim-openai""#),
            ("/openai/v1/models", "", 200, r#""id":"sim-openai""#),
            (
                "/v1/messages",
                r#"{"model":"other","messages":[{"role":"user","content":"x"}]}"#,
                404,
                r#""type":"error""#,
            ),
            ("/metrics", "", 404, "Invalid URL (GET /metrics)"),
            ("/health", "", 404, ""),
        ],
    );
}

#[test]
fn metrics_count_what_was_served() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let mut client = Client::new(&sim);
    for stream in [true, false, false] {
        let body = format!(r#"{{"prompt":"one two three","max_tokens":5,"stream":{stream}}}"#);
        client.post("/v1/completions", &body);
    }
    assert!(sim.wait_idle(crate::client::PATIENCE));
    let page = client.get("/metrics");
    for line in [
        r#"vllm:prompt_tokens_total{engine="0",model_name="sim-vllm"} 9.0"#,
        r#"vllm:generation_tokens_total{engine="0",model_name="sim-vllm"} 15.0"#,
        r#"vllm:request_success_total{engine="0",finished_reason="length",model_name="sim-vllm"} 3.0"#,
        r#"vllm:time_to_first_token_seconds_count{engine="0",model_name="sim-vllm"} 3"#,
        r#"vllm:inter_token_latency_seconds_count{engine="0",model_name="sim-vllm"} 12"#,
        r#"vllm:num_requests_running{engine="0",model_name="sim-vllm"} 0.0"#,
    ] {
        assert!(page.text().contains(line), "{line}\n{}", page.text());
    }
}

#[test]
fn a_required_key_must_be_shown() {
    let key = "sk-sim-secret";
    for engine in Engine::ALL {
        let sim = Sim::start(Config { require_key: Some(key.into()), ..fast(engine) }).unwrap();
        for (header, status) in [
            (String::new(), 401),
            ("Authorization: Bearer wrong\r\n".to_owned(), 401),
            (format!("Authorization: Bearer {key}\r\n"), 200),
            (format!("x-api-key: {key}\r\n"), 200),
        ] {
            let mut client = Client::new(&sim);
            client.send("GET", "/v1/models", &header, "");
            assert_eq!(client.response().status, status, "{engine} {header}");
        }
        assert!(!format!("{sim:?}").contains(key), "{engine}");
    }
}

#[test]
fn what_is_no_request_is_answered_and_closed() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let mut client = Client::new(&sim);
    client.send("GET /\u{1} nonsense\r\n", "/", "", "");
    assert_eq!(client.response().status, 400);
    assert!(client.try_response().is_err());
}

#[test]
fn a_connection_serves_one_request_after_another_and_pipelined_ones() {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let mut client = Client::new(&sim);
    for _ in 0..3 {
        client.send("GET", "/version", "", "");
    }
    client.send("HEAD", "/version", "Connection: close\r\n", "");
    for _ in 0..3 {
        assert_eq!(client.response().json()["version"], "0.32.0");
    }
    assert!(client.head().unwrap().starts_with("HTTP/1.1 200"));
    assert!(client.head().is_err());
}

#[test]
fn extra_headers_go_with_every_answer_and_bad_ones_never_start() {
    let headers = vec![("x-region".to_owned(), "nowhere".to_owned())];
    let sim = Sim::start(Config { headers, ..fast(Engine::Tgi) }).unwrap();
    assert_eq!(Client::new(&sim).get("/info").header("x-region"), Some("nowhere"));
    let headers = vec![("x-region".to_owned(), "a\r\nb: c".to_owned())];
    let error = Sim::start(Config { headers, ..fast(Engine::Tgi) }).unwrap_err();
    assert!(matches!(error, SimError::Header { .. }), "{error}");
}
