//! A client on a plain socket, strict about HTTP, that keeps every byte.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use schema::target::Dialect;
use sim::{Config, Engine, FaultPlan, Pace, Sim};
use wire::{Decoder, Ending, WireError};

/// Long enough for a loaded machine; reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An engine that answers as fast as it can and keeps its log.
pub(crate) fn fast(engine: Engine) -> Config {
    let nothing = "0ns".parse().unwrap();
    Config { pace: Pace::Fixed { ttft: nothing, itl: nothing }, keep_log: true, ..Config::new(engine) }
}

pub(crate) fn with_fault(engine: Engine, fault: &str) -> Sim {
    let plan: FaultPlan = fault.parse().unwrap();
    Sim::start(Config { faults: vec![plan], ..fast(engine) }).unwrap()
}

/// How a response's body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By its length or its last chunk.
    Proper,
    /// The connection closed before that.
    Closed,
    /// The connection was reset.
    Reset,
    /// The chunked framing was broken.
    BadFraming,
}

/// A response, its body without framing.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) end: End,
    /// Bytes on the wire, head included.
    pub(crate) bytes: u64,
    /// Payload of each chunk.
    pub(crate) chunks: Vec<Vec<u8>>,
}

impl Response {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A connection to an engine.
pub(crate) struct Client {
    tcp: TcpStream,
    buffer: Vec<u8>,
    bytes: u64,
}

impl Client {
    pub(crate) fn new(sim: &Sim) -> Self {
        let tcp = TcpStream::connect(sim.addr()).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { tcp, buffer: Vec::new(), bytes: 0 }
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: sim\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.tcp.write_all(request.as_bytes()).unwrap();
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Response {
        self.send("POST", path, "", body);
        self.response()
    }

    pub(crate) fn get(&mut self, path: &str) -> Response {
        self.send("GET", path, "", "");
        self.response()
    }

    /// Reads more; why not, if there is no more.
    fn more(&mut self) -> Result<(), End> {
        let mut piece = vec![0; 1 << 16];
        match self.tcp.read(&mut piece) {
            Ok(0) => Err(End::Closed),
            Ok(n) => {
                self.buffer.extend_from_slice(&piece[..n]);
                self.bytes += n as u64;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(End::Reset),
            Err(error) => panic!("{error}, after {}", self.buffer.escape_ascii()),
        }
    }

    /// Takes bytes up to and with `mark`.
    fn take_until(&mut self, mark: &[u8]) -> Result<Vec<u8>, End> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                return Ok(self.buffer.drain(..at + mark.len()).collect());
            }
            self.more()?;
        }
    }

    fn take(&mut self, count: usize) -> Result<Vec<u8>, End> {
        while self.buffer.len() < count {
            self.more()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }

    /// The status line and headers, or how the connection ended instead.
    pub(crate) fn head(&mut self) -> Result<String, End> {
        self.take_until(b"\r\n\r\n").map(|head| String::from_utf8(head).unwrap())
    }

    /// The next chunk's payload; empty: the last.
    pub(crate) fn chunk(&mut self) -> Result<Vec<u8>, End> {
        let size = self.take_until(b"\r\n")?;
        let size = std::str::from_utf8(&size).unwrap().trim_end();
        let size = usize::from_str_radix(size, 16).map_err(|_| End::BadFraming)?;
        let mut payload = self.take(size + 2)?;
        if payload.split_off(size) == b"\r\n" { Ok(payload) } else { Err(End::BadFraming) }
    }

    pub(crate) fn response(&mut self) -> Response {
        self.try_response().unwrap_or_else(|end| panic!("no response: {end:?}"))
    }

    pub(crate) fn try_response(&mut self) -> Result<Response, End> {
        let before = self.bytes - self.buffer.len() as u64;
        let head = self.head()?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut response = Response { status, head, body: Vec::new(), end: End::Proper, bytes: 0, chunks: Vec::new() };
        if let Some(length) = response.header("content-length") {
            let length = length.parse().unwrap();
            match self.take(length) {
                Ok(body) => response.body = body,
                Err(end) => {
                    response.body = std::mem::take(&mut self.buffer);
                    response.end = end;
                }
            }
        } else if response.header("transfer-encoding") == Some("chunked") {
            loop {
                match self.chunk() {
                    Ok(payload) if payload.is_empty() => break,
                    Ok(payload) => {
                        response.body.extend_from_slice(&payload);
                        response.chunks.push(payload);
                    }
                    Err(end) => {
                        response.end = end;
                        break;
                    }
                }
            }
        }
        response.bytes = self.bytes - self.buffer.len() as u64 - before;
        Ok(response)
    }

    /// Whether nothing comes while the test looks the other way; leaves the socket as it was.
    pub(crate) fn is_silent(&mut self) -> bool {
        self.tcp.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let silent =
            self.buffer.is_empty() && self.tcp.peek(&mut [0]).is_err_and(|e| e.kind() == ErrorKind::WouldBlock);
        self.tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }
}

/// What a stream says, as the room that decodes streams understands it.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    pub(crate) text: String,
    pub(crate) content_events: usize,
    pub(crate) finish: Option<schema::record::FinishReason>,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) errors: Vec<String>,
    pub(crate) timing: schema::record::ServerTiming,
    pub(crate) ending: Ending,
}

