//! One request on a ready connection, folded into one record.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use schema::event::{Event, EventKind, Stamp};
use schema::plan::{SizeLimits, TimeLimits, TransportPlan};
use schema::record::{
    ConnectTimes, Failure, FailureClass, FinishReason, HttpVersion, Outcome, Partial, Record, TokenCounts, TokenSource,
    Usage,
};
use schema::target::Target;
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use wire::{Decoder, Frame, HeaderFacts, ServerError, WireError};

use crate::client::{LOOK_UP, Order, Watch};
use crate::clock::Clock;
use crate::connection::{Ask, Connection, Head, Waited};
use crate::failure::said;
use crate::socket::Read;

/// Most that is read of an error's body.
const ERROR_BODY_BYTES: usize = 64 << 10;

/// Events of one answer at most: with fewer than a hundred bytes each its record stays a line that readers take.
const MOST_EVENTS: usize = 1 << 20;

/// Bytes of generated text kept of one answer at most.
const KEPT_ANSWER_BYTES: usize = 4 << 20;

/// How often the events of a stream that goes on are handed out to be kept, at the next look-up.
const PARTIAL_EVERY: Nanos = Nanos::from_millis(500);

/// A request under way.
pub(crate) struct Exchange<'a> {
    target: &'a Target,
    order: &'a Order,
    clock: Clock,
    limits: TimeLimits,
    sizes: SizeLimits,
    /// When the wait began; stands in for `start` until the head of the answer is there.
    begun: Moment,
    /// When limits, cancelling and parts are to be looked at next.
    look_at: Moment,
    retry_after: Option<Nanos>,
    heard: Heard,
}

