//! The side endpoints: models, versions, health, metrics, tokenizers.

use serde_json::{Value, json};

use crate::ask::Route;
use crate::body::Body;
use crate::engine::Engine;
use crate::http::Request;
use crate::problem::Refusal;
use crate::state::State;
use crate::tokens;

/// A small answer with a body of known length.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Page {
    pub(crate) fn json(value: &Value) -> Self {
        Self::new(200, "application/json", value.to_string())
    }

    fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: Some(content_type), headers: Vec::new(), body: body.into() }
    }

    fn empty(status: u16) -> Self {
        Self { status, content_type: None, headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A web page where JSON was expected: a proxy's sign-in, say.
    pub(crate) fn html() -> Self {
        let body = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n<body><h1>Please sign in to continue</h1></body></html>\n";
        Self::new(200, "text/html; charset=utf-8", body)
    }

    /// A redirect to a place that does not exist.
    pub(crate) fn redirect() -> Self {
        Self::empty(302).with("location", "http://moved.invalid/v1")
    }
}

impl From<Refusal> for Page {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status, refusal.content_type, refusal.body)
    }
}

/// The route that generates, text or vectors, at `path`, if one does. A hosted API may live under any prefix.
pub(crate) fn generating(engine: Engine, path: &str) -> Option<Route> {
    match (engine, path) {
        (Engine::OpenAi, path) if path.ends_with("/chat/completions") => Some(Route::Chat),
        (Engine::OpenAi, path) if path.ends_with("/completions") => Some(Route::Completions),
        (Engine::OpenAi, path) if path.ends_with("/messages") => Some(Route::Messages),
        (Engine::OpenAi, path) if path.ends_with("/embeddings") => Some(Route::Embeddings),
        (Engine::OpenAi, _) => None,
        (_, "/v1/chat/completions") => Some(Route::Chat),
        (_, "/v1/completions") => Some(Route::Completions),
        (Engine::Vllm | Engine::Ollama, "/v1/embeddings") => Some(Route::Embeddings),
        (Engine::Ollama, "/api/embed") => Some(Route::Embed),
        (Engine::Tgi, "/generate") => Some(Route::Generate),
        (Engine::Tgi, "/generate_stream") => Some(Route::GenerateStream),
        (Engine::Ollama, "/api/chat") => Some(Route::OllamaChat),
        (Engine::Ollama, "/api/generate") => Some(Route::OllamaGenerate),
        _ => None,
    }
}

/// Whether a key is asked for at `path`: health, versions and metrics are open everywhere.
pub(crate) fn is_guarded(path: &str) -> bool {
    !matches!(path, "/" | "/health" | "/ping" | "/version" | "/metrics" | "/info" | "/api/version")
}

/// The answer to a request that does not generate.
pub(crate) fn answer(state: &State, request: &Request<'_>) -> Page {
    let engine = state.config.engine;
    let path = request.head.path.as_str();
    if generating(engine, path).is_some() {
        return wrong_method(engine, "POST");
    }
    let page = match request.head.method.as_str() {
        "GET" | "HEAD" => get(state, path),
        "POST" => post(state, path, &request.body),
        _ => None,
    };
    page.unwrap_or_else(|| not_found(engine, &request.head.method, path))
}

fn get(state: &State, path: &str) -> Option<Page> {
    let model = state.config.model.as_str();
    let context = state.model.context;
    let page = match (state.config.engine, path) {
        (Engine::Vllm, "/health" | "/ping") | (Engine::Tgi, "/health" | "/ping" | "/") => Page::empty(200),
        (Engine::Vllm, "/version") => Page::json(&json!({ "version": "0.32.0" })),
        (Engine::Vllm, "/load") => Page::json(&json!({ "server_load": state.occupancy().running })),
        (Engine::Vllm | Engine::Tgi, "/metrics") => {
            let metrics = state.metrics().clone();
            let text = metrics.page(model, &state.occupancy())?;
            Page::new(200, metrics_type(state.config.engine), text)
        }
        (Engine::Vllm, "/v1/models") => models(&json!({
            "id": model, "object": "model", "created": CREATED, "owned_by": "vllm", "root": model,
            "parent": null, "max_model_len": context,
        })),
        (Engine::Tgi, "/v1/models") => {
            models(&json!({ "id": model, "object": "model", "created": 0, "owned_by": model }))
        }
        (Engine::Tgi, "/info") => Page::json(&json!({
            "model_id": model, "model_sha": null, "model_pipeline_tag": "text-generation",
            "max_concurrent_requests": state.model.max_batch.saturating_add(state.model.queue_limit),
            "max_best_of": 2, "max_stop_sequences": 4, "max_input_tokens": context - 1,
            "max_total_tokens": context, "validation_workers": 2, "max_client_batch_size": 4,
            "router": "text-generation-router", "version": "3.3.6", "sha": "simulated", "docker_label": null,
        })),
        (Engine::Ollama, "/") => Page::new(200, "text/plain; charset=utf-8", "Ollama is running"),
        (Engine::Ollama, "/api/version") => Page::json(&json!({ "version": "0.14.0" })),
        (Engine::Ollama, "/api/tags") => Page::json(&json!({ "models": [ollama_model(model)] })),
        (Engine::Ollama, "/api/ps") => {
            let mut loaded = ollama_model(model);
            loaded["expires_at"] = json!("2318-01-01T00:00:00Z");
            loaded["size_vram"] = json!(OLLAMA_BYTES);
            loaded["context_length"] = json!(context);
            Page::json(&json!({ "models": [loaded] }))
        }
        (Engine::Ollama, "/v1/models") => {
            models(&json!({ "id": model, "object": "model", "created": CREATED, "owned_by": "library" }))
        }
        (Engine::OpenAi, path) if path.ends_with("/models") => {
            models(&json!({ "id": model, "object": "model", "created": CREATED, "owned_by": "simulated" }))
        }
        _ => return None,
    };
    Some(page)
}

