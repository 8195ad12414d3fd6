//! The wire formats of answers: one file a family, each shaped after captures of the real engine.

use schema::units::{Moment, Nanos};

use crate::ask::{Ask, Route};
use crate::engine::Engine;
use crate::http::Hex;
use crate::voice::Token;

mod anthropic;
mod ollama;
mod openai;
mod tgi;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// By itself.
    Stop,
    /// At the limit asked for.
    Length,
}

/// What one event carries: several tokens are their texts joined.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    /// As text.
    pub(crate) text: &'a str,
    /// As the inside of a JSON string.
    pub(crate) escaped: &'a str,
    /// The first token's id.
    pub(crate) id: u32,
}

impl Piece<'_> {
    /// An end token: counted, but without text.
    pub(crate) const END: Self = Self { text: "", escaped: "", id: 2 };
}

impl<'v> From<Token<'v>> for Piece<'v> {
    fn from(token: Token<'v>) -> Self {
        Self { text: token.text, escaped: token.escaped, id: token.id }
    }
}

/// How far an answer is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) prompt_tokens: u32,
    /// Of those, the ones that were cached.
    pub(crate) cached_tokens: u32,
    /// Generated so far, those of the event being written included.
    pub(crate) generated: u32,
    pub(crate) received: Moment,
    /// When it left the queue.
    pub(crate) scheduled: Moment,
    /// When its first and its latest token were there.
    pub(crate) first: Moment,
    pub(crate) latest: Moment,
}

impl Tally {
    pub(crate) const fn queue(&self) -> Nanos {
        self.scheduled.since(self.received)
    }

    pub(crate) const fn prefill(&self) -> Nanos {
        self.first.since(self.scheduled)
    }

    pub(crate) const fn decode(&self) -> Nanos {
        self.latest.since(self.first)
    }

    pub(crate) const fn total(&self) -> Nanos {
        self.latest.since(self.received)
    }

    const fn all_tokens(&self) -> u32 {
        self.prompt_tokens.saturating_add(self.generated)
    }
}

/// The end of an answer, for the event that carries the last token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) reason: Reason,
    /// The whole answer as the inside of a JSON string, for formats that repeat it; else empty.
    pub(crate) escaped: &'a str,
}

/// One answer's wire format. Every method appends one whole event (with its own line ends) to `out`;
/// those with an `index` are called with 0, 1, 2… until they answer `false` and append nothing.
pub(crate) trait Format: Send + Sync {
    /// Of the stream.
    fn content_type(&self) -> &'static str;

    /// Headers beside those the engine always sends.
    fn headers(&self, _tally: &Tally, _stream: bool) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether the head leaves only with the first event.
    fn head_waits(&self) -> bool {
        false
    }

    /// Whether the end-of-text token is counted and has an event of its own.
    fn has_end_token(&self) -> bool {
        false
    }

    /// Whether the last event repeats the whole answer.
    fn repeats_text(&self) -> bool {
        false
    }

    /// Events before the first token.
    fn opening(&self, _index: usize, _out: &mut Vec<u8>, _tally: &Tally) -> bool {
        false
    }

    /// The event of some tokens, the last ones when there is an ending; nothing, where they wait for a later one.
    fn piece(&self, out: &mut Vec<u8>, piece: &Piece<'_>, tally: &Tally, ending: Option<Ending<'_>>);

    /// Events after the last token.
    fn closing(&self, _index: usize, _out: &mut Vec<u8>, _tally: &Tally, _reason: Reason) -> bool {
        false
    }

    /// Events of a failure in mid-stream; `problem` is the engine's own JSON.
    fn failure(&self, index: usize, out: &mut Vec<u8>, problem: &str) -> bool;

    /// The whole answer in one JSON body; `escaped` is its text as the inside of a JSON string.
    fn whole(&self, out: &mut Vec<u8>, escaped: &str, tally: &Tally, reason: Reason);
}

/// The format of the answer in words to `ask`; `served` is the model that is served, as a JSON string.
pub(crate) fn of(engine: Engine, served: &str, ask: &Ask, id: &str) -> Box<dyn Format> {
    match ask.route {
        Route::Chat | Route::Completions | Route::Embeddings => Box::new(openai::OpenAi::new(engine, served, ask, id)),
        Route::Messages => Box::new(anthropic::Anthropic::new(ask, id)),
        Route::Generate | Route::GenerateStream => Box::new(tgi::Tgi::new(ask)),
        Route::OllamaChat | Route::OllamaGenerate | Route::Embed => Box::new(ollama::Ollama::new(ask)),
    }
}

/// How the engine writes chunk sizes.
pub(crate) const fn hex(engine: Engine) -> Hex {
    match engine {
        Engine::Tgi => Hex::Upper,
        Engine::Vllm | Engine::Ollama | Engine::OpenAi => Hex::Lower,
    }
}

/// Text as a JSON string, quotes included.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}

/// The text behind the inside of a JSON string.
fn unescaped(escaped: &str) -> String {
    serde_json::from_str(&format!("\"{escaped}\"")).expect("the inside of a JSON string, in quotes, is one")
}

/// The end of an SSE stream of OpenAI's kind.
const DONE: &[u8] = b"data: [DONE]\n\n";
