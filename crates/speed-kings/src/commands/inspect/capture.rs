//! What goes over the wire, taken down while it does, and made an exchange of when it is over. What is kept is bounded.

use std::ops::Range;

use bytes::Bytes;
use jiff::Timestamp;
use schema::event::{Event, Stamp};
use schema::exchange::{BodyRead, Exchange, Header, Octets, Part, Received, Sent};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{Phase, Record};
use schema::target::{Dialect, Target};
use schema::text::Untrusted;
use schema::units::Moment;
use transport::{Clock, Head, Letterhead, Order, Read, Watch};
use wire::{Decoder, Frame};

/// Bytes of one answer's body that are kept at most.
const MOST_BODY: usize = 8 << 20;

/// Reads of one answer that are kept at most.
const MOST_READS: usize = 1 << 16;

/// Takes down one exchange, and tells how far it has come, without its text: keys can be taken out of all of it only.
pub(super) struct Capture<'a> {
    ticket: Ticket,
    clock: Clock,
    told: &'a mut dyn FnMut(Progress),
    noted: Noted,
}

/// What was taken down of an answer.
#[derive(Default)]
pub(super) struct Noted {
    head: Option<NotedHead>,
    body: Vec<u8>,
    left_out: u64,
    reads: Vec<BodyRead>,
    /// Number of the latest read.
    number: u32,
}

struct NotedHead {
    status: u16,
    reason: Option<String>,
    headers: Vec<(String, Vec<u8>)>,
    is_json: bool,
}

/// All of one exchange, secrets included.
pub(super) struct Taken {
    pub(super) at: Timestamp,
    pub(super) letterhead: Letterhead,
    pub(super) order: Order,
    pub(super) noted: Noted,
    pub(super) record: Record,
    /// Bytes of one event at most.
    pub(super) limit: usize,
}

impl<'a> Capture<'a> {
    pub(super) fn new(target: &Target, clock: Clock, told: &'a mut dyn FnMut(Progress)) -> Self {
        let ticket =
            Ticket { target: target.name.clone(), phase: Phase::Measured, block: 0, index: 0, attempt: 0, stream: 0 };
        Self { ticket, clock, told, noted: Noted::default() }
    }

    pub(super) fn noted(self) -> Noted {
        self.noted
    }

    fn tell(&mut self, at: Moment, stage: Stage) {
        (self.told)(Progress::Moved { ticket: self.ticket.clone(), at, stage });
    }
}

impl Watch for Capture<'_> {
    fn connecting(&mut self) {
        self.tell(self.clock.now(), Stage::Connecting);
    }

    fn sent(&mut self, about: Moment) {
        self.tell(about, Stage::Sent);
    }

    fn head(&mut self, head: Head<'_>) {
        let headers: Vec<_> = head.headers().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
        let is_json = headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().starts_with(b"application/json")
        });
        let reason = head.reason.filter(|reason| !reason.is_empty()).map(str::to_owned);
        self.noted =
            Noted { head: Some(NotedHead { status: head.status, reason, headers, is_json }), ..Noted::default() };
    }

    fn answering(&mut self, start: Moment, status: u16) {
        self.tell(self.clock.now(), Stage::Answering { start, status });
    }

    fn piece(&mut self, bytes: &[u8], read: Read, number: u32) {
        self.noted.piece(bytes, read, number);
    }

    fn frame(&mut self, event: &Event, _: &Frame<'_>) {
        self.tell(event.arrival, Stage::Heard { kind: event.kind, tokens: event.tokens, text: None });
    }
}

impl Noted {
    fn piece(&mut self, bytes: &[u8], read: Read, number: u32) {
        let kept = bytes.len().min(MOST_BODY - self.body.len());
        // What lies behind a gap is left out, too.
        let kept = if self.left_out > 0 { 0 } else { kept };
        self.body.extend_from_slice(&bytes[..kept]);
        self.left_out += (bytes.len() - kept) as u64;
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        if let Some(last) = self.reads.last_mut().filter(|_| self.number == number) {
            last.bytes = last.bytes.saturating_add(size);
        } else if self.reads.len() < MOST_READS {
            self.reads.push(BodyRead {
                arrival_ns: read.arrival,
                lag_ns: u32::try_from((read.seen - read.arrival).0).unwrap_or(u32::MAX),
                stamp: if read.kernel { Stamp::Kernel } else { Stamp::User },
                bytes: size,
            });
        }
        self.number = number;
    }
}

