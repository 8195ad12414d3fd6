//! What the tests share: a guard against hanging, targets, orders, servers that follow a script.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use schema::event::{Event, Stamp};
use schema::plan::{AnswerForm, TransportPlan};
use schema::record::{Failure, Outcome, Partial, Phase, Record};
use schema::target::{Credentialed, Dialect, Encoding, Target};
use schema::units::{Moment, Nanos};
use sim::{Config, Engine, Fault, Pace, Sim};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use transport::{Client, Clock, Connector, Order, Proxy, StampHold, Watch, hold_stamps_on};
use wire::{Frame, Message, RequestSpec, Role};

/// Long enough for a loaded machine; reached only by a test that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Runs a test on a runtime of its own; one that hangs fails.
pub(crate) fn run(test: impl AsyncFnOnce() + Send + 'static) {
    let (done, finished) = channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test());
        done.send(()).unwrap();
    });
    assert_ne!(finished.recv_timeout(PATIENCE), Err(RecvTimeoutError::Timeout), "it hangs");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Whether this test has a process to itself, with these variables set; if not, one is run for it.
pub(crate) fn alone(test: &str, variables: &[(&str, &str)]) -> bool {
    if variables.iter().all(|(name, value)| std::env::var(name).is_ok_and(|found| found == *value)) {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", test]).envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    false
}

/// Lets time pass for the client's timers, without waiting for it. The engine's threads do not notice.
pub(crate) async fn pass(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

/// Waits until `condition` holds, letting everything else go on.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// One way to ask a simulated engine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    pub(crate) engine: Engine,
    pub(crate) dialect: Dialect,
    pub(crate) path: &'static str,
}

const fn voice(engine: Engine, dialect: Dialect, path: &'static str) -> Voice {
    Voice { engine, dialect, path }
}

pub(crate) const VLLM: Voice = voice(Engine::Vllm, Dialect::OpenaiChat, "/v1/chat/completions");
pub(crate) const VLLM_TEXT: Voice = voice(Engine::Vllm, Dialect::OpenaiCompletions, "/v1/completions");
pub(crate) const TGI: Voice = voice(Engine::Tgi, Dialect::Tgi, "/generate_stream");
pub(crate) const TGI_CHAT: Voice = voice(Engine::Tgi, Dialect::OpenaiChat, "/v1/chat/completions");
pub(crate) const OLLAMA: Voice = voice(Engine::Ollama, Dialect::OllamaChat, "/api/chat");
pub(crate) const OLLAMA_TEXT: Voice = voice(Engine::Ollama, Dialect::OllamaGenerate, "/api/generate");
pub(crate) const OPENAI: Voice = voice(Engine::OpenAi, Dialect::OpenaiChat, "/v1/chat/completions");
pub(crate) const VLLM_VECTORS: Voice = voice(Engine::Vllm, Dialect::OpenaiEmbeddings, "/v1/embeddings");
pub(crate) const OLLAMA_VECTORS: Voice = voice(Engine::Ollama, Dialect::OllamaEmbed, "/api/embed");
pub(crate) const ANTHROPIC: Voice = voice(Engine::OpenAi, Dialect::Anthropic, "/v1/messages");

/// An engine that answers as fast as it can and keeps its log.
pub(crate) fn fast(engine: Engine) -> Config {
    Config { pace: Pace::Fixed { ttft: Nanos::ZERO, itl: Nanos::ZERO }, keep_log: true, ..Config::new(engine) }
}

/// The same, and every request meets `fault`.
pub(crate) fn faulty(engine: Engine, fault: Fault) -> Config {
    Config { faults: vec![fault.into()], ..fast(engine) }
}

/// A target at `url`, without a key.
pub(crate) fn target(url: &str, dialect: Dialect, model: &str) -> Credentialed {
    let target = Target {
        dialect,
        encoding: Encoding { stream_options: true, ..Encoding::default() },
        simulated: true,
        ..Target::plain("tested".parse().unwrap(), "openai-compatible", model, url.parse().unwrap())
    };
    Credentialed { target, key: None }
}

/// A client of whatever listens at `url` and speaks OpenAI's chat.
pub(crate) fn client_of(url: &str, plan: &TransportPlan) -> Client {
    client_through(url, plan, None)
}

/// A client of whatever listens at `url` and speaks this.
pub(crate) fn client_speaking(dialect: Dialect, url: &str) -> Client {
    let connector = Connector::new(&TransportPlan::default(), None, Clock::start()).unwrap();
    Client::new(connector, &target(url, dialect, "m"), Arc::default()).unwrap()
}

/// A whole answer in JSON, with this status and more header lines, each begun by a line end.
pub(crate) fn json_answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}{headers}\r\n\r\n{body}")
}

/// The same, through a proxy.
pub(crate) fn client_through(url: &str, plan: &TransportPlan, proxy: Option<Proxy>) -> Client {
    let connector = Connector::new(plan, proxy, Clock::start()).unwrap();
    Client::new(connector, &target(url, Dialect::OpenaiChat, "sim-vllm"), Arc::default()).unwrap()
}