pub(crate) fn decode(dialect: Dialect, body: &[u8]) -> Result<Decoded, WireError> {
    let mut decoded = Decoded::default();
    let mut stream = Decoder::new(dialect, 16 << 20);
    let mut note = |frame: wire::Frame<'_>| {
        decoded.content_events += usize::from(frame.kind().is_content());
        decoded.text.push_str(frame.text.as_deref().unwrap_or_default());
        decoded.finish = frame.finish.or(decoded.finish.take());
        if let Some(usage) = frame.usage {
            decoded.input_tokens = usage.input_tokens.or(decoded.input_tokens);
            decoded.output_tokens = usage.output_tokens.or(decoded.output_tokens);
        }
        if let Some(timing) = frame.timing {
            decoded.timing.merge(&timing);
        }
        decoded.errors.extend(frame.error.map(|error| error.message.raw().to_owned()));
    };
    stream.feed(body, &mut note)?;
    let ending = stream.finish(&mut note)?;
    decoded.ending = ending;
    Ok(decoded)
}

/// Path, dialect and body of a streamed request for `tokens` on each route of an engine.
pub(crate) fn routes(engine: Engine, tokens: u32) -> Vec<(&'static str, Dialect, String)> {
    let chat = format!(
        r#"{{"model":"sim-{engine}","messages":[{{"role":"user","content":"Tell me more"}}],"max_tokens":{tokens},"stream":true,"stream_options":{{"include_usage":true}}}}"#
    );
    let completion = format!(
        r#"{{"model":"sim-{engine}","prompt":"Tell me more","max_tokens":{tokens},"stream":true,"stream_options":{{"include_usage":true}}}}"#
    );
    let mut routes = vec![
        ("/v1/chat/completions", Dialect::OpenaiChat, chat.clone()),
        ("/v1/completions", Dialect::OpenaiCompletions, completion),
    ];
    match engine {
        Engine::Vllm => {}
        Engine::Tgi => {
            let body =
                format!(r#"{{"inputs":"Tell me more","parameters":{{"max_new_tokens":{tokens},"details":true}}}}"#);
            routes.push(("/generate_stream", Dialect::Tgi, body));
        }
        Engine::Ollama => {
            let options = format!(r#""options":{{"num_predict":{tokens}}}"#);
            let body = format!(
                r#"{{"model":"sim-ollama","messages":[{{"role":"user","content":"Tell me more"}}],{options}}}"#
            );
            routes.push(("/api/chat", Dialect::OllamaChat, body));
            let body = format!(r#"{{"model":"sim-ollama","prompt":"Tell me more",{options}}}"#);
            routes.push(("/api/generate", Dialect::OllamaGenerate, body));
        }
        Engine::OpenAi => routes.push(("/v1/messages", Dialect::Anthropic, chat)),
    }
    routes
}

/// The same request, not streamed, with the path it then goes to.
pub(crate) fn not_streamed<'a>(path: &'a str, body: &str) -> (&'a str, String) {
    let path = if path == "/generate_stream" { "/generate" } else { path };
    let body = if body.contains(r#""stream":true"#) {
        body.replace(r#""stream":true"#, r#""stream":false"#)
    } else {
        body.replacen('{', r#"{"stream":false,"#, 1)
    };
    (path, body)
}
