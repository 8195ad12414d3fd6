//! OpenAI's chunks as vLLM, TGI, Ollama and hosted APIs each write them.

use super::{DONE, Ending, Format, Piece, Reason, Tally, quoted};
use crate::ask::{Ask, Form, Route, UsageWish};
use crate::clock;
use crate::engine::Engine;
use crate::put::put;

/// Bytes that an event mostly has before its text.
const EVENT_START: usize = 256;

/// What every object of an answer says first.
#[derive(Debug)]
struct Identity {
    engine: Engine,
    chat: bool,
    id: String,
    created: i64,
    /// As a JSON string.
    model: String,
}

impl Identity {
    /// Appends an object's beginning, up to its `choices`.
    fn put(&self, out: &mut Vec<u8>, object: &str) {
        if self.engine == Engine::Tgi {
            put!(out, r#"{"object":""#, object, r#"","id":""#);
        } else {
            let prefix = if self.chat { "chatcmpl-" } else { "cmpl-" };
            put!(out, r#"{"id":""#, prefix, self.id, r#"","object":""#, object);
        }
        put!(out, r#"","created":"#, self.created, r#","model":"#, self.model);
        out.extend_from_slice(match self.engine {
            Engine::Vllm => b",",
            Engine::Tgi => br#","system_fingerprint":"3.3.6-sim","#.as_slice(),
            Engine::Ollama => br#","system_fingerprint":"fp_ollama","#,
            Engine::OpenAi => br#","service_tier":"default","system_fingerprint":"fp_sim","#,
        });
    }
}

/// One answer on an OpenAI route. Shapes: captures `vllm-0.32.0`, `tgi-3.3.6`; for the others their
/// published references.
#[derive(Debug)]
pub(crate) struct OpenAi {
    engine: Engine,
    chat: bool,
    usage: UsageWish,
    prompt_chars: usize,
    identity: Identity,
    /// An event up to its `choices`, `data: ` included; empty where there are no events.
    start: Vec<u8>,
    /// An event up to its text, and what closes the text; the former empty where there are no events.
    before_text: Vec<u8>,
    close: &'static str,
    /// The same for a call of a tool.
    tool: Option<Tool>,
}

/// The call of a tool that an answer is.
#[derive(Debug)]
struct Tool {
    /// The first event up to the arguments: it names the call.
    before_first: Vec<u8>,
    /// A whole answer's call up to the arguments.
    whole: String,
}

impl Tool {
    /// The call of the tool of this name; an event begins with `start` and `role`.
    fn new(start: &[u8], role: &str, id: &str, name: &str) -> Self {
        let call = format!(r#""id":"call_{id}","type":"function","function":{{"name":{},"arguments":""#, quoted(name));
        let mut before_first = Vec::new();
        put!(&mut before_first, start[..], role, r#""tool_calls":[{"index":0,"#, call);
        Self { before_first, whole: format!(r#""tool_calls":[{{{call}"#) }
    }
}

impl OpenAi {
    pub(crate) fn new(engine: Engine, served: &str, ask: &Ask, id: &str) -> Self {
        let chat = ask.route == Route::Chat;
        // TGI's completions name the model that is served, not the one asked for.
        let model = if engine == Engine::Tgi && !chat { served } else { &ask.model }.to_owned();
        let identity = Identity { engine, chat, id: id.to_owned(), created: clock::second(), model };
        let (mut start, mut before_text) = (Vec::new(), Vec::new());
        let opener = match (chat, engine) {
            (true, Engine::Tgi | Engine::Ollama) => r#""choices":[{"index":0,"delta":{"role":"assistant","content":""#,
            (true, Engine::Vllm | Engine::OpenAi) => r#""choices":[{"index":0,"delta":{"content":""#,
            (false, _) => r#""choices":[{"index":0,"text":""#,
        };
        if ask.stream {
            start.reserve(EVENT_START);
            start.extend_from_slice(b"data: ");
            identity.put(&mut start, if chat { "chat.completion.chunk" } else { "text_completion" });
        }
        let (opener, call, close, tool) = match &ask.form {
            Form::Tool(name) => {
                let role = opener.strip_suffix(r#""content":""#).unwrap_or(opener);
                let call = r#""tool_calls":[{"index":0,"function":{"arguments":""#;
                (role, call, r#""}}]}"#, Some(Tool::new(&start, role, id, name)))
            }
            Form::Text | Form::Json => (opener, "", if chat { r#""}"# } else { r#"""# }, None),
        };
        if ask.stream {
            before_text.reserve(EVENT_START);
            put!(&mut before_text, start[..], opener, call);
        }
        Self {
            engine,
            chat,
            usage: ask.usage,
            prompt_chars: ask.prompt_chars,
            identity,
            start,
            before_text,
            close,
            tool,
        }
    }

    /// Appends what follows an event's text, up to the end of `choices`.
    fn after_text(&self, out: &mut Vec<u8>, finish: Option<&str>) {
        let logprobs = if self.engine == Engine::Ollama { "" } else { r#","logprobs":null"# };
        put!(out, self.close, logprobs, r#","finish_reason":"#);
        match finish {
            Some(reason) => put!(out, "\"", reason, "\""),
            // TGI's completions say "" before the end.
            None if self.engine == Engine::Tgi && !self.chat => out.extend_from_slice(br#""""#),
            None => out.extend_from_slice(b"null"),
        }
        if self.engine == Engine::Vllm {
            out.extend_from_slice(match (self.chat, finish) {
                (true, None) => br#","token_ids":null"#,
                (true, Some(_)) => br#","stop_reason":null,"token_ids":null"#,
                (false, _) => br#","stop_reason":null,"prompt_token_ids":null,"token_ids":null"#,
            });
        }
        out.extend_from_slice(b"}]");
    }

    /// Appends the `usage` that an ordinary event has, where it has one.
    fn running_usage(&self, out: &mut Vec<u8>, tally: &Tally) {
        if self.usage == UsageWish::Always {
            let details = if self.chat { r#","completion_tokens_details":null"# } else { "" };
            put!(
                out,
                r#","usage":{"prompt_tokens":"#,
                tally.prompt_tokens,
                r#","total_tokens":"#,
                tally.all_tokens(),
                r#","completion_tokens":"#,
                tally.generated,
                details,
                "}"
            );
        } else if self.engine == Engine::Tgi && self.chat
            || self.engine == Engine::OpenAi && self.usage != UsageWish::Never
        {
            out.extend_from_slice(br#","usage":null"#);
        }
    }

    /// Whether the reason has an event of its own after the last token.
    fn has_finish_event(&self) -> bool {
        matches!(self.engine, Engine::Ollama | Engine::OpenAi)
    }

    fn finish_event(&self, out: &mut Vec<u8>, tally: &Tally, reason: Reason) {
        out.extend_from_slice(&self.start);
        out.extend_from_slice(match (self.chat, self.engine) {
            (true, Engine::OpenAi) => br#""choices":[{"index":0,"delta":{}"#,
            (true, _) => br#""choices":[{"index":0,"delta":{"role":"assistant","content":""}"#,
            (false, _) => br#""choices":[{"index":0,"text":"""#,
        });
        let logprobs = if self.engine == Engine::Ollama { "" } else { r#","logprobs":null"# };
        put!(out, logprobs, r#","finish_reason":""#, self.name(reason), r#""}]"#);
        self.running_usage(out, tally);
        out.extend_from_slice(b"}\n\n");
    }

    fn usage_event(&self, out: &mut Vec<u8>, tally: &Tally) {
        put!(out, self.start[..], r#""choices":[],"usage":"#);
        self.usage(out, tally, false);
        // vLLM's fingerprint comes here and on whole answers only.
        out.extend_from_slice(match self.engine {
            Engine::Vllm => br#","system_fingerprint":"vllm-0.32.0-sim"}"#,
            _ => b"}".as_slice(),
        });
        out.extend_from_slice(b"\n\n");
    }

    fn usage(&self, out: &mut Vec<u8>, tally: &Tally, whole: bool) {
        let (prompt, generated, total) = (tally.prompt_tokens, tally.generated, tally.all_tokens());
        match self.engine {
            Engine::Vllm => {
                put!(out, r#"{"prompt_tokens":"#, prompt, r#","total_tokens":"#, total);
                put!(out, r#","completion_tokens":"#, generated);
                match tally.cached_tokens {
                    0 if whole => out.extend_from_slice(br#","prompt_tokens_details":null"#),
                    0 => {}
                    cached => put!(out, r#","prompt_tokens_details":{"cached_tokens":"#, cached, "}"),
                }
                if whole {
                    out.extend_from_slice(br#","completion_tokens_details":null"#);
                }
            }
            Engine::Tgi | Engine::Ollama | Engine::OpenAi => {
                put!(out, r#"{"prompt_tokens":"#, prompt, r#","completion_tokens":"#, generated);
                put!(out, r#","total_tokens":"#, total);
                if self.engine == Engine::OpenAi {
                    out.extend_from_slice(
                        br#","prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}"#,
                    );
                }
            }
        }
        out.push(b'}');
    }

    const fn name(&self, reason: Reason) -> &'static str {
        match reason {
            Reason::Stop if self.tool.is_some() => "tool_calls",
            Reason::Stop => "stop",
            Reason::Length => "length",
        }
    }

    /// Appends a whole answer's `message` up to its `content`, and the calls beside it.
    fn said(&self, out: &mut Vec<u8>, escaped: &str) {
        out.extend_from_slice(br#""message":{"role":"assistant","content":"#);
        match &self.tool {
            None => put!(out, "\"", escaped, "\""),
            Some(tool) => put!(out, "null,", tool.whole, escaped, r#""}}]"#),
        }
    }

    /// Whether the usage event was asked for; TGI's completions put it on the last text event instead.
    fn has_usage_event(&self) -> bool {
        self.usage != UsageWish::Never && (self.chat || self.engine != Engine::Tgi)
    }
}

impl Format for OpenAi {
    fn content_type(&self) -> &'static str {
        match self.engine {
            Engine::Vllm | Engine::OpenAi => "text/event-stream; charset=utf-8",
            Engine::Tgi | Engine::Ollama => "text/event-stream",
        }
    }

    fn headers(&self, tally: &Tally, stream: bool) -> Vec<(&'static str, String)> {
        match self.engine {
            Engine::Tgi => super::tgi::headers(self.prompt_chars, tally, stream),
            Engine::OpenAi => {
                vec![("openai-processing-ms", (tally.total().0 / 1_000_000).to_string())]
            }
            Engine::Vllm | Engine::Ollama => Vec::new(),
        }
    }

    fn head_waits(&self) -> bool {
        self.engine == Engine::Ollama
    }

    fn has_end_token(&self) -> bool {
        matches!(self.engine, Engine::Vllm | Engine::Tgi)
    }

    fn opening(&self, index: usize, out: &mut Vec<u8>, tally: &Tally) -> bool {
        if index > 0 || !self.chat {
            return false;
        }
        let role = match self.engine {
            // No event of its own for the role: each repeats it.
            Engine::Tgi | Engine::Ollama => return false,
            Engine::Vllm => r#""delta":{"role":"assistant","content":""}"#,
            Engine::OpenAi => r#""delta":{"role":"assistant","content":"","refusal":null}"#,
        };
        put!(out, self.start[..], r#""choices":[{"index":0,"#, role, r#","logprobs":null,"finish_reason":null}]"#);
        self.running_usage(out, tally);
        if self.engine == Engine::Vllm {
            out.extend_from_slice(br#","prompt_token_ids":null,"prompt_text":null"#);
        }
        out.extend_from_slice(b"}\n\n");
        true
    }

    fn piece(&self, out: &mut Vec<u8>, piece: &Piece<'_>, tally: &Tally, ending: Option<Ending<'_>>) {
        let finish = ending.filter(|_| !self.has_finish_event()).map(|ending| self.name(ending.reason));
        out.extend_from_slice(match &self.tool {
            // The first event is of one token.
            Some(tool) if tally.generated == 1 => &tool.before_first,
            _ => &self.before_text,
        });
        out.extend_from_slice(piece.escaped.as_bytes());
        self.after_text(out, finish);
        if finish.is_some() && self.engine == Engine::Tgi && !self.chat {
            out.extend_from_slice(br#","usage":"#);
            self.usage(out, tally, false);
        } else {
            self.running_usage(out, tally);
        }
        out.extend_from_slice(b"}\n\n");
    }

    fn closing(&self, index: usize, out: &mut Vec<u8>, tally: &Tally, reason: Reason) -> bool {
        let finish = usize::from(self.has_finish_event());
        let usage = finish + usize::from(self.has_usage_event());
        match index {
            _ if index < finish => self.finish_event(out, tally, reason),
            _ if index < usage => self.usage_event(out, tally),
            _ if index == usage => out.extend_from_slice(DONE),
            _ => return false,
        }
        true
    }

    fn failure(&self, index: usize, out: &mut Vec<u8>, problem: &str) -> bool {
        match index {
            0 => put!(out, "data: ", problem, "\n\n"),
            // vLLM and TGI close the stream in good order even then; the others just stop.
            1 if self.has_end_token() => out.extend_from_slice(DONE),
            _ => return false,
        }
        true
    }

    fn whole(&self, out: &mut Vec<u8>, escaped: &str, tally: &Tally, reason: Reason) {
        let vllm = self.engine == Engine::Vllm;
        self.identity.put(out, if self.chat { "chat.completion" } else { "text_completion" });
        out.extend_from_slice(br#""choices":[{"index":0,"#);
        if self.chat {
            self.said(out, escaped);
            out.extend_from_slice(match self.engine {
                Engine::Vllm => {
                    br#","refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null}"#
                        .as_slice()
                }
                Engine::OpenAi => br#","refusal":null,"annotations":[]}"#,
                Engine::Tgi | Engine::Ollama => b"}",
            });
        } else {
            put!(out, r#""text":""#, escaped, "\"");
        }
        if self.engine != Engine::Ollama {
            out.extend_from_slice(br#","logprobs":null"#);
        }
        put!(out, r#","finish_reason":""#, self.name(reason), "\"");
        if vllm {
            out.extend_from_slice(br#","stop_reason":null,"token_ids":null"#);
        }
        out.extend_from_slice(b"}],");
        if vllm {
            out.extend_from_slice(br#""service_tier":null,"system_fingerprint":"vllm-0.32.0-sim","#);
        }
        out.extend_from_slice(br#""usage":"#);
        self.usage(out, tally, true);
        if vllm {
            out.extend_from_slice(br#","kv_transfer_params":null,"metrics":null"#);
        }
        out.push(b'}');
    }
}
