//! Response heads, with the names, order and case of each engine.

use std::cell::RefCell;

use jiff::Timestamp;

use crate::clock;
use crate::engine::Engine;
use crate::http::reason;
use crate::put::put;
use crate::state::State;

/// Bytes that most heads stay within. Allocations beyond a kilobyte take several times as long, so short answers stay
/// below it.
const ROOM: usize = 384;

/// A response head, before it is written.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Bytes of the body; `None`: chunked.
    pub(crate) length: Option<usize>,
    pub(crate) request_id: Option<&'a str>,
}

impl Head<'_> {
    /// The head's bytes, the empty line included.
    pub(crate) fn bytes(&self, state: &State) -> Vec<u8> {
        let engine = state.config.engine;
        // With room for the body, which often follows.
        let room = ROOM + self.length.unwrap_or(0);
        let mut out = Lines { bytes: Vec::with_capacity(room), capitals: engine == Engine::Ollama };
        put!(&mut out.bytes, "HTTP/1.1 ", self.status, " ", reason(self.status), "\r\n");
        if matches!(engine, Engine::Vllm | Engine::OpenAi) {
            with_date(|date| out.put("date", date));
        }
        if engine == Engine::Vllm {
            out.put("server", "uvicorn");
        }
        if let Some(content_type) = self.content_type {
            out.put("content-type", content_type);
        }
        for (name, value) in &self.headers {
            out.put(name, value);
        }
        match engine {
            Engine::Vllm => out.put("vary", "Origin"),
            Engine::Tgi => {
                out.put("vary", "origin, access-control-request-method, access-control-request-headers");
                out.put("access-control-allow-origin", "*");
            }
            Engine::Ollama | Engine::OpenAi => {}
        }
        if matches!(engine, Engine::Tgi | Engine::Ollama) {
            with_date(|date| out.put("date", date));
        }
        out.put("x-simulated", "speed-kings");
        if let Some(id) = self.request_id {
            out.put("x-request-id", id);
        }
        for (name, value) in &state.config.headers {
            out.put(name, value);
        }
        match self.length {
            Some(length) => out.put("content-length", itoa::Buffer::new().format(length)),
            None => out.put("transfer-encoding", "chunked"),
        }
        out.bytes.extend_from_slice(b"\r\n");
        out.bytes
    }
}

struct Lines {
    bytes: Vec<u8>,
    /// Go writes `Content-Type`, the others `content-type`.
    capitals: bool,
}

impl Lines {
    fn put(&mut self, name: &str, value: &str) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name.as_bytes());
        if self.capitals {
            let mut at_start = true;
            for byte in &mut self.bytes[start..] {
                if at_start {
                    byte.make_ascii_uppercase();
                }
                at_start = *byte == b'-';
            }
        }
        self.bytes.extend_from_slice(b": ");
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.extend_from_slice(b"\r\n");
    }
}

thread_local! {
    /// The latest `Date`, and the second it is of.
    static LATEST: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// Hands on the `Date` of now, written once a second.
fn with_date(put: impl FnOnce(&str)) {
    let now = clock::second();
    LATEST.with_borrow_mut(|(second, text)| {
        if *second != now {
            let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
            let time = Timestamp::from_second(now).expect("the present is within what a timestamp can say");
            *text = printer.timestamp_to_rfc9110_string(&time).expect("the present has a four-digit year");
            *second = now;
        }
        put(text);
    });
}
