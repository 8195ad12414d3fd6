//! What a request asks for, whichever engine's words it uses.

use std::borrow::Cow;
use std::ops::Deref;

use serde::Deserialize;
use serde_json::Value;

use crate::engine::Engine;
use crate::format::quoted;
use crate::prefix::Blocks;
use crate::problem::{Kind, Problem, Unreadable};
use crate::recollection::{asks, recollection};
use crate::state::State;
use crate::tokens;

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

    const fn takes_messages(self) -> bool {
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

/// Text of a body, as it stands there unless something in it is escaped.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// What all routes' bodies have in common or apart; fields we do not know are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct Body<'a> {
    #[serde(borrow)]
    pub(crate) model: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) messages: Option<Vec<Message<'a>>>,
    #[serde(borrow)]
    system: Option<Content<'a>>,
    #[serde(borrow)]
    pub(crate) prompt: Option<Prompt<'a>>,
    #[serde(borrow)]
    pub(crate) inputs: Option<Text<'a>>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    min_tokens: Option<i64>,
    ignore_eos: Option<bool>,
    temperature: Option<f64>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    parameters: Option<Parameters>,
    options: Option<Options>,
    response_format: Option<Typed>,
    format: Option<Value>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    #[serde(borrow)]
    images: Option<Vec<Text<'a>>>,
    cache_salt: Option<String>,
    #[serde(borrow)]
    pub(crate) input: Option<Input<'a>>,
    pub(crate) dimensions: Option<i64>,
    pub(crate) encoding_format: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(default, borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    content: Option<Content<'a>>,
    /// Ollama's.
    #[serde(default, borrow)]
    images: Vec<Text<'a>>,
}

/// An object that says what it is.
#[derive(Debug, Deserialize)]
struct Typed {
    #[serde(rename = "type", default)]
    kind: String,
}

/// A tool on offer: OpenAI's within a function, Anthropic's plain.
#[derive(Debug, Deserialize)]
struct Tool {
    name: Option<String>,
    function: Option<Function>,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content<'a> {
    #[serde(borrow)]
    Text(Text<'a>),
    #[serde(borrow)]
    Parts(Vec<Part<'a>>),
}

#[derive(Debug, Deserialize)]
struct Part<'a> {
    #[serde(default, borrow)]
    text: Text<'a>,
    /// A picture as OpenAI's parts have it, and as Anthropic's do.
    image_url: Option<Value>,
    source: Option<Value>,
}

impl Part<'_> {
    fn image(&self) -> Option<&Value> {
        self.image_url.as_ref().or(self.source.as_ref())
    }
}

