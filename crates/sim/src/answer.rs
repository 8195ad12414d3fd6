//! A generated answer, streamed or whole, and everything that can go wrong with one.

use std::io;

use schema::units::Moment;

use crate::ask::{Ask, Body, Route, streams};
use crate::clock;
use crate::engine::Engine;
use crate::exchange::{After, Exchange, Manner};
use crate::fault::{Fault, HUGE_EVENT, HUGE_HEADER};
use crate::format::{self, Ending, Format, Piece, Reason, Tally};
use crate::http::{Chunk, LAST_CHUNK, client_gone};
use crate::metrics::Finished;
use crate::page::Page;
use crate::problem::{Kind, Problem};
use crate::socket::Socket;
use crate::source::Source;
use crate::voice::{Answer, Voice};

/// Tokens after which a mid-stream fault strikes, where the answer is long enough.
const STRIKE_AFTER: u32 = 3;

/// Tokens an event carries under [`Fault::MultiToken`].
const MULTI_TOKEN: u32 = 4;

/// The shortest and the longest answer that ends by itself, in tokens.
const NATURAL_LENGTH: (u64, u64) = (200, 600);

/// What will be said, and what will go wrong.
#[derive(Debug)]
struct Plan {
    tokens: u32,
    reason: Reason,
    tokens_per_event: u32,
    words: Answer,
    fault: Option<Fault>,
    /// Tokens before the fault.
    strike_after: u32,
}

impl Plan {
    /// Whether tokens are generated but never shown.
    const fn is_silent(&self) -> bool {
        matches!(self.fault, Some(Fault::Empty))
    }

    fn strikes_at(&self, generated: u32) -> Option<Fault> {
        self.fault.filter(|_| generated == self.strike_after)
    }
}

/// Answers the request of this number.
pub(crate) async fn answer<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    number: u64,
    route: Route,
    body: Vec<u8>,
) -> io::Result<After> {
    let state = exchange.state;
    let fault = state.fault(number);
    if let Some(fault) = fault
        && let Some(after) = instead(exchange, route, fault).await?
    {
        return Ok(after);
    }
    state.metrics.requested();
    let body = match Body::read(&body) {
        Ok(read) => {
            drop(body);
            read
        }
        Err(problem) => return refuse(exchange, route, false, &problem).await,
    };
    let stream = streams(route, &body);
    let ask = match Ask::new(state, route, &body) {
        Ok(ask) => ask,
        Err(problem) => return refuse(exchange, route, stream, &problem).await,
    };
    drop(body);
    let plan = plan(exchange, number, &ask, fault);
    let Ok(source) = state.source(ask.prompt_tokens, plan.tokens, exchange.received) else {
        state.metrics.rejected();
        return refuse(exchange, route, stream, &overloaded(state.config.engine)).await;
    };
    exchange.manner = match fault {
        Some(Fault::SplitUtf8) => Manner::Halves,
        Some(Fault::OneByteWrites) => Manner::Bytes,
        _ => Manner::Whole,
    };
    let format = format::of(state.config.engine, &state.config.model, &ask, &exchange.id);
    let answered = if stream {
        streamed(exchange, format.as_ref(), &ask, plan, source).await
    } else {
        whole(exchange, format.as_ref(), &ask, plan, source).await
    };
    if answered.is_err() {
        state.metrics.aborted();
    }
    answered
}

/// Decides the answer: its length, its words and its fate.
fn plan<S: Socket>(exchange: &Exchange<'_, S>, number: u64, ask: &Ask, fault: Option<Fault>) -> Plan {
    let state = exchange.state;
    let (shortest, longest) = NATURAL_LENGTH;
    let natural = shortest + state.draw(number, 2) % (longest - shortest + 1);
    let natural = u32::try_from(natural).unwrap_or(u32::MAX).max(ask.min_tokens);
    let (tokens, reason) = match fault {
        Some(Fault::Empty) => (1, Reason::Stop),
        Some(Fault::Endless) => (u32::MAX, Reason::Length),
        _ if natural < ask.max_tokens => (natural, Reason::Stop),
        _ => (ask.max_tokens, Reason::Length),
    };
    let voice = match fault {
        Some(Fault::SplitUtf8) => Voice::multibyte(),
        Some(Fault::HostileText) => Voice::hostile(),
        _ => Voice::of_engine(state.config.engine),
    };
    Plan {
        tokens,
        reason,
        tokens_per_event: if fault == Some(Fault::MultiToken) { MULTI_TOKEN } else { state.model.tokens_per_event },
        words: voice.answer(state.draw(number, 3)),
        fault,
        strike_after: STRIKE_AFTER.min(tokens - 1),
    }
}