/// What the answer has said so far.
struct Heard {
    /// All that is kept of it, but for what only its end tells.
    record: Box<Record>,
    events: Vec<Event>,
    /// Bytes of its kept text.
    kept_bytes: usize,
    hash: u64,
    content: bool,
    /// Whether the end marker has come: what happens to the connection after it is no part of the answer.
    ended: bool,
    finish: Option<FinishReason>,
    error: Option<ServerError>,
    /// The read that brought the latest event, to tell shared ones.
    last_read: u32,
    /// Output tokens by the latest running usage.
    counted: u64,
    /// Events already handed out as parts, and when.
    parted: usize,
    parted_at: Moment,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        target: &'a Target,
        order: &'a Order,
        clock: Clock,
        begun: Moment,
        connect: Option<ConnectTimes>,
        plan: &TransportPlan,
    ) -> Self {
        let events = if order.stream && !target.dialect.embeds() { order.max_tokens.min(4096) as usize + 8 } else { 1 };
        let heard = Heard {
            record: Box::new(Record { connect, ..record_of(target, order) }),
            events: Vec::with_capacity(events),
            kept_bytes: 0,
            hash: FNV_OFFSET,
            content: false,
            ended: false,
            finish: None,
            error: None,
            last_read: 0,
            counted: 0,
            parted: 0,
            parted_at: begun,
        };
        let TransportPlan { limits, sizes, .. } = *plan;
        Self { target, order, clock, limits, sizes, begun, look_at: begun, retry_after: None, heard }
    }

    /// Sends the request and follows its answer to the end.
    pub(crate) async fn run(
        &mut self,
        connection: &mut Connection,
        ask: &Ask,
        cancel: &AtomicBool,
        watch: &mut impl Watch,
    ) -> Outcome {
        connection.ledger().open().arm();
        let patience = self.limits.first_token_ns.min(self.limits.total_ns).min(LOOK_UP.into());
        self.look_at = self.begun + patience;
        connection.wake_by(self.clock.instant(self.look_at));
        connection.send(ask, &self.order.body);
        watch.sent(self.begun);
        match self.follow(&mut Line { connection, cancel }, watch).await {
            Ok(finish) => Outcome::Complete { finish },
            Err(End::Failed(failure)) => Outcome::Failed(failure),
            Err(End::Cancelled) => Outcome::Cancelled,
        }
    }

    async fn follow(&mut self, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<FinishReason, End> {
        let (status, media) = self.head(line, watch).await?;
        if status != OK {
            return Err(self.refused(line, status, watch).await);
        }
        // Vectors are never streamed, and some servers answer in one piece although a stream was asked for.
        let streamed = self.order.stream && !self.target.dialect.embeds();
        match media {
            Media::WebPage => {
                Err(said(FailureClass::Malformed, "the answer is a web page: is the URL the API's?").into())
            }
            Media::Other if streamed => self.streamed(line, watch).await,
            Media::Json | Media::Other => self.whole(line, watch).await,
        }
    }

    /// The status of the answer, and what its body is.
    async fn head(&mut self, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<(u16, Media), End> {
        loop {
            let mut read = |head: Head<'_>| {
                watch.head(head);
                self.take_in(wire::read_headers(head.headers.iter()));
                (head.status, Media::of(head))
            };
            match line.connection.drive(|connection, cx| connection.poll_head(cx, &mut read)).await {
                Waited::Ready(Ok((status, media))) => {
                    let ledger = line.connection.ledger().open();
                    self.begun = ledger.start.unwrap_or(self.begun);
                    self.heard.record.headers_ns = Some(ledger.last.arrival);
                    drop(ledger);
                    self.heard.record.status = Some(status);
                    watch.answering(self.begun, status);
                    return Ok((status, media));
                }
                Waited::Ready(Err(failure)) => return Err(failure.into()),
                Waited::Tick => self.tick(line, watch)?,
            }
        }
    }

    fn take_in(&mut self, facts: HeaderFacts) {
        let record = &mut self.heard.record;
        record.request_id = facts.request_id;
        if facts.retry_after.is_some() || !facts.limits.is_empty() {
            let now = Timestamp::now();
            record.limits = Some(facts.limits.at(now)).filter(|limits| !limits.is_empty());
            self.retry_after = facts.retry_after.map(|wait| wait.from_now(now));
        }
        record.usage = Some(facts.usage);
        record.server = Some(facts.timing);
    }

    /// Follows a stream frame by frame.
    async fn streamed(&mut self, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<FinishReason, End> {
        let mut decoder = Decoder::new(self.target.dialect, self.sizes.event_bytes as usize);
        while let Some((read, number)) = self.next(line, watch).await? {
            let (heard, piece) = (&mut self.heard, line.connection.piece());
            decoder.feed(piece, |frame| heard.fold(&frame, read, number, watch)).map_err(|e| undecodable(&e))?;
            if let Some(error) = self.heard.error.take() {
                return Err(in_stream(error).into());
            }
            if self.heard.events.len() > MOST_EVENTS {
                return Err(
                    said(FailureClass::TooLarge, format!("the answer has more than {MOST_EVENTS} events")).into()
                );
            }
            self.look_up(read.seen, line, watch)?;
        }
        let (read, number) = line.latest();
        let heard = &mut self.heard;
        let ending = decoder.finish(|frame| heard.fold(&frame, read, number, watch)).map_err(|e| undecodable(&e))?;
        if let Some(error) = self.heard.error.take() {
            Err(in_stream(error).into())
        } else if !ending.ended && !ending.finished {
            Err(said(FailureClass::Truncated, "the stream ended without a finish reason or an end marker").into())
        } else if !self.heard.content {
            Err(said(FailureClass::Empty, "the stream ended properly but held no content").into())
        } else {
            Ok(self.heard.finish.unwrap_or(FinishReason::Unsaid))
        }
    }

    /// Collects an answer that comes in one piece: one event, when its last byte arrived.
    async fn whole(&mut self, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<FinishReason, End> {
        let mut all = Vec::new();
        while let Some((read, _)) = self.next(line, watch).await? {
            all.extend_from_slice(line.connection.piece());
            self.look_up(read.seen, line, watch)?;
        }
        let answer = wire::decode_answer(self.target.dialect, &all).map_err(|e| undecodable(&e))?;
        let (read, number) = line.latest();
        self.heard.fold_answer(answer, read, number, watch)
    }

    /// Reads why the request was refused.
    async fn refused(&mut self, line: &mut Line<'_>, status: u16, watch: &mut impl Watch) -> End {
        let mut all = Vec::new();
        // A body that breaks off does not hide the status.
        while all.len() < ERROR_BODY_BYTES {
            match self.next(line, watch).await {
                Ok(Some(_)) => all.extend_from_slice(line.connection.piece()),
                Ok(None) | Err(End::Failed(_)) => break,
                Err(End::Cancelled) => return End::Cancelled,
            }
        }
        all.truncate(ERROR_BODY_BYTES);
        let error = wire::decode_error(status, &all);
        let wait = self.retry_after.or(error.retry_after);
        let class = if (200..300).contains(&status) {
            FailureClass::UnexpectedStatus
        } else {
            wire::classify_status(status, &error)
        };
        End::Failed(Failure { class, message: error.message, retry_after_ns: wait })
    }

    /// Waits for the next piece of the body: the read that brought it and that read's number; `None` at its end.
    async fn next(&mut self, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<Option<(Read, u32)>, End> {
        loop {
            match line.connection.drive(Connection::poll_piece).await {
                Waited::Ready(Ok(false)) => return Ok(None),
                Waited::Ready(Ok(true)) => {
                    let (read, number) = line.latest();
                    watch.piece(line.connection.piece(), read, number);
                    let bytes = &mut self.heard.record.response_bytes;
                    *bytes += line.connection.piece().len() as u64;
                    if *bytes > self.sizes.body_bytes {
                        let limit = self.sizes.body_bytes;
                        return Err(
                            said(FailureClass::TooLarge, format!("the answer is larger than {limit} bytes")).into()
                        );
                    }
                    return Ok(Some((read, number)));
                }
                Waited::Ready(Err(_)) | Waited::Tick if self.heard.ended => return Ok(None),
                Waited::Ready(Err(failure)) => return Err(failure.into()),
                Waited::Tick => self.tick(line, watch)?,
            }
        }
    }

    /// An answer that never pauses leaves the timer no chance to go off: its reads tell the time instead.
    fn look_up(&mut self, seen: Moment, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<(), End> {
        if seen < self.look_at { Ok(()) } else { self.tick(line, watch) }
    }

    /// Time has passed: has a limit, were we cancelled, is there something to hand out?
    fn tick(&mut self, line: &mut Line<'_>, watch: &mut impl Watch) -> Result<(), End> {
        if line.cancel.load(Ordering::Relaxed) {
            return Err(End::Cancelled);
        }
        let now = self.clock.now();
        let start = line.connection.ledger().open().start.unwrap_or(self.begun);
        // What we read late was not late.
        let latest = self.heard.events.last().map_or(start, |event| event.arrival + Nanos(event.lag_ns.into()));
        let (class, limit, since) = if self.heard.content {
            (FailureClass::Stalled, self.limits.gap_ns, latest)
        } else {
            (FailureClass::FirstTokenTimeout, self.limits.first_token_ns, start)
        };
        if now - start >= self.limits.total_ns {
            let limit = self.limits.total_ns;
            return Err(said(FailureClass::TotalTimeout, format!("not finished within {limit}")).into());
        }
        if now - since >= limit {
            return Err(said(class, format!("nothing for {limit}")).into());
        }
        self.hand_out(now, watch);
        let next = (since + limit).min(start + self.limits.total_ns).min(now + LOOK_UP.into());
        line.connection.wake_at(self.clock.instant(next));
        // While events come, they look up before the timer does: it need not wake anyone.
        self.look_at = next.min(now + (LOOK_UP / 2).into());
        Ok(())
    }

    /// Hands out the events since the last part, if it is time.
    fn hand_out(&mut self, now: Moment, watch: &mut impl Watch) {
        let heard = &mut self.heard;
        if now - heard.parted_at < PARTIAL_EVERY || heard.parted == heard.events.len() {
            return;
        }
        let events = heard.events[heard.parted..].iter().copied().collect();
        heard.parted = heard.events.len();
        heard.parted_at = now;
        watch.partial(Partial {
            index: self.order.index,
            target: self.target.name.clone(),
            phase: self.order.phase,
            block: self.order.block,
            step: self.order.step,
            attempt: self.order.attempt,
            prompt: self.order.prompt,
            scheduled_ns: self.order.scheduled,
            start_ns: self.begun,
            events,
        });
    }

    /// All that is kept of it.
    pub(crate) fn into_record(self, connection: Option<&Connection>, outcome: Outcome) -> Box<Record> {
        let heard = self.heard;
        let embeds = self.target.dialect.embeds();
        let tokens = heard.tokens(embeds);
        let mut record = heard.record;
        if let Some(connection) = connection {
            let http = connection.version();
            let ledger = connection.ledger().open();
            record.http = Some(http);
            record.start_ns = ledger.start;
            record.sent_ns = ledger.sent;
            record.first_byte_ns = match http {
                // What comes first on such a connection may be its own affairs: settings, windows, pings.
                HttpVersion::Http2 => record.headers_ns,
                HttpVersion::Http1 => ledger.first.map(|read| read.arrival),
            };
            record.reads = ledger.reads;
        }
        record.end_ns = Some(self.clock.now());
        record.usage = record.usage.filter(|usage| *usage != Usage::default());
        record.server = record.server.filter(|timing| !timing.is_empty());
        record.tokens = tokens;
        record.output_hash = (heard.content && !embeds).then(|| hexadecimal(heard.hash));
        record.events = heard.events.into();
        record.outcome = outcome;
        record
    }
}

/// What is kept of `order` before anything came of it.
fn record_of(target: &Target, order: &Order) -> Record {
    Record {
        phase: order.phase,
        block: order.block,
        step: order.step,
        attempt: order.attempt,
        prompt: order.prompt,
        prompt_tokens: order.prompt_tokens,
        conversation: order.conversation,
        max_tokens: order.max_tokens,
        forced_length: order.forced_length,
        request_bytes: order.body.len() as u64,
        output: order.keep_text.then(Vec::new),
        ..Record::not_sent(target.name.clone(), order.index, order.scheduled)
    }
}

/// The connection with what is waited on beside it.
struct Line<'a> {
    connection: &'a mut Connection,
    cancel: &'a AtomicBool,
}

impl Line<'_> {
    /// The latest read and its number.
    fn latest(&self) -> (Read, u32) {
        let ledger = self.connection.ledger().open();
        (ledger.last, ledger.reads)
    }
}

/// The one status that an answer has.
const OK: u16 = 200;

/// What a body is, by its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    WebPage,
    Json,
    Other,
}

impl Media {
    fn of(head: Head<'_>) -> Self {
        let content_type = head.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let (_, media) = content_type.unwrap_or_default();
        let is = |wanted: &[u8]| media.get(..wanted.len()).is_some_and(|start| start.eq_ignore_ascii_case(wanted));
        match () {
            () if is(b"text/html") => Self::WebPage,
            () if is(b"application/json") => Self::Json,
            () => Self::Other,
        }
    }
}

/// Why an exchange ended before its proper end.
enum End {
    Failed(Failure),
    Cancelled,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

fn undecodable(error: &WireError) -> End {
    let class = match error {
        WireError::EventTooLarge { .. } => FailureClass::TooLarge,
        _ => FailureClass::Malformed,
    };
    crate::failure::failure(class, error).into()
}

fn in_stream(error: ServerError) -> Failure {
    Failure { class: FailureClass::ErrorInStream, message: error.message, retry_after_ns: error.retry_after }
}

impl Heard {
    fn fold(&mut self, frame: &Frame<'_>, read: Read, number: u32, watch: &mut impl Watch) {
        let kind = frame.kind();
        let mut tokens = frame.tokens.unwrap_or(0);
        if let Some(usage) = &frame.usage {
            merge(self.record.usage.get_or_insert_default(), usage);
            let so_far = usage.output_tokens.unwrap_or(self.counted);
            if tokens == 0 && kind.is_content() {
                tokens = u32::try_from(so_far.saturating_sub(self.counted)).unwrap_or(u32::MAX);
            }
            self.counted = so_far;
        }
        if let Some(timing) = &frame.timing {
            self.record.server.get_or_insert_default().merge(timing);
        }
        self.finish = frame.finish.or(self.finish);
        self.ended |= frame.end;
        if self.error.is_none() {
            self.error = frame.error.as_deref().cloned();
        }
        for text in [&frame.reasoning, &frame.text, &frame.tool_call].into_iter().flatten() {
            self.hash = fnv(self.hash, text.as_bytes());
        }
        let event = self.push(kind, frame.bytes, tokens, read, number);
        if let Some(kept) = &mut self.record.output {
            let said = [&frame.reasoning, &frame.text, &frame.tool_call].into_iter().flatten();
            let room = KEPT_ANSWER_BYTES.saturating_sub(self.kept_bytes);
            let piece = Untrusted::bounded(said.map(AsRef::as_ref).collect::<String>(), room);
            self.kept_bytes += piece.raw().len();
            kept.push(piece);
        }
        watch.frame(&event, frame);
    }

    fn fold_answer(
        &mut self,
        answer: Frame<'_>,
        read: Read,
        number: u32,
        watch: &mut impl Watch,
    ) -> Result<FinishReason, End> {
        if let Some(error) = answer.error {
            return Err(in_stream(*error).into());
        }
        self.fold(&answer, read, number, watch);
        if self.content {
            Ok(answer.finish.unwrap_or(FinishReason::Unsaid))
        } else {
            Err(said(FailureClass::Empty, "the answer held no content").into())
        }
    }

    /// Token counts: the server's, else the number of content events. Vectors are made of no tokens, so for them only
    /// what was read counts.
    fn tokens(&self, embeds: bool) -> Option<TokenCounts> {
        let Usage { input_tokens: input, output_tokens: output, .. } = self.record.usage.unwrap_or_default();
        if embeds {
            return input.map(|_| TokenCounts { input, output: 0, source: TokenSource::ServerUsage });
        }
        let content = self.events.iter().filter(|event| event.kind.is_content()).count() as u64;
        let counted = output.map(|output| (output, TokenSource::ServerUsage));
        let counted = counted.or((content > 0).then_some((content, TokenSource::ContentEvents)));
        counted.map(|(output, source)| TokenCounts { input, output, source })
    }

    fn push(&mut self, kind: EventKind, bytes: u32, tokens: u32, read: Read, number: u32) -> Event {
        let event = Event {
            arrival: read.arrival,
            lag_ns: u32::try_from((read.seen - read.arrival).0).unwrap_or(u32::MAX),
            bytes,
            tokens: u16::try_from(tokens).unwrap_or(u16::MAX),
            kind,
            stamp: if read.kernel { Stamp::Kernel } else { Stamp::User },
            shared_read: !self.events.is_empty() && number == self.last_read,
        };
        self.last_read = number;
        self.content |= kind.is_content();
        self.events.push(event);
        event
    }
}

/// Takes what `later` says where it says something.
fn merge(usage: &mut Usage, later: &Usage) {
    usage.input_tokens = later.input_tokens.or(usage.input_tokens);
    usage.output_tokens = later.output_tokens.or(usage.output_tokens);
    usage.cached_input_tokens = later.cached_input_tokens.or(usage.cached_input_tokens);
    usage.reasoning_tokens = later.reasoning_tokens.or(usage.reasoning_tokens);
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// Sixteen digits.
fn hexadecimal(hash: u64) -> String {
    let digit = |place: u32| char::from(b"0123456789abcdef"[((hash >> (4 * place)) & 15) as usize]);
    (0..16).rev().map(digit).collect()
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        // Reference vectors of the algorithm's authors.
        assert_eq!(fnv(FNV_OFFSET, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(FNV_OFFSET, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(FNV_OFFSET, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_hash_is_written_with_all_its_digits() {
        for hash in [0, 1, 0x0123_4567_89ab_cdef, FNV_OFFSET, u64::MAX] {
            assert_eq!(hexadecimal(hash), format!("{hash:016x}"));
        }
    }

    #[test]
    fn later_usage_does_not_forget_what_only_earlier_usage_said() {
        let mut usage = Usage { input_tokens: Some(9), ..Usage::default() };
        merge(&mut usage, &Usage { output_tokens: Some(3), ..Usage::default() });
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(9), Some(3)));
    }
}
