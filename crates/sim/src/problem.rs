//! Answers that refuse: one list of problems, said as each engine says them.

use serde_json::{Value, json};

use crate::ask::Route;
use crate::engine::Engine;

/// What is wrong, by its HTTP meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    RateLimit,
    Quota,
    ServerError,
    Overloaded,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    /// The request's field at fault.
    pub(crate) param: Option<&'static str>,
    /// Whether the body could not even be read as the type it should be; TGI then answers in plain text.
    pub(crate) unreadable: Option<Unreadable>,
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not JSON.
    Syntax,
    /// It is JSON of another shape.
    Shape,
}

/// A refusal as it goes out.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

impl Problem {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), param: None, unreadable: None }
    }

    pub(crate) fn at(self, param: &'static str) -> Self {
        Self { param: Some(param), ..self }
    }

    /// The refusal before any stream has begun.
    pub(crate) fn refusal(&self, engine: Engine, route: Route) -> Refusal {
        let json = |status, value: Value| Refusal { status, content_type: JSON, body: value.to_string() };
        if route == Route::Messages {
            return json(anthropic_status(self.kind), self.anthropic());
        }
        match engine {
            Engine::Vllm | Engine::OpenAi => json(status(self.kind), self.openai(engine)),
            Engine::Ollama if route.is_openai() => json(status(self.kind), self.openai(engine)),
            Engine::Ollama => json(status(self.kind), json!({ "error": self.message })),
            Engine::Tgi => self.tgi_refusal(),
        }
    }

    /// The body of an error event under status 200.
    pub(crate) fn in_stream(&self, engine: Engine, route: Route) -> String {
        match (engine, route) {
            (_, Route::Messages) => self.anthropic(),
            (Engine::Tgi, route) if route.is_openai() => {
                // TGI says 422 here whatever happened (3.3.6, `error-overloaded-stream`).
                json!({ "error": { "message": self.message, "http_status_code": 422 } })
            }
            (Engine::Tgi, _) => self.tgi(),
            (Engine::Ollama, route) if !route.is_openai() => json!({ "error": self.message }),
            _ => self.openai(engine),
        }
        .to_string()
    }

    fn openai(&self, engine: Engine) -> Value {
        let (kind, code) = match engine {
            Engine::Vllm => (vllm_type(self), json!(status(self.kind))),
            Engine::Ollama => (ollama_type(self.kind), Value::Null),
            Engine::OpenAi | Engine::Tgi => openai_type(self.kind),
        };
        json!({ "error": { "message": self.message, "type": kind, "param": self.param, "code": code } })
    }

    fn anthropic(&self) -> Value {
        let kind = match self.kind {
            Kind::BadRequest => "invalid_request_error",
            Kind::Unauthorized => "authentication_error",
            Kind::Forbidden => "permission_error",
            Kind::NotFound => "not_found_error",
            Kind::RateLimit => "rate_limit_error",
            Kind::Quota => "billing_error",
            Kind::ServerError => "api_error",
            Kind::Overloaded => "overloaded_error",
        };
        json!({ "type": "error", "error": { "type": kind, "message": self.message } })
    }

    fn tgi(&self) -> Value {
        let kind = match self.kind {
            Kind::Overloaded => "overloaded",
            Kind::ServerError => "generation",
            _ => "validation",
        };
        json!({ "error": self.message, "error_type": kind })
    }

    fn tgi_refusal(&self) -> Refusal {
        let plain =
            |status, prefix: &str| Refusal { status, content_type: TEXT, body: format!("{prefix}: {}", self.message) };
        match (self.unreadable, self.kind) {
            (Some(Unreadable::Syntax), _) => plain(400, "Failed to parse the request body as JSON"),
            (Some(Unreadable::Shape), _) => plain(422, "Failed to deserialize the JSON body into the target type"),
            (None, Kind::BadRequest) => Refusal { status: 422, content_type: JSON, body: self.tgi().to_string() },
            (None, Kind::Overloaded) => Refusal { status: 429, content_type: JSON, body: self.tgi().to_string() },
            (None, kind) => Refusal { status: status(kind), content_type: JSON, body: self.tgi().to_string() },
        }
    }
}

const fn status(kind: Kind) -> u16 {
    match kind {
        Kind::BadRequest => 400,
        Kind::Unauthorized => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::RateLimit | Kind::Quota => 429,
        Kind::ServerError => 500,
        Kind::Overloaded => 503,
    }
}

const fn anthropic_status(kind: Kind) -> u16 {
    match kind {
        Kind::Overloaded => 529,
        kind => status(kind),
    }
}

const fn vllm_type(problem: &Problem) -> &'static str {
    match problem.kind {
        Kind::BadRequest if problem.unreadable.is_some() => "Bad Request",
        Kind::BadRequest => "BadRequestError",
        Kind::Unauthorized => "Unauthorized",
        Kind::Forbidden => "Forbidden",
        Kind::NotFound => "NotFoundError",
        Kind::RateLimit | Kind::Quota => "Too Many Requests",
        Kind::ServerError => "InternalServerError",
        Kind::Overloaded => "Service Unavailable",
    }
}

const fn ollama_type(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest => "invalid_request_error",
        Kind::NotFound => "not_found_error",
        _ => "api_error",
    }
}

fn openai_type(kind: Kind) -> (&'static str, Value) {
    match kind {
        Kind::BadRequest => ("invalid_request_error", Value::Null),
        Kind::Unauthorized => ("invalid_request_error", json!("invalid_api_key")),
        Kind::Forbidden => ("invalid_request_error", json!("unsupported_country_region_territory")),
        Kind::NotFound => ("invalid_request_error", json!("model_not_found")),
        Kind::RateLimit => ("requests", json!("rate_limit_exceeded")),
        Kind::Quota => ("insufficient_quota", json!("insufficient_quota")),
        Kind::ServerError => ("server_error", Value::Null),
        Kind::Overloaded => ("server_error", json!("overloaded")),
    }
}