/// A client of a simulated engine.
pub(crate) fn client(sim: &Sim, voice: Voice, plan: &TransportPlan) -> Client {
    client_with(sim, voice, plan, Clock::start(), Arc::default())
}

/// The same, by this clock and with this flag to cancel it.
pub(crate) fn client_with(
    sim: &Sim,
    voice: Voice,
    plan: &TransportPlan,
    clock: Clock,
    cancel: Arc<AtomicBool>,
) -> Client {
    let connector = Connector::new(plan, None, clock).unwrap();
    let who = target(&format!("{}{}", sim.url(), voice.path), voice.dialect, &format!("sim-{}", voice.engine));
    Client::new(connector, &who, cancel).unwrap()
}

/// An order for an answer of `max_tokens`.
pub(crate) fn order(client: &Client, max_tokens: u32) -> Order {
    made_order(client, max_tokens, true)
}

/// The same, of an answer in one piece.
pub(crate) fn whole_order(client: &Client, max_tokens: u32) -> Order {
    made_order(client, max_tokens, false)
}

fn made_order(client: &Client, max_tokens: u32, stream: bool) -> Order {
    let messages = [Message::text(Role::User, "Tell me about speed.")];
    order_saying(client, &messages, AnswerForm::Text, max_tokens, stream)
}

/// An order that says this and wants that form of answer.
pub(crate) fn order_saying(
    client: &Client,
    messages: &[Message<'_>],
    answer: AnswerForm,
    max_tokens: u32,
    stream: bool,
) -> Order {
    let target = client.target();
    let spec = RequestSpec {
        model: &target.model,
        messages,
        max_tokens,
        force_length: false,
        temperature_milli: 0,
        seed: None,
        stream,
        nonce: None,
        answer,
    };
    let body = wire::encode(target.dialect, &target.encoding, &spec);
    Order {
        index: 7,
        phase: Phase::Measured,
        block: 1,
        step: 0,
        attempt: 0,
        prompt_tokens: None,
        conversation: None,
        prompt: 3,
        max_tokens,
        forced_length: false,
        scheduled: Moment(0),
        body: body.into(),
        stream,
        keep_text: false,
    }
}

/// Sends an order for a stream and keeps no watch.
pub(crate) async fn send(client: &Client, max_tokens: u32) -> Record {
    *client.send(&order(client, max_tokens), &mut ()).await
}

/// Watches a request and tells others how much content has come.
#[derive(Debug)]
pub(crate) struct Witness {
    pub(crate) events: Vec<Event>,
    pub(crate) parts: Vec<Partial>,
    content: watch::Sender<usize>,
}

impl Witness {
    /// A witness, and the number of content events it has seen.
    pub(crate) fn new() -> (Self, watch::Receiver<usize>) {
        let (content, seen) = watch::channel(0);
        (Self { events: Vec::new(), parts: Vec::new(), content }, seen)
    }
}

impl Watch for Witness {
    fn frame(&mut self, event: &Event, _: &Frame<'_>) {
        self.events.push(*event);
        if event.kind.is_content() {
            self.content.send_modify(|seen| *seen += 1);
        }
    }

    fn partial(&mut self, part: Partial) {
        self.parts.push(part);
    }
}

/// How a request failed.
#[track_caller]
pub(crate) fn failure(record: &Record) -> &Failure {
    match &record.outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("it ended as {other:?}"),
    }
}

/// The number of content events.
pub(crate) fn content(record: &Record) -> usize {
    record.events.content().count()
}

/// Serves every connection by `script`, which is told its number, on this runtime; says where.
pub(crate) async fn scripted<S>(script: impl Fn(TcpStream, usize) -> S + Send + 'static) -> SocketAddr
where
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            tokio::spawn(script(tcp, number));
        }
    });
    addr
}

/// Switches stamping on and waits until the kernel does it: it takes a moment.
pub(crate) async fn stamping() -> StampHold {
    let hold = hold_stamps_on();
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let client = client(&sim, VLLM, &TransportPlan::default());
    loop {
        let record = send(&client, 2).await;
        let kernel = |event: Event| event.stamp == Stamp::Kernel;
        if !cfg!(target_os = "linux") || record.sent_ns.is_some() && record.events.iter().all(kernel) {
            return hold;
        }
    }
}

/// Reads a request's head and body, and returns the head in small letters. Empty: the client left.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return String::new() };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    stream.read_exact(&mut vec![0; length]).await.unwrap();
    head
}

/// The head of a stream of events, with one more header.
pub(crate) fn event_stream_head(header: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{header}\r\n\r\n")
}

/// An event with this content, as text.
macro_rules! body_event {
    ($text:literal) => {
        concat!(r#"data: {"choices":[{"index":0,"delta":{"content":""#, $text, "\"}}]}\n\n")
    };
}
pub(crate) use body_event;

/// A whole body: this content, a finish reason and the end.
pub(crate) const SHORT_BODY: &str = concat!(
    body_event!("so"),
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n"
);

/// A whole answer of known length.
pub(crate) fn short_answer(header: &str) -> String {
    format!("{}{SHORT_BODY}", event_stream_head(&format!("content-length: {}{header}", SHORT_BODY.len())))
}
