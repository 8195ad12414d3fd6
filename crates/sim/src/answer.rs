//! A generated answer, streamed or whole, and everything that can go wrong with one.

use std::io;

use schema::units::{Moment, Nanos};

use crate::ask::{Ask, Form, Route, streams};
use crate::body::Body;
use crate::clock;
use crate::discipline::QueueFull;
use crate::engine::Engine;
use crate::exchange::{After, Exchange, Manner};
use crate::fault::Fault;
use crate::format::{self, Format, Reason, Tally};
use crate::http::{Chunk, LAST_CHUNK, client_gone};
use crate::metrics::Finished;
use crate::page::Page;
use crate::problem::{Kind, Problem};
use crate::socket::Socket;
use crate::source::Source;
use crate::voice::{Answer, Voice};

mod embedded;
mod streamed;
mod whole;

/// Tokens after which a mid-stream fault strikes, where the answer is long enough.
const STRIKE_AFTER: u32 = 3;

/// Tokens an event carries under [`Fault::MultiToken`].
const MULTI_TOKEN: u32 = 4;

/// The shortest and the longest answer that ends by itself, in tokens.
const NATURAL_LENGTH: (u64, u64) = (200, 600);

/// What will be said, and what will go wrong.
#[derive(Debug)]
struct Plan<'v> {
    tokens: u32,
    reason: Reason,
    tokens_per_event: u32,
    words: Answer<'v>,
    fault: Option<Fault>,
    /// Tokens before the fault.
    strike_after: u32,
}

impl Plan<'_> {
    /// Whether tokens are generated but never shown.
    const fn is_silent(&self) -> bool {
        matches!(self.fault, Some(Fault::Empty))
    }

    /// Tokens that have text: all but the one that ends an answer, where that is a token of its own.
    fn words_shown(&self, format: &dyn Format) -> u32 {
        self.tokens - u32::from(self.reason == Reason::Stop && format.has_end_token())
    }

    /// Whether what leaves only at the end never leaves: all tokens are there, and there is no last one.
    fn is_bottomless(&self, source: &Source) -> bool {
        source.is_ready() && self.fault == Some(Fault::Endless)
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
    state.metrics().requested();
    let read = match Body::read(&body) {
        Ok(read) => read,
        Err(problem) => return refuse(exchange, route, false, &problem).await,
    };
    let stream = streams(route, &read);
    let ask = match Ask::new(state, route, &read) {
        Ok(ask) => ask,
        Err(problem) => return refuse(exchange, route, stream, &problem).await,
    };
    if route.embeds() {
        return embedded::embedded(exchange, &ask, &read, fault).await;
    }
    drop(read);
    drop(body);
    let format = format::of(state.config.engine, &state.quoted_model, &ask, &exchange.id);
    let recollection = ask.recollection.as_deref().map(Voice::saying);
    let mut plan = match &recollection {
        Some(recollection) => reminded(exchange, number, &ask, fault, recollection, format.as_ref()),
        None => plan(exchange, number, &ask, fault),
    };
    let (source, cached) = match admit(exchange, &ask, plan.tokens) {
        Ok(admitted) => admitted,
        Err(not) => return turn_away(exchange, route, stream, not).await,
    };
    exchange.manner = match fault {
        Some(Fault::SplitUtf8) => Manner::Halves,
        Some(Fault::OneByteWrites) => Manner::Bytes,
        _ => Manner::Whole,
    };
    if ask.form != Form::Text {
        plan.words = plan.words.clone().object_of(plan.words_shown(format.as_ref()));
    }
    let progress = Progress::new(&ask, cached, exchange.received);
    let answered = if stream {
        streamed::streamed(exchange, format.as_ref(), ask.route, plan, source, progress).await
    } else {
        whole::whole(exchange, format.as_ref(), ask.route, plan, source, progress).await
    };
    if answered.is_err() {
        state.metrics().aborted();
    }
    answered
}

/// Why a request is not let in.
enum NotLetIn {
    /// Its limit is used up for so many seconds.
    Limited(u64),
    /// The queue is full.
    Full,
}

/// Lets a request in: its supply of `output` tokens, and how many of its prompt's are cached.
fn admit<S: Socket>(exchange: &Exchange<'_, S>, ask: &Ask, output: u32) -> Result<(Source, u32), NotLetIn> {
    let state = exchange.state;
    let tokens = u64::from(ask.prompt_tokens) + u64::from(output);
    state.gate.pass(tokens, exchange.received).map_err(NotLetIn::Limited)?;
    let cached = state.cached(&ask.blocks);
    let source = state.source(ask.prompt_tokens, cached, output, exchange.received);
    source.map(|source| (source, cached)).map_err(|QueueFull| NotLetIn::Full)
}

