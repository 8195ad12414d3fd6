//! Ollama's `/api/chat` and `/api/generate`: one JSON object a line, durations on the last.

use schema::units::Nanos;

use super::{Ending, Format, Piece, Reason, Tally, quoted, unescaped};
use crate::ask::{Ask, Form, Route};
use crate::clock;
use crate::put::put;

/// One answer on a native Ollama route.
#[derive(Debug)]
pub(crate) struct Ollama {
    chat: bool,
    /// As a JSON string.
    model: String,
    /// The name of the tool to call, as a JSON string.
    tool: Option<String>,
}

/// What loading a model that is already loaded takes.
const LOAD: Nanos = Nanos::from_millis(12);

impl Ollama {
    pub(crate) fn new(ask: &Ask) -> Self {
        let tool = match &ask.form {
            Form::Tool(name) => Some(quoted(name)),
            Form::Text | Form::Json => None,
        };
        Self { chat: ask.route == Route::OllamaChat, model: ask.model.clone(), tool }
    }

    /// The beginning of every line.
    fn start(&self, out: &mut Vec<u8>) {
        let now = clock::wall();
        put!(out, r#"{"model":"#, self.model, r#","created_at":""#, format_args!("{now}"), r#"","#);
    }

    /// A line with the whole call of a tool.
    fn call(&self, out: &mut Vec<u8>, name: &str, escaped: &str, done: bool) {
        self.start(out);
        put!(
            out,
            r#""message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"#,
            name,
            r#","arguments":"#,
            unescaped(escaped),
            r#"}}]},"done":"#,
            done
        );
    }

    fn line(&self, out: &mut Vec<u8>, escaped: &str, done: bool) {
        self.start(out);
        let (before, after) = if self.chat {
            (r#""message":{"role":"assistant","content":""#, r#""},"done":"#)
        } else {
            (r#""response":""#, r#"","done":"#)
        };
        put!(out, before, escaped, after, done);
    }

    fn last_line(&self, out: &mut Vec<u8>, escaped: &str, tally: &Tally, reason: Reason) {
        match &self.tool {
            Some(name) if !escaped.is_empty() => self.call(out, name, escaped, true),
            _ => self.line(out, escaped, true),
        }
        let reason = match reason {
            Reason::Stop => "stop",
            Reason::Length => "length",
        };
        put!(out, r#","done_reason":""#, reason, "\"");
        let load = LOAD.0.min(tally.total().0);
        // Ollama leaves out what is zero.
        for (field, value) in [
            ("total_duration", tally.total().0),
            ("load_duration", load),
            ("prompt_eval_count", u64::from(tally.prompt_tokens)),
            ("prompt_eval_duration", tally.prefill().0),
            ("eval_count", u64::from(tally.generated)),
            ("eval_duration", tally.decode().0),
        ] {
            if value > 0 {
                put!(out, ",\"", field, "\":", value);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

impl Format for Ollama {
    fn content_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    fn head_waits(&self) -> bool {
        true
    }

    fn repeats_text(&self) -> bool {
        self.tool.is_some()
    }

    fn piece(&self, out: &mut Vec<u8>, piece: &Piece<'_>, _: &Tally, ending: Option<Ending<'_>>) {
        match (&self.tool, ending) {
            (None, _) => self.line(out, piece.escaped, false),
            // Ollama parses the call before it shows it, whole.
            (Some(_), None) => return,
            (Some(name), Some(ending)) => self.call(out, name, ending.escaped, false),
        }
        out.extend_from_slice(b"}\n");
    }

    fn closing(&self, index: usize, out: &mut Vec<u8>, tally: &Tally, reason: Reason) -> bool {
        if index == 0 {
            self.last_line(out, "", tally, reason);
        }
        index == 0
    }

    fn failure(&self, index: usize, out: &mut Vec<u8>, problem: &str) -> bool {
        if index == 0 {
            put!(out, problem, "\n");
        }
        index == 0
    }

    fn whole(&self, out: &mut Vec<u8>, escaped: &str, tally: &Tally, reason: Reason) {
        self.last_line(out, escaped, tally, reason);
        out.pop();
    }
}
