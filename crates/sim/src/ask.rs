//! What a request asks for, whichever engine's words it uses.

use crate::body::Body;
use crate::engine::Engine;
use crate::format::quoted;
use crate::prefix::Blocks;
use crate::problem::{Kind, Problem, Unreadable};
use crate::state::State;

/// The routes that generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Completions,
    /// Anthropic's `/v1/messages`.
    Messages,
    /// TGI's `/generate`.
    Generate,
    /// TGI's `/generate_stream`.
    GenerateStream,
    /// Ollama's `/api/chat`.
    OllamaChat,
    /// Ollama's `/api/generate`.
    OllamaGenerate,
    /// `/v1/embeddings`.
    Embeddings,
    /// Ollama's `/api/embed`.
    Embed,
}

impl Route {
    /// Whether OpenAI's formats are spoken there.
    pub(crate) const fn is_openai(self) -> bool {
        matches!(self, Self::Chat | Self::Completions | Self::Embeddings)
    }

    /// Whether it answers with vectors.
    pub(crate) const fn embeds(self) -> bool {
        matches!(self, Self::Embeddings | Self::Embed)
    }

    pub(crate) const fn takes_messages(self) -> bool {
        matches!(self, Self::Chat | Self::Messages | Self::OllamaChat)
    }
}

/// Where a stream should say what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsageWish {
    Never,
    /// In an event after the last token.
    AtEnd,
    /// There, and so far on every event before (vLLM).
    Always,
}

/// What the answer is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// Text that is a JSON object.
    Json,
    /// A call of the tool of this name, with a JSON object as its arguments.
    Tool(String),
}

/// A request to generate, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) route: Route,
    /// The model as it was asked for, as a JSON string.
    pub(crate) model: String,
    pub(crate) prompt_tokens: u32,
    pub(crate) prompt_chars: usize,
    /// The most tokens the answer may have, from 1 to what the context leaves.
    pub(crate) max_tokens: u32,
    /// Tokens before which it may not end by itself.
    pub(crate) min_tokens: u32,
    pub(crate) stream: bool,
    pub(crate) usage: UsageWish,
    /// TGI's `details`.
    pub(crate) details: bool,
    pub(crate) form: Form,
    /// The prompt as the prefix cache knows it; empty where there is none.
    pub(crate) blocks: Blocks,
    /// What it asks to be reminded of, answered from what it says itself; `None` if it asks nothing of the kind.
    pub(crate) recollection: Option<String>,
}

/// Tokens of an answer whose length nobody limits: `/v1/completions` of vLLM, TGI's own routes.
const DEFAULT_COMPLETION: u32 = 16;
const DEFAULT_TGI: u32 = 100;

impl Ask {
    /// What `body` asks of `state`'s engine, or why it cannot be had.
    pub(crate) fn new(state: &State, route: Route, body: &Body<'_>) -> Result<Self, Problem> {
        let engine = state.config.engine;
        let model = known_model(state, route, body)?;
        let (prompt_tokens, prompt_chars) = body.measure(engine, route)?;
        // Ollama silently cuts prompts that are too long, and counts what is left.
        let prompt_tokens =
            if engine == Engine::Ollama { prompt_tokens.min(state.model.context) } else { prompt_tokens };
        if body.temperature.is_some_and(|temperature| temperature < 0.0) {
            return Err(Problem::new(Kind::BadRequest, "temperature must be non-negative").at("temperature"));
        }
        let max_tokens = if route.embeds() { 1 } else { output_limit(state, route, body, prompt_tokens)? };
        let forced = matches!(engine, Engine::Vllm | Engine::OpenAi) && route.is_openai();
        let min_tokens = match (forced, body.ignore_eos) {
            (false, _) => 0,
            (true, Some(true)) => max_tokens,
            (true, _) => u32::try_from(body.min_tokens.unwrap_or(0)).unwrap_or(0).min(max_tokens),
        };
        let options = body.stream_options.unwrap_or_default();
        Ok(Self {
            route,
            model,
            prompt_tokens,
            prompt_chars,
            max_tokens,
            min_tokens,
            stream: streams(route, body),
            usage: match (options.include_usage, options.continuous_usage_stats) {
                (false, _) => UsageWish::Never,
                (true, true) if engine == Engine::Vllm => UsageWish::Always,
                (true, _) => UsageWish::AtEnd,
            },
            details: body.parameters.as_ref().is_some_and(|parameters| parameters.details),
            form: body.form(route),
            blocks: if state.keeps_prefixes() { body.blocks(route) } else { Blocks::default() },
            recollection: body.recollection(route, state.model.context),
        })
    }
}