/// Carries out the faults that take the answer's place; `None` for those that strike later.
async fn instead<S: Socket>(exchange: &mut Exchange<'_, S>, route: Route, fault: Fault) -> io::Result<Option<After>> {
    let (kind, message) = match fault {
        Fault::RateLimit => (Kind::RateLimit, "Rate limit reached. Please try again in 2s."),
        Fault::Quota => (Kind::Quota, "You exceeded your current quota, please check your plan and billing details."),
        Fault::Unauthorized => (Kind::Unauthorized, "Incorrect API key provided."),
        Fault::Forbidden => (Kind::Forbidden, "This key may not use this model."),
        Fault::NotFound => (Kind::NotFound, "The model does not exist."),
        Fault::BadRequest => (Kind::BadRequest, "The request is invalid."),
        Fault::ServerError => (Kind::ServerError, "Internal server error."),
        Fault::Overloaded => (Kind::Overloaded, "The engine is currently overloaded, please try again later."),
        Fault::Html => return exchange.page(Page::html()).await.map(Some),
        Fault::Redirect => return exchange.page(Page::redirect()).await.map(Some),
        Fault::SlowHeaders => return Ok(Some(exchange.fall_silent().await)),
        Fault::ResetEarly => {
            exchange.socket.reset_on_close();
            return Ok(Some(After::Close));
        }
        Fault::BadStatusLine => {
            exchange.write(b"HTTP/banana OK then\r\n\r\n", 0, false).await?;
            return Ok(Some(After::Close));
        }
        _ => return Ok(None),
    };
    let refusal = Problem::new(kind, message).refusal(exchange.state.config.engine, route);
    let mut page = Page::from(refusal);
    if fault == Fault::RateLimit {
        page = page.with("retry-after", "2");
    }
    exchange.page(page).await.map(Some)
}

/// Refuses; where the engine has already promised a stream, inside it.
async fn refuse<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    route: Route,
    stream: bool,
    problem: &Problem,
) -> io::Result<After> {
    let engine = exchange.state.config.engine;
    if problem.kind != Kind::Overloaded {
        exchange.state.metrics.failed();
    }
    // TGI sends its head before it checks (3.3.6, `error-too-long-prompt-stream`, `error-overloaded-stream`).
    if engine != Engine::Tgi || !stream || problem.unreadable.is_some() {
        return exchange.page(problem.refusal(engine, route).into()).await;
    }
    let head = exchange.head(200, Some("text/event-stream"), Vec::new(), None);
    exchange.write(&head, 0, false).await?;
    let event = format!("data: {}\n\n", problem.in_stream(engine, route));
    let done = if route.is_openai() { "data: [DONE]\n\n" } else { "" };
    let mut chunk = Chunk::new(format::hex(engine));
    for event in [event.as_str(), done] {
        if !event.is_empty() {
            chunk.start().extend_from_slice(event.as_bytes());
            exchange.write(chunk.finish(b""), 0, false).await?;
        }
    }
    exchange.write(LAST_CHUNK, 0, false).await?;
    Ok(After::Keep)
}

fn overloaded(engine: Engine) -> Problem {
    Problem::new(
        Kind::Overloaded,
        match engine {
            Engine::Vllm => "The server is overloaded: too many queued requests.",
            Engine::Tgi => "Model is overloaded",
            Engine::Ollama => "server busy, please try again.  maximum pending requests exceeded",
            Engine::OpenAi => "The engine is currently overloaded, please try again later.",
        },
    )
}

/// The client left before its answer was done.
fn left() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

/// Waits for the next tokens, or for the client to leave.
async fn next_tokens<S: Socket>(exchange: &mut Exchange<'_, S>, source: &mut Source, tokens: u32) -> io::Result<()> {
    tokio::select! {
        biased;
        () = source.wait(tokens) => Ok(()),
        () = client_gone(exchange.socket, exchange.ahead) => Err(left()),
    }
}