fn post(state: &State, path: &str, body: &[u8]) -> Option<Page> {
    match (state.config.engine, path) {
        (Engine::Vllm | Engine::Tgi, "/tokenize") => Some(tokenize(state, body)),
        (Engine::Ollama, "/api/show") => Some(Page::json(&show(state))),
        _ => None,
    }
}

fn tokenize(state: &State, body: &[u8]) -> Page {
    let engine = state.config.engine;
    let body = match Body::read(body) {
        Ok(body) => body,
        Err(problem) => return problem.refusal(engine, Route::Completions).into(),
    };
    if engine == Engine::Tgi {
        let text = body.inputs.unwrap_or_default();
        let mut start = 0;
        let tokens: Vec<_> = tokens::pieces(&text)
            .map(|piece| {
                let stop = start + piece.chars().count();
                let token = json!({ "id": tokens::id(piece), "text": piece, "start": start, "stop": stop });
                start = stop;
                token
            })
            .collect();
        return Page::json(&Value::from(tokens));
    }
    let (count, ids) = match (&body.messages, &body.prompt) {
        (Some(_), _) => {
            let (count, _) = body.measure_messages();
            // The template has no text of its own here: its tokens are all alike.
            (count, vec![1; count as usize])
        }
        (None, Some(crate::body::Prompt::Text(text))) => {
            let ids: Vec<_> = tokens::pieces(text).map(tokens::id).collect();
            (u32::try_from(ids.len()).unwrap_or(u32::MAX), ids)
        }
        _ => (0, Vec::new()),
    };
    Page::json(&json!({
        "count": count, "max_model_len": state.model.context, "tokens": ids, "token_strs": null,
    }))
}

/// When the simulated models were made: a date that never changes.
const CREATED: i64 = 1_750_000_000;
const OLLAMA_BYTES: u64 = 4_920_753_328;

fn models(model: &Value) -> Page {
    Page::json(&json!({ "object": "list", "data": [model] }))
}

fn ollama_details() -> Value {
    json!({
        "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
        "parameter_size": "8.0B", "quantization_level": "Q4_K_M",
    })
}

fn ollama_model(name: &str) -> Value {
    json!({
        "name": name, "model": name, "modified_at": "2025-06-15T15:06:40Z", "size": OLLAMA_BYTES,
        "digest": "0".repeat(64), "details": ollama_details(),
    })
}

fn show(state: &State) -> Value {
    json!({
        "details": ollama_details(),
        "model_info": {
            "general.architecture": "llama",
            "general.parameter_count": 8_030_261_248_u64,
            "llama.context_length": state.model.context,
        },
        "parameters": "", "template": "{{ .Prompt }}", "capabilities": ["completion", "tools", "vision", "embedding"],
    })
}

const fn metrics_type(engine: Engine) -> &'static str {
    match engine {
        Engine::Vllm => "text/plain; version=1.0.0; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

fn not_found(engine: Engine, method: &str, path: &str) -> Page {
    match engine {
        Engine::Vllm => Page::new(404, "application/json", r#"{"detail":"Not Found"}"#),
        Engine::Tgi => Page::empty(404),
        Engine::Ollama => Page::new(404, "text/plain", "404 page not found"),
        Engine::OpenAi => {
            let message = format!("Invalid URL ({method} {path})");
            let error = json!({ "message": message, "type": "invalid_request_error", "param": null, "code": null });
            Page::new(404, "application/json", json!({ "error": error }).to_string())
        }
    }
}

fn wrong_method(engine: Engine, allowed: &'static str) -> Page {
    match engine {
        Engine::Vllm => Page::new(405, "application/json", r#"{"detail":"Method Not Allowed"}"#),
        Engine::Tgi => Page::empty(405),
        Engine::Ollama => Page::new(405, "text/plain", "405 method not allowed"),
        Engine::OpenAi => Page::new(405, "application/json", r#"{"error":{"message":"Not allowed on this path","type":"invalid_request_error","param":null,"code":"method_not_supported"}}"#),
    }
    .with("allow", allowed)
}