/// Answers who is not let in.
async fn turn_away<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    route: Route,
    stream: bool,
    why: NotLetIn,
) -> io::Result<After> {
    let engine = exchange.state.config.engine;
    exchange.state.metrics().rejected();
    match why {
        NotLetIn::Full => refuse(exchange, route, stream, &overloaded(engine)).await,
        NotLetIn::Limited(seconds) => {
            let message = format!("Rate limit reached. Please try again in {seconds}s.");
            let page = Page::from(Problem::new(Kind::RateLimit, message).refusal(engine, route));
            exchange.page(page.with("retry-after", seconds.to_string())).await
        }
    }
}

/// Decides the answer: its length, its words and its fate.
fn plan<S: Socket>(exchange: &Exchange<'_, S>, number: u64, ask: &Ask, fault: Option<Fault>) -> Plan<'static> {
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

/// As [`plan`], with what the prompt itself answers in place of the engine's own sentences; what is said for a fault's
/// sake is said all the same.
fn reminded<'v, S: Socket>(
    exchange: &Exchange<'_, S>,
    number: u64,
    ask: &Ask,
    fault: Option<Fault>,
    recollection: &'v Voice,
    format: &dyn Format,
) -> Plan<'v> {
    let usual = plan(exchange, number, ask, fault);
    if matches!(fault, Some(Fault::Empty | Fault::Endless | Fault::SplitUtf8 | Fault::HostileText)) {
        return usual;
    }
    let whole = recollection.tokens() + u32::from(format.has_end_token());
    let (tokens, reason) = match whole.max(ask.min_tokens) {
        tokens if tokens <= ask.max_tokens => (tokens, Reason::Stop),
        _ => (ask.max_tokens, Reason::Length),
    };
    Plan { tokens, reason, words: recollection.first(), strike_after: STRIKE_AFTER.min(tokens - 1), ..usual }
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
        exchange.state.metrics().failed();
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
    if source.is_ready() {
        return Ok(());
    }
    tokio::select! {
        biased;
        () = source.wait(tokens) => Ok(()),
        () = client_gone(exchange.socket, exchange.inbox) => Err(left()),
    }
}

/// Keeps count of an answer and tells the metrics.
#[derive(Debug)]
struct Progress {
    tally: Tally,
}

impl Progress {
    const fn new(ask: &Ask, cached_tokens: u32, received: Moment) -> Self {
        let tally = Tally {
            prompt_tokens: ask.prompt_tokens,
            cached_tokens,
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
        let now = clock::now();
        let tally = &mut self.tally;
        let mut metrics = exchange.state.metrics();
        if tally.generated == 0 {
            tally.scheduled = source.scheduled().unwrap_or(tally.received);
            tally.first = now;
            metrics.first_event(now.since(tally.received), tokens, tally.prompt_tokens, tally.cached_tokens);
        } else {
            metrics.events(now.since(tally.latest), 1, tokens);
        }
        tally.latest = now;
        tally.generated = tally.generated.saturating_add(tokens);
    }

    /// Counts so many more events, of a token each, that came with the latest.
    fn count_more<S: Socket>(&mut self, exchange: &Exchange<'_, S>, events: u32) {
        exchange.state.metrics().events(Nanos::ZERO, events, 1);
        self.tally.generated += events;
    }

    fn finish<S: Socket>(&self, exchange: &Exchange<'_, S>, reason: Reason) {
        let tally = &self.tally;
        exchange.state.metrics().finished(&Finished {
            input_tokens: tally.prompt_tokens,
            cached_tokens: tally.cached_tokens,
            output_tokens: tally.generated,
            stopped: reason == Reason::Stop,
            queue: tally.queue(),
            prefill: tally.prefill(),
            decode: tally.decode(),
            e2e: tally.total(),
        });
    }
}

/// Room for the text of a token, and for how many tokens room is made beforehand.
const BYTES_A_TOKEN: usize = 8;
const MOST_AT_FIRST: usize = 4_096;

/// The whole answer as the inside of a JSON string.
fn text_of(plan: &Plan<'_>, format: &dyn Format) -> String {
    if plan.is_silent() {
        return String::new();
    }
    let words = plan.words_shown(format) as usize;
    let mut text = String::with_capacity(BYTES_A_TOKEN * words.min(MOST_AT_FIRST));
    plan.words.clone().take(words).for_each(|token| text.push_str(token.escaped));
    text
}