/// Texts to embed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Input<'a> {
    #[serde(borrow)]
    Text(Text<'a>),
    #[serde(borrow)]
    Texts(Vec<Text<'a>>),
    Ids(Vec<u32>),
    ManyIds(Vec<Vec<u32>>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Prompt<'a> {
    #[serde(borrow)]
    Text(Text<'a>),
    #[serde(borrow)]
    Texts(Vec<Text<'a>>),
    Ids(Vec<u32>),
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
    #[serde(default)]
    continuous_usage_stats: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Parameters {
    max_new_tokens: Option<i64>,
    grammar: Option<Value>,
    #[serde(default)]
    details: bool,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
struct Options {
    num_predict: Option<i64>,
}

impl Message<'_> {
    /// Its tokens, without the template's.
    fn tokens(&self) -> u32 {
        let texts = self.content.iter().flat_map(Content::texts).map(tokens::count);
        let images = self.content.iter().flat_map(Content::images).count() + self.images.len();
        texts.fold(tokens_of(images), u32::saturating_add)
    }

    fn chars(&self) -> usize {
        self.content.iter().flat_map(Content::texts).map(|text| text.chars().count()).sum()
    }
}

/// Tokens of so many pictures.
fn tokens_of(images: usize) -> u32 {
    u32::try_from(images).unwrap_or(u32::MAX).saturating_mul(tokens::PER_IMAGE)
}

impl Content<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let (text, parts) = match self {
            Self::Text(text) => (Some(&**text), &[][..]),
            Self::Parts(parts) => (None, parts.as_slice()),
        };
        text.into_iter().chain(parts.iter().map(|part| &*part.text))
    }

    fn images(&self) -> impl Iterator<Item = &Value> {
        let parts = if let Self::Parts(parts) = self { parts.as_slice() } else { &[] };
        parts.iter().filter_map(Part::image)
    }
}

impl<'a> Body<'a> {
    /// Reads a body's JSON.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Problem> {
        // What is text as a whole need not be checked string by string; what is not may still be a body.
        let read = str::from_utf8(bytes).map_or_else(|_| serde_json::from_slice(bytes), serde_json::from_str);
        read.map_err(|error| {
            let unreadable = if error.is_data() { Unreadable::Shape } else { Unreadable::Syntax };
            Problem { unreadable: Some(unreadable), ..Problem::new(Kind::BadRequest, error.to_string()) }
        })
    }

    /// Tokens and characters of the conversation.
    pub(crate) fn measure_messages(&self) -> (u32, usize) {
        let system = self.system.iter().flat_map(Content::texts);
        let (count, chars) = system.fold((0, 0), |(count, chars), text| {
            (tokens::count(text).saturating_add(count), chars + text.chars().count())
        });
        let messages = self.messages.iter().flatten();
        let all = self.system.iter().map(|_| count).chain(messages.clone().map(Message::tokens));
        (tokens::count_chat(all), chars + messages.map(Message::chars).sum::<usize>())
    }

    fn measure_prompt(&self) -> Option<(u32, usize)> {
        let images = tokens_of(self.images.iter().flatten().count());
        let text = |text: &str| (tokens::count(text).saturating_add(images), text.chars().count());
        match self.prompt.as_ref()? {
            Prompt::Text(one) => Some(text(one)),
            Prompt::Texts(several) => several.first().map(|first| text(first)),
            Prompt::Ids(ids) => Some((u32::try_from(ids.len()).unwrap_or(u32::MAX), 0)),
        }
    }

    /// The prompt's tokens in blocks, as many as are counted; nothing for routes of other engines than vLLM.
    fn blocks(&self, route: Route) -> Blocks {
        let mut blocks = Blocks::new(self.cache_salt.as_deref().unwrap_or_default());
        let mut put = |count: u32, token: u32| (0..count).for_each(|_| blocks.push(token));
        if route == Route::Chat {
            put(tokens::PER_CONVERSATION, 0);
            for message in self.messages.iter().flatten() {
                put(tokens::PER_MESSAGE, tokens::id(&message.role));
                let texts = message.content.iter().flat_map(Content::texts);
                texts.flat_map(tokens::pieces).for_each(|piece| put(1, tokens::id(piece)));
                let images = message.content.iter().flat_map(Content::images);
                images.for_each(|image| put(tokens::PER_IMAGE, tokens::id(&image.to_string())));
            }
        } else {
            match &self.prompt {
                Some(Prompt::Text(text)) => tokens::pieces(text).for_each(|piece| put(1, tokens::id(piece))),
                Some(Prompt::Texts(texts)) => {
                    let pieces = texts.first().into_iter().flat_map(|text| tokens::pieces(text));
                    pieces.for_each(|piece| put(1, tokens::id(piece)));
                }
                Some(Prompt::Ids(ids)) => ids.iter().for_each(|id| put(1, *id)),
                None => {}
            }
        }
        blocks
    }

    /// The answer to a question for what was said before, from what is within `context` tokens of its end.
    fn recollection(&self, route: Route, context: u32) -> Option<String> {
        let last = self.messages.iter().flatten().last();
        let asks = |message: &Message| message.content.iter().flat_map(Content::texts).any(asks);
        // Most prompts ask nothing of the kind and need not be copied.
        if route.takes_messages() && !last.is_some_and(asks) { None } else { recollection(&self.said(route, context)) }
    }

    /// What was said, oldest first, as far back as `context` tokens reach.
    fn said(&self, route: Route, context: u32) -> Vec<String> {
        if !route.takes_messages() {
            let prompt = match &self.prompt {
                Some(Prompt::Text(text)) => Some(text),
                Some(Prompt::Texts(texts)) => texts.first(),
                Some(Prompt::Ids(_)) | None => None,
            };
            return self.inputs.iter().chain(prompt).map(|text| text.to_string()).collect();
        }
        let mut left = context.saturating_sub(tokens::PER_CONVERSATION);
        let mut said = Vec::new();
        for message in self.messages.iter().flatten().rev() {
            let Some(rest) = left.checked_sub(message.tokens().saturating_add(tokens::PER_MESSAGE)) else { break };
            left = rest;
            said.push(message.content.iter().flat_map(Content::texts).collect::<Vec<_>>().join("\n"));
        }
        said.reverse();
        said
    }

    /// What the answer is to be made of. A tool is called only when the request leaves no choice; Ollama, where one
    /// cannot say so, calls what it is given.
    fn form(&self, route: Route) -> Form {
        if let Some(name) = self.forced_tool(route) {
            return Form::Tool(name);
        }
        let parameters = self.parameters.as_ref();
        let json = match route {
            Route::OllamaChat | Route::OllamaGenerate => self.format.as_ref().is_some_and(|format| !format.is_null()),
            Route::Generate | Route::GenerateStream => parameters.is_some_and(|p| p.grammar.is_some()),
            _ => self.response_format.as_ref().is_some_and(|format| format.kind.starts_with("json")),
        };
        if json { Form::Json } else { Form::Text }
    }

    fn forced_tool(&self, route: Route) -> Option<String> {
        let tool = self.tools.as_ref().filter(|_| route.takes_messages())?.first()?;
        let first = tool.function.as_ref().map(|function| &function.name).or(tool.name.as_ref())?;
        let named = |choice: &Value| {
            let name = choice.pointer("/function/name").or(choice.get("name")).and_then(Value::as_str);
            name.unwrap_or(first).to_owned()
        };
        match &self.tool_choice {
            None => (route == Route::OllamaChat).then(|| first.clone()),
            Some(Value::String(word)) => matches!(word.as_str(), "required" | "any").then(|| first.clone()),
            Some(choice) if matches!(choice["type"].as_str(), Some("auto" | "none")) => None,
            Some(choice) => choice.is_object().then(|| named(choice)),
        }
    }

    fn measure(&self, engine: Engine, route: Route) -> Result<(u32, usize), Problem> {
        let missing = |field: &'static str| {
            let message = match engine {
                Engine::Vllm => format!(
                    "1 validation error:\n  {{'type': 'missing', 'loc': 'body.{field}', 'msg': 'Field required'}}"
                ),
                _ => format!("missing field `{field}`"),
            };
            let unreadable = Some(Unreadable::Shape);
            Problem { unreadable, ..Problem::new(Kind::BadRequest, message) }.at(field)
        };
        if route.takes_messages() {
            return match &self.messages {
                None => Err(missing("messages")),
                Some(messages) if messages.is_empty() => Err(Problem::new(
                    Kind::BadRequest,
                    "Cannot apply chat template to an empty conversation. Provide at least one message.",
                )),
                Some(_) => Ok(self.measure_messages()),
            };
        }
        match route {
            Route::Embeddings | Route::Embed => self.input.as_ref().map(Input::measure).ok_or_else(|| missing("input")),
            Route::Generate | Route::GenerateStream => self
                .inputs
                .as_deref()
                .map(|text| (tokens::count(text), text.chars().count()))
                .ok_or_else(|| missing("inputs")),
            _ => self.measure_prompt().ok_or_else(|| missing("prompt")),
        }
    }

    /// The output limit and the name of its field.
    fn limit(&self, route: Route) -> (Option<i64>, &'static str) {
        match route {
            Route::Generate | Route::GenerateStream => {
                (self.parameters.as_ref().and_then(|parameters| parameters.max_new_tokens), "max_new_tokens")
            }
            Route::OllamaChat | Route::OllamaGenerate => {
                // Negative means no limit there.
                (self.options.and_then(|options| options.num_predict).filter(|limit| *limit >= 0), "num_predict")
            }
            _ if self.max_completion_tokens.is_some() => (self.max_completion_tokens, "max_completion_tokens"),
            _ => (self.max_tokens, "max_tokens"),
        }
    }
}

impl Input<'_> {
    /// Each text as something that can be hashed; token ids as their numbers.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.to_string()],
            Self::Texts(texts) => texts.iter().map(|text| text.to_string()).collect(),
            Self::Ids(ids) => vec![format!("{ids:?}")],
            Self::ManyIds(many) => many.iter().map(|ids| format!("{ids:?}")).collect(),
        }
    }

    fn measure(&self) -> (u32, usize) {
        let ids = |ids: &Vec<u32>| u32::try_from(ids.len()).unwrap_or(u32::MAX);
        match self {
            Self::Text(text) => (tokens::count(text), text.chars().count()),
            Self::Texts(texts) => texts.iter().fold((0, 0), |(count, chars), text| {
                (tokens::count(text).saturating_add(count), chars + text.chars().count())
            }),
            Self::Ids(one) => (ids(one), 0),
            Self::ManyIds(many) => (many.iter().map(ids).fold(0, u32::saturating_add), 0),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens and characters of the prompt in `body`; why it cannot be read, if it cannot.
    #[track_caller]
    fn check(body: &[u8], expected: Result<(u32, usize), Unreadable>) {
        let measured = Body::read(body).map(|body| body.measure_prompt().unwrap());
        assert_eq!(measured.map_err(|problem| problem.unreadable.unwrap()), expected, "{}", body.escape_ascii());
    }

    #[test]
    fn text_is_the_same_whether_it_stands_as_it_is_or_is_escaped() {
        check("{\"prompt\":\"one twö\"}".as_bytes(), Ok((2, 7)));
        check(br#"{"prompt":"one\u0020tw\u00f6"}"#, Ok((2, 7)));
        check(br#"{"prompt":["one\ttwo","three"]}"#, Ok((3, 7)));
        check(br#"{"pr\u006fmpt":"\ud83d\ude00"}"#, Ok((1, 1)));
    }

    #[test]
    fn text_that_is_none_is_refused_where_it_is_read() {
        check(b"{\"prompt\":\"one \xff\"}", Err(Unreadable::Syntax));
        check(br#"{"prompt":"\ud83d"}"#, Err(Unreadable::Syntax));
        check(b"{\"prompt\":\"one\nline\"}", Err(Unreadable::Syntax));
        check(br#"{"prompt":5}"#, Err(Unreadable::Shape));
        check(b"{\"user\":\"\xff\",\"prompt\":\"one\"}", Ok((1, 3)));
    }
}