/// Whether the answer is to be streamed, by the body or by the route's habit.
pub(crate) fn streams(route: Route, body: &Body<'_>) -> bool {
    match route {
        Route::GenerateStream => true,
        Route::OllamaChat | Route::OllamaGenerate => body.stream.unwrap_or(true),
        Route::Embeddings | Route::Embed => false,
        _ => body.stream.unwrap_or(false),
    }
}

/// The model to answer for, as a JSON string.
fn known_model(state: &State, route: Route, body: &Body<'_>) -> Result<String, Problem> {
    let served = &state.config.model;
    match (body.model.as_deref(), state.config.engine) {
        (None, _) => Ok(state.quoted_model.clone()),
        (Some(asked), _) if asked == served => Ok(state.quoted_model.clone()),
        // TGI answers for whatever model it was asked.
        (Some(asked), Engine::Tgi) => Ok(quoted(asked)),
        (Some(asked), Engine::Ollama) if asked.strip_suffix(":latest") == Some(served) => Ok(quoted(asked)),
        (Some(asked), engine) => {
            let message = match engine {
                Engine::Ollama => format!("model '{asked}' not found"),
                Engine::OpenAi if route == Route::Messages => format!("model: {asked}"),
                Engine::OpenAi => format!("The model `{asked}` does not exist or you do not have access to it."),
                _ => format!("The model `{asked}` does not exist. Valid aliases: {served}."),
            };
            Err(Problem::new(Kind::NotFound, message).at("model"))
        }
    }
}

/// Tokens the answer may have: as asked, within the context, or what the route gives unasked.
fn output_limit(state: &State, route: Route, body: &Body<'_>, prompt_tokens: u32) -> Result<u32, Problem> {
    let engine = state.config.engine;
    let context = state.model.context;
    let left = context.saturating_sub(prompt_tokens);
    let (asked, field) = body.limit(route);
    let bad = |message: String| Err(Problem::new(Kind::BadRequest, message).at(field));
    let asked = match asked {
        Some(asked) if asked < 1 => {
            return match engine {
                Engine::Tgi if asked < 0 => {
                    let message = format!("{field}: invalid value: integer `{asked}`, expected u32");
                    let unreadable = Some(Unreadable::Shape);
                    Err(Problem { unreadable, ..Problem::new(Kind::BadRequest, message) })
                }
                Engine::Tgi => bad("Input validation error: `max_new_tokens` must be strictly positive".to_owned()),
                _ => bad(format!("{field} must be at least 1, got {asked}. (parameter={field}, value={asked})")),
            };
        }
        asked => asked.map(|asked| u32::try_from(asked).unwrap_or(u32::MAX)),
    };
    match engine {
        Engine::Tgi => {
            let wanted = asked.unwrap_or(if route.is_openai() { left.max(1) } else { DEFAULT_TGI });
            if prompt_tokens.saturating_add(wanted) > context {
                return bad(format!(
                    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= {context}. Given: {prompt_tokens} `inputs` tokens and {wanted} `max_new_tokens`"
                ));
            }
            Ok(wanted)
        }
        // Where a prompt was cut there is no room left, and the context is shifted along.
        Engine::Ollama => Ok(asked.unwrap_or(u32::MAX).min(if left == 0 { context } else { left })),
        Engine::Vllm | Engine::OpenAi => {
            if left == 0 {
                return Err(too_long(context, prompt_tokens));
            }
            if let Some(asked) = asked.filter(|asked| *asked > left) {
                return bad(format!(
                    "{field}={asked} cannot be greater than max_model_len={context} less {prompt_tokens} input tokens. Please request fewer output tokens. (parameter={field}, value={asked})"
                ));
            }
            let unasked = if route == Route::Completions { DEFAULT_COMPLETION.min(left) } else { left };
            Ok(asked.unwrap_or(unasked))
        }
    }
}

fn too_long(context: u32, prompt_tokens: u32) -> Problem {
    let message = format!(
        "This model's maximum context length is {context} tokens. However, your prompt contains at least {prompt_tokens} input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value={prompt_tokens})"
    );
    Problem::new(Kind::BadRequest, message).at("input_tokens")
}
