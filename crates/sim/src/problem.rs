//! Answers that refuse: one list of problems, said as each engine says them.

use crate::ask::Route;
use crate::engine::Engine;
use crate::format::quoted;

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

/// No engine of its own accord speaks of quotas; the gateway before it does, in OpenAI's words.
const QUOTA: &str = "insufficient_quota";

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
        if engine == Engine::Tgi {
            return self.tgi_refusal();
        }
        let status = if route == Route::Messages { anthropic_status(self.kind) } else { status(self.kind) };
        Refusal { status, content_type: JSON, body: self.body(engine, route) }
    }

    /// The body of an error event under status 200.
    pub(crate) fn in_stream(&self, engine: Engine, route: Route) -> String {
        if engine == Engine::Tgi && route.is_openai() {
            // TGI says 422 here whatever happened (3.3.6, `error-overloaded-stream`).
            return format!(r#"{{"error":{{"message":{},"http_status_code":422}}}}"#, quoted(&self.message));
        }
        self.body(engine, route)
    }

    /// The JSON that says it, fields in each engine's order.
    fn body(&self, engine: Engine, route: Route) -> String {
        let message = quoted(&self.message);
        match engine {
            _ if route == Route::Messages => {
                let kind = anthropic_type(self.kind);
                format!(r#"{{"type":"error","error":{{"type":"{kind}","message":{message}}}}}"#)
            }
            Engine::Tgi => format!(r#"{{"error":{message},"error_type":"{}"}}"#, tgi_type(self.kind)),
            Engine::Ollama if !route.is_openai() => format!(r#"{{"error":{message}}}"#),
            Engine::Vllm | Engine::Ollama | Engine::OpenAi => {
                let (kind, code) = self.openai_type(engine);
                let param = self.param.map_or("null".to_owned(), quoted);
                format!(r#"{{"error":{{"message":{message},"type":"{kind}","param":{param},"code":{code}}}}}"#)
            }
        }
    }

    /// The error's `type` and its `code`, as JSON.
    fn openai_type(&self, engine: Engine) -> (&'static str, String) {
        match engine {
            Engine::Vllm => (vllm_type(self), status(self.kind).to_string()),
            Engine::Ollama => (ollama_type(self.kind), "null".to_owned()),
            Engine::OpenAi | Engine::Tgi => {
                let (kind, code) = hosted_type(self.kind);
                (kind, code.map_or("null".to_owned(), quoted))
            }
        }
    }

    fn tgi_refusal(&self) -> Refusal {
        let plain =
            |status, prefix: &str| Refusal { status, content_type: TEXT, body: format!("{prefix}: {}", self.message) };
        let status = match (self.unreadable, self.kind) {
            (Some(Unreadable::Syntax), _) => return plain(400, "Failed to parse the request body as JSON"),
            (Some(Unreadable::Shape), _) => {
                return plain(422, "Failed to deserialize the JSON body into the target type");
            }
            (None, Kind::BadRequest) => 422,
            (None, Kind::Overloaded) => 429,
            (None, kind) => status(kind),
        };
        Refusal { status, content_type: JSON, body: self.body(Engine::Tgi, Route::Generate) }
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
        Kind::RateLimit => "Too Many Requests",
        Kind::Quota => QUOTA,
        Kind::ServerError => "InternalServerError",
        Kind::Overloaded => "Service Unavailable",
    }
}

const fn ollama_type(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest => "invalid_request_error",
        Kind::NotFound => "not_found_error",
        Kind::Quota => QUOTA,
        _ => "api_error",
    }
}

const fn tgi_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Overloaded | Kind::RateLimit => "overloaded",
        Kind::ServerError => "generation",
        Kind::Quota => QUOTA,
        _ => "validation",
    }
}

const fn anthropic_type(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest => "invalid_request_error",
        Kind::Unauthorized => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::NotFound => "not_found_error",
        Kind::RateLimit => "rate_limit_error",
        Kind::Quota => "billing_error",
        Kind::ServerError => "api_error",
        Kind::Overloaded => "overloaded_error",
    }
}

/// A hosted API's `type` and `code`.
const fn hosted_type(kind: Kind) -> (&'static str, Option<&'static str>) {
    match kind {
        Kind::BadRequest => ("invalid_request_error", None),
        Kind::Unauthorized => ("invalid_request_error", Some("invalid_api_key")),
        Kind::Forbidden => ("invalid_request_error", Some("unsupported_country_region_territory")),
        Kind::NotFound => ("invalid_request_error", Some("model_not_found")),
        Kind::RateLimit => ("requests", Some("rate_limit_exceeded")),
        Kind::Quota => (QUOTA, Some(QUOTA)),
        Kind::ServerError => ("server_error", None),
        Kind::Overloaded => ("server_error", Some("overloaded")),
    }
}