/// Keeps count of an answer and tells the metrics.
#[derive(Debug)]
struct Progress {
    tally: Tally,
}

impl Progress {
    const fn new(ask: &Ask, received: Moment) -> Self {
        let tally = Tally {
            prompt_tokens: ask.prompt_tokens,
            generated: 0,
            received,
            scheduled: received,
            first: received,
            latest: received,
        };
        Self { tally }
    }

    /// Counts an event of `tokens` that is now there.
    fn count<S: Socket>(&mut self, exchange: &Exchange<'_, S>, source: &Source, tokens: u32) {
        let metrics = &exchange.state.metrics;
        let now = clock::now();
        let tally = &mut self.tally;
        if tally.generated == 0 {
            tally.scheduled = source.scheduled().unwrap_or(tally.received);
            tally.first = now;
            metrics.first_token(now.since(tally.received), tally.prompt_tokens);
        }
        metrics.event((tally.generated > 0).then(|| now.since(tally.latest)), tokens);
        tally.latest = now;
        tally.generated = tally.generated.saturating_add(tokens);
    }

    fn finish<S: Socket>(&self, exchange: &Exchange<'_, S>, reason: Reason) {
        let tally = &self.tally;
        exchange.state.metrics.finished(&Finished {
            input_tokens: tally.prompt_tokens,
            output_tokens: tally.generated,
            stopped: reason == Reason::Stop,
            queue: tally.queue(),
            prefill: tally.prefill(),
            decode: tally.decode(),
            e2e: tally.total(),
        });
    }
}

/// A stream being written.
struct Stream<'f> {
    format: &'f dyn Format,
    chunk: Chunk,
    /// The head, as long as it waits for the first event.
    head: Vec<u8>,
}

