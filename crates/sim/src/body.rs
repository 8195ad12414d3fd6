//! The bodies of requests, by any engine's words, and what stands in them.

use std::borrow::Cow;
use std::ops::Deref;

use serde::Deserialize;
use serde_json::Value;

use crate::ask::{Form, Route};
use crate::engine::Engine;
use crate::prefix::Blocks;
use crate::problem::{Kind, Problem, Unreadable};
use crate::recollection::{asks, recollection};
use crate::tokens;

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
    pub(crate) min_tokens: Option<i64>,
    pub(crate) ignore_eos: Option<bool>,
    pub(crate) temperature: Option<f64>,
    pub(crate) stream: Option<bool>,
    pub(crate) stream_options: Option<StreamOptions>,
    pub(crate) parameters: Option<Parameters>,
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
pub(crate) struct StreamOptions {
    #[serde(default)]
    pub(crate) include_usage: bool,
    #[serde(default)]
    pub(crate) continuous_usage_stats: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Parameters {
    max_new_tokens: Option<i64>,
    grammar: Option<Value>,
    #[serde(default)]
    pub(crate) details: bool,
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
    pub(crate) fn blocks(&self, route: Route) -> Blocks {
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
    pub(crate) fn recollection(&self, route: Route, context: u32) -> Option<String> {
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
    pub(crate) fn form(&self, route: Route) -> Form {
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

    pub(crate) fn measure(&self, engine: Engine, route: Route) -> Result<(u32, usize), Problem> {
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
    pub(crate) fn limit(&self, route: Route) -> (Option<i64>, &'static str) {
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
