//! An answer in events, one write each, and the faults that strike in the middle of it.

use std::io;

use super::{Plan, Progress, left, next_tokens, text_of};
use crate::ask::Route;
use crate::exchange::{After, Exchange};
use crate::fault::{Fault, HUGE_EVENT, HUGE_HEADER};
use crate::format::{self, Ending, Format, Piece, Reason, Tally};
use crate::http::{Chunk, LAST_CHUNK, client_gone};
use crate::problem::{Kind, Problem};
use crate::socket::Socket;
use crate::source::Source;
use crate::voice::Answer;

/// A stream being written.
struct Stream<'f> {
    format: &'f dyn Format,
    chunk: Chunk,
    /// The head, as long as it waits for the first event.
    head: Vec<u8>,
    /// Tokens that wait for the next event.
    held: u32,
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
        let payload = self.chunk.start();
        let before = payload.len();
        fill(payload);
        self.held += tokens;
        if payload.len() == before {
            return Ok(());
        }
        let tokens = std::mem::take(&mut self.held);
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
        for index in 0.. {
            let mut goes_on = false;
            self.event(exchange, 0, false, b"", |out| goes_on = format.opening(index, out, tally)).await?;
            if !goes_on {
                break;
            }
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

/// Bytes that most events stay within.
const EVENT: usize = 384;

/// All events of one kind.
fn collect(mut next: impl FnMut(usize, &mut Vec<u8>) -> bool) -> Vec<Vec<u8>> {
    (0..)
        .map_while(|index| {
            let mut event = Vec::with_capacity(EVENT);
            next(index, &mut event).then_some(event)
        })
        .collect()
}

/// Streams an answer, one write an event.
pub(super) async fn streamed<S: Socket>(
    exchange: &mut Exchange<'_, S>,
    format: &dyn Format,
    route: Route,
    plan: Plan<'_>,
    mut source: Source,
    mut progress: Progress,
) -> io::Result<After> {
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
            && let Some(after) = stream.strike(exchange, route, fault, &progress.tally).await?
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
        if stream.held > 0 && plan.is_bottomless(&source) {
            client_gone(exchange.socket, exchange.inbox).await;
            return Err(left());
        }
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
    Ok(Stream { format, chunk: Chunk::new(format::hex(exchange.state.config.engine)), head, held: 0 })
}

/// The texts of an event's tokens, joined in buffers that are used again.
#[derive(Debug, Default)]
struct Joined {
    text: String,
    escaped: String,
}

impl Joined {
    /// Takes the next `tokens` words as one piece; none: an end token.
    fn take<'p, 'v: 'p>(&'p mut self, words: &mut Answer<'v>, tokens: u32) -> Piece<'p> {
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