impl Stream<'_> {
    /// Writes the event that `fill` appends, with `after` behind its chunk.
    async fn event<S: Socket>(
        &mut self,
        exchange: &mut Exchange<'_, S>,
        tokens: u32,
        content: bool,
        after: &[u8],
        fill: impl FnOnce(&mut Vec<u8>),
    ) -> io::Result<()> {
        fill(self.chunk.start());
        let bytes = self.chunk.finish(after);
        if self.head.is_empty() {
            return exchange.write(bytes, tokens, content).await;
        }
        let mut both = std::mem::take(&mut self.head);
        both.extend_from_slice(bytes);
        exchange.write(&both, tokens, content).await
    }

    async fn opening<S: Socket>(&mut self, exchange: &mut Exchange<'_, S>, tally: &Tally) -> io::Result<()> {
        let format = self.format;
        let mut event = Vec::new();
        for index in 0.. {
            event.clear();
            if !format.opening(index, &mut event, tally) {
                break;
            }
            self.event(exchange, 0, false, b"", |out| out.extend_from_slice(&event)).await?;
        }
        Ok(())
    }

    /// Writes events one by one, the end of the body with the last.
    async fn end_with<S: Socket>(&mut self, exchange: &mut Exchange<'_, S>, events: &[Vec<u8>]) -> io::Result<After> {
        for (index, event) in events.iter().enumerate() {
            let after = if index + 1 == events.len() { LAST_CHUNK } else { b"" };
            self.event(exchange, 0, false, after, |out| out.extend_from_slice(event)).await?;
        }
        if events.is_empty() {
            exchange.write(LAST_CHUNK, 0, false).await?;
        }
        Ok(After::Keep)
    }

    /// Lets a mid-stream fault strike; `None`: the answer goes on.
    async fn strike<S: Socket>(
        &mut self,
        exchange: &mut Exchange<'_, S>,
        route: Route,
        fault: Fault,
        tally: &Tally,
    ) -> io::Result<Option<After>> {
        let format = self.format;
        let ordinary = Piece { text: " cut", escaped: " cut", id: 1 };
        match fault {
            Fault::Reset => {
                exchange.socket.reset_on_close();
                Ok(Some(After::Close))
            }
            Fault::Stall => Ok(Some(exchange.fall_silent().await)),
            Fault::Truncate => {
                format.piece(self.chunk.start(), &ordinary, tally, None);
                let bytes = self.chunk.finish(b"");
                exchange.write(&bytes[..bytes.len() / 2], 0, false).await?;
                Ok(Some(After::Close))
            }
            Fault::TruncateClean => self.end_with(exchange, &[]).await.map(Some),
            Fault::BadChunk => {
                exchange.write(b"5z\r\nhello\r\n", 0, false).await?;
                Ok(Some(After::Close))
            }
            Fault::Malformed => {
                self.event(exchange, 0, false, b"", |out| {
                    format.piece(out, &ordinary, tally, None);
                    let line_ends = out.iter().rev().take_while(|byte| **byte == b'\n').count();
                    out.truncate(out.len() - line_ends - 2);
                    out.extend(std::iter::repeat_n(b'\n', line_ends));
                })
                .await?;
                Ok(None)
            }
            Fault::ErrorInStream => {
                let problem = Problem::new(Kind::ServerError, "The engine failed while generating.");
                let problem = problem.in_stream(exchange.state.config.engine, route);
                let events = collect(|index, out| format.failure(index, out, &problem));
                self.end_with(exchange, &events).await.map(Some)
            }
            Fault::HugeEvent => {
                let text = "x".repeat(HUGE_EVENT);
                let piece = Piece { text: &text, escaped: &text, id: 1 };
                self.event(exchange, 0, true, b"", |out| format.piece(out, &piece, tally, None)).await?;
                self.chunk = Chunk::new(format::hex(exchange.state.config.engine));
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

/// All events of one kind.
fn collect(mut next: impl FnMut(usize, &mut Vec<u8>) -> bool) -> Vec<Vec<u8>> {
    (0..)
        .map_while(|index| {
            let mut event = Vec::new();
            next(index, &mut event).then_some(event)
        })
        .collect()
}

/// Streams an answer, one write an event.
async fn streamed<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    format: &dyn Format,
    ask: &Ask,
    plan: Plan,
    mut source: Source,
) -> io::Result<After> {
    let mut progress = Progress::new(ask, exchange.received);
    let mut stream = begin(exchange, format, &progress.tally, plan.fault).await?;
    if plan.fault == Some(Fault::NoFirstToken) {
        exchange.write(&std::mem::take(&mut stream.head), 0, false).await?;
        drop(source);
        return Ok(exchange.fall_silent().await);
    }
    let mut words = plan.words.clone();
    let mut joined = Joined::default();
    while progress.tally.generated < plan.tokens {
        let before = progress.tally.generated;
        let tokens = if before == 0 { 1 } else { plan.tokens_per_event.min(plan.tokens - before) };
        next_tokens(exchange, &mut source, tokens).await?;
        progress.count(exchange, &source, tokens);
        if before == 0 {
            stream.opening(exchange, &Tally { generated: 0, ..progress.tally }).await?;
        }
        if let Some(fault) = plan.strikes_at(before)
            && let Some(after) = stream.strike(exchange, ask.route, fault, &progress.tally).await?
        {
            return Ok(after);
        }
        let is_last = progress.tally.generated == plan.tokens;
        let ends_by_token = is_last && plan.reason == Reason::Stop && format.has_end_token();
        let piece = joined.take(&mut words, tokens - u32::from(ends_by_token));
        if plan.is_silent() && !ends_by_token {
            progress.tally.generated = 0;
            break;
        }
        let whole_text = if is_last && format.repeats_text() { text_of(&plan, format) } else { String::new() };
        let ending = is_last.then_some(Ending { reason: plan.reason, escaped: &whole_text });
        let tally = progress.tally;
        let content = !piece.text.is_empty();
        stream.event(exchange, tokens, content, b"", |out| format.piece(out, &piece, &tally, ending)).await?;
        source.written();
    }
    source.written();
    drop(source);
    progress.finish(exchange, plan.reason);
    let events = collect(|index, out| format.closing(index, out, &progress.tally, plan.reason));
    stream.end_with(exchange, &events).await
}

/// Writes the head of a stream, or keeps it until the first event where the engine does.
async fn begin<'f, S: Socket>(
    exchange: &mut Exchange<'_, S>,
    format: &'f dyn Format,
    tally: &Tally,
    fault: Option<Fault>,
) -> io::Result<Stream<'f>> {
    let mut headers = format.headers(tally, true);
    if fault == Some(Fault::HugeHeader) {
        headers.push(("x-padding", "x".repeat(HUGE_HEADER)));
    }
    let mut head = exchange.head(200, Some(format.content_type()), headers, None);
    if !format.head_waits() {
        exchange.write(&head, 0, false).await?;
        head = Vec::new();
    }
    Ok(Stream { format, chunk: Chunk::new(format::hex(exchange.state.config.engine)), head })
}