impl Taken {
    /// The exchange, and the texts of what stands behind its last event, where its rest holds any.
    pub(super) fn exchange(self, target: &Target) -> (Exchange, Vec<Untrusted>) {
        let Self { at, letterhead, order, noted, record, limit } = self;
        let is_whole = !order.stream || target.dialect.embeds() || noted.head.as_ref().is_some_and(|head| head.is_json);
        let found = if record.events.is_empty() {
            Vec::new()
        } else if is_whole {
            vec![(0..noted.body.len(), whole_text(target.dialect, &noted.body))]
        } else {
            events(target.dialect, limit, &noted.body)
        };
        let behind = found.iter().skip(record.events.len()).filter_map(|(_, text)| text.clone()).collect();
        let part = |(range, text): &(Range<usize>, Option<Untrusted>)| Part {
            raw: noted.body[range.clone()].into(),
            text: text.clone(),
        };
        let parts: Vec<_> = found.iter().take(record.events.len()).map(part).collect();
        let end = found.get(..parts.len()).and_then(<[_]>::last).map_or(0, |(range, _)| range.end);
        let answer = noted.head.map(|head| Received {
            status: head.status,
            reason: head.reason.map(|reason| Untrusted::from(reason.as_str())),
            headers: head.headers.into_iter().map(|(name, value)| header(name, Some(value))).collect(),
        });
        let exchange = Exchange {
            at,
            target: target.clone(),
            request: sent(letterhead, &order.body),
            answer,
            reads: noted.reads,
            parts,
            rest: noted.body[end..].into(),
            left_out_bytes: noted.left_out,
            record,
        };
        (exchange, behind)
    }
}

fn sent(letterhead: Letterhead, body: &Bytes) -> Sent {
    let headers = letterhead.headers.into_iter().map(|(name, value)| header(name, value.map(String::into_bytes)));
    Sent { method: letterhead.method, target: letterhead.target, headers: headers.collect(), body: body[..].into() }
}

fn header(name: String, value: Option<Vec<u8>>) -> Header {
    Header { name: Untrusted::bounded(name, usize::MAX), value: value.map(Octets::from) }
}

fn whole_text(dialect: Dialect, body: &[u8]) -> Option<Untrusted> {
    let answer = wire::decode_answer(dialect, body).ok()?;
    let said = [&answer.reasoning, &answer.text, &answer.tool_call].into_iter().flatten();
    text(said.map(AsRef::as_ref))
}

/// Where each frame of `body` ends, and its text. Frames are the same however the bytes are split, so they are fed line
/// by line: the one that a line completes ends with it. Behind what cannot be decoded the next is tried.
fn events(dialect: Dialect, limit: usize, body: &[u8]) -> Vec<(Range<usize>, Option<Untrusted>)> {
    let mut found = Vec::new();
    let (mut from, mut at) = (0, 0);
    let mut decoder = Decoder::new(dialect, limit);
    let mut take = |from: usize, to: usize, frame: &Frame<'_>| {
        let said = [&frame.reasoning, &frame.text, &frame.tool_call].into_iter().flatten();
        found.push((from..to, text(said.map(AsRef::as_ref))));
    };
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let fed = decoder.feed(line, |frame| {
            take(from, at, &frame);
            // Several frames of one event: the first has its bytes.
            from = at;
        });
        if fed.is_err() {
            decoder = Decoder::new(dialect, limit);
        }
    }
    // How it ended is for the record to say.
    drop(decoder.finish(|frame| take(from, at, &frame)));
    found
}

fn text<'a>(pieces: impl Iterator<Item = &'a str>) -> Option<Untrusted> {
    let text: String = pieces.collect();
    (!text.is_empty()).then(|| Untrusted::bounded(text, usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &[(&str, Option<&str>)]) {
        let found = events(Dialect::OpenaiChat, 1 << 20, body.as_bytes());
        let found: Vec<_> =
            found.iter().map(|(range, text)| (&body[range.clone()], text.as_ref().map(Untrusted::raw))).collect();
        assert_eq!(found, expected);
    }

    macro_rules! event {
        ($text:literal) => {
            concat!("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"", $text, "\"}}]}\n\n")
        };
    }

    #[test]
    fn a_body_is_cut_where_its_events_end() {
        let body = concat!(": ping\n\n", event!("a"), event!("b"), "data: [DONE]\n\n: bye\n\n");
        let first = concat!(": ping\n\n", event!("a"));
        check(body, &[(first, Some("a")), (event!("b"), Some("b")), ("data: [DONE]\n\n", None)]);
    }

    #[test]
    fn behind_what_is_no_event_others_are_found() {
        let body = concat!(event!("a"), "data: {oops\n\n", event!("b"));
        let second = concat!("data: {oops\n\n", event!("b"));
        check(body, &[(event!("a"), Some("a")), (second, Some("b"))]);
        check("", &[]);
        check("data: no end", &[]);
    }

    #[test]
    fn what_lies_behind_the_bound_is_counted_and_not_kept() {
        let mut noted = Noted::default();
        let half = vec![b'x'; MOST_BODY / 2 + 1];
        for number in [1, 1, 2] {
            noted.piece(&half, Read::default(), number);
        }
        assert_eq!((noted.body.len(), noted.left_out), (MOST_BODY, half.len() as u64 + 2));
        assert_eq!(
            noted.reads.iter().map(|read| read.bytes as usize).collect::<Vec<_>>(),
            [half.len() * 2, half.len()]
        );
    }
}