/// The texts of an event's tokens, joined in buffers that are used again.
#[derive(Debug, Default)]
struct Joined {
    text: String,
    escaped: String,
}

impl Joined {
    /// Takes the next `tokens` words as one piece; none: an end token.
    fn take(&mut self, words: &mut Answer, tokens: u32) -> Piece<'_> {
        let Some(first) = words.next().filter(|_| tokens > 0) else { return Piece::END };
        if tokens == 1 {
            return first.into();
        }
        self.text.clear();
        self.escaped.clear();
        let rest = words.take(tokens as usize - 1);
        for token in std::iter::once(first).chain(rest) {
            self.text.push_str(token.text);
            self.escaped.push_str(token.escaped);
        }
        Piece { text: &self.text, escaped: &self.escaped, id: first.id }
    }
}

/// The whole answer as the inside of a JSON string.
fn text_of(plan: &Plan, format: &dyn Format) -> String {
    if plan.is_silent() {
        return String::new();
    }
    let end = u32::from(plan.reason == Reason::Stop && format.has_end_token());
    plan.words.clone().take((plan.tokens - end) as usize).map(|token| token.escaped).collect()
}

/// Sends an answer in one piece once all of it is there.
async fn whole<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    format: &dyn Format,
    ask: &Ask,
    plan: Plan,
    mut source: Source,
) -> io::Result<After> {
    let mut progress = Progress::new(ask, exchange.received);
    while progress.tally.generated < plan.tokens {
        next_tokens(exchange, &mut source, 1).await?;
        progress.count(exchange, &source, 1);
        source.written();
    }
    drop(source);
    progress.finish(exchange, plan.reason);
    if plan.is_silent() && !format.has_end_token() {
        progress.tally.generated = 0;
    }
    let tally = progress.tally;
    let text = match plan.fault {
        Some(Fault::HugeEvent) => "x".repeat(HUGE_EVENT),
        _ => text_of(&plan, format),
    };
    let mut body = Vec::new();
    format.whole(&mut body, &text, &tally, plan.reason);
    let mut headers = format.headers(&tally, false);
    if plan.fault == Some(Fault::HugeHeader) {
        headers.push(("x-padding", "x".repeat(HUGE_HEADER)));
    }
    send_whole(exchange, ask.route, plan.fault, headers, body, tally.generated).await
}

/// Sends a whole body, or as much of it as the fault lets through.
async fn send_whole<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    route: Route,
    fault: Option<Fault>,
    headers: Vec<(&'static str, String)>,
    mut body: Vec<u8>,
    tokens: u32,
) -> io::Result<After> {
    let half = body.len() / 2;
    match fault {
        Some(Fault::ErrorInStream) => {
            let problem = Problem::new(Kind::ServerError, "The engine failed while generating.");
            body = problem.in_stream(exchange.state.config.engine, route).into_bytes();
        }
        Some(Fault::Malformed | Fault::TruncateClean) => body.truncate(half),
        _ => {}
    }
    let is_chunked = fault == Some(Fault::BadChunk);
    let length = if is_chunked { None } else { Some(body.len()) };
    let mut bytes = exchange.head(200, Some("application/json"), headers, length);
    match fault {
        Some(Fault::NoFirstToken) => {}
        Some(Fault::Reset | Fault::Stall | Fault::Truncate) => bytes.extend_from_slice(&body[..half]),
        Some(Fault::BadChunk) => bytes.extend_from_slice(b"5z\r\nhello\r\n"),
        _ => bytes.extend_from_slice(&body),
    }
    exchange.write(&bytes, tokens, true).await?;
    match fault {
        Some(Fault::Reset) => {
            exchange.socket.reset_on_close();
            Ok(After::Close)
        }
        Some(Fault::Truncate | Fault::BadChunk) => Ok(After::Close),
        Some(Fault::Stall | Fault::NoFirstToken) => Ok(exchange.fall_silent().await),
        _ => Ok(After::Keep),
    }
}
