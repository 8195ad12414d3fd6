//! One lane of one heat: what has been heard of a request, and in the end its record.

use std::sync::Arc;

use schema::event::EventKind;
use schema::metric::Metric;
use schema::progress::{Stage, Ticket};
use schema::record::{Failure, FinishReason, Outcome, Record, TokenSource};
use schema::units::{Moment, Nanos};

use super::rhythm::Rhythm;
use super::transcript::Transcript;

/// What a lane does, in the order in which it does it.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Nothing was sent yet.
    Ready,
    /// A connection is being made.
    Connecting,
    /// The request is sent; nothing came back that was generated.
    Waiting,
    /// The answer comes.
    Generating,
    /// The answer came, and then nothing for much longer than is usual for it.
    Stalled {
        /// Arrival of the last piece.
        since: Moment,
    },
    /// All of it is there.
    Finished(FinishReason),
    /// It failed.
    Failed(Failure),
    /// It was given up by us.
    Cancelled,
    /// It found no free place and was never sent.
    NotSent,
}

impl State {
    /// Whether nothing more will come.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Finished(_) | Self::Failed(_) | Self::Cancelled | Self::NotSent)
    }
}

/// How much was generated, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Tokens, or events.
    pub count: u64,
    /// Who counted. While an answer comes, [`TokenSource::ServerUsage`] means that every event said how many tokens it
    /// carries.
    pub source: TokenSource,
}

/// What is known of one lane.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// Which of its target's requests it is, and which attempt at it.
    which: Option<(u64, u32)>,
    reached: Reached,
    /// When it was sent: exactly, once its answer has begun.
    start: Option<Moment>,
    /// Arrivals of content.
    pub(super) rhythm: Rhythm,
    /// Tokens of all events; absent once one did not tell.
    tokens: Told,
    /// What was said.
    pub(super) transcript: Transcript,
    /// Bytes of it: of a long piece viewers are told the beginning.
    said: usize,
    /// Its record, once it is over.
    pub(super) record: Option<Arc<Record>>,
}

/// How far a request has come before there is content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Reached {
    #[default]
    Nothing,
    Connecting,
    Sent,
}

/// Tokens that a server told piece by piece.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    tokens: u64,
    /// Events that said nothing of their tokens.
    silent: u64,
}

impl Track {
    /// Takes a step of `ticket`'s request in. Requests before the newest are over for this lane.
    pub(super) fn step(&mut self, ticket: &Ticket, at: Moment, stage: &Stage) {
        if !self.turn_to(ticket.index, ticket.attempt) || self.record.is_some() {
            return;
        }
        match stage {
            Stage::Connecting => self.reached = Reached::Connecting,
            Stage::Sent => {
                self.reached = Reached::Sent;
                self.start = Some(at);
            }
            Stage::Answering { start, .. } => {
                self.reached = Reached::Sent;
                self.start = Some(*start);
            }
            Stage::Heard { kind, tokens, text } if kind.is_content() => {
                self.rhythm.add(at, (*tokens).into());
                self.tokens.add((*tokens).into());
                match text {
                    Some(text) => {
                        self.said += text.raw().len();
                        self.transcript.add(*kind, text);
                    }
                    None => self.transcript.miss(),
                }
            }
            Stage::Heard { .. } => {}
        }
    }

    /// Takes the record of the lane's request in: from now on its figures are the record's.
    pub(super) fn settle(&mut self, record: &Arc<Record>) {
        if !self.turn_to(record.index, record.attempt) {
            return;
        }
        self.start = record.start_ns.or(self.start);
        let heard = self.rhythm.len();
        self.rhythm = Rhythm::default();
        self.tokens = Told::default();
        for event in record.events.content() {
            self.rhythm.add(event.arrival, event.tokens.into());
            self.tokens.add(event.tokens.into());
        }
        if self.rhythm.len() != heard || kept(record).is_some_and(|bytes| bytes != self.said) {
            self.read_again(record);
        }
        self.record = Some(Arc::clone(record));
    }

    /// A viewer that was too slow missed some of it, as of a very long piece all do: the record may have all of it.
    fn read_again(&mut self, record: &Record) {
        let Some(output) = &record.output else { return self.transcript.miss() };
        self.transcript = Transcript::default();
        let said = record.events.iter().zip(output).filter(|(event, _)| event.kind.is_content());
        said.for_each(|(event, text)| self.transcript.add(event.kind, text));
    }

    /// Whether the request with this number and attempt is the one the lane shows; a newer one becomes it.
    fn turn_to(&mut self, index: u64, attempt: u32) -> bool {
        let which = Some((index, attempt));
        if self.which < which {
            *self = Self { which, ..Self::default() };
        }
        self.which == which
    }

    /// Which attempt at its request this is; 0 the first.
    pub(super) fn attempt(&self) -> u32 {
        self.which.map_or(0, |(_, attempt)| attempt)
    }

    /// What it does.
    pub(super) fn state(&self, now: Moment) -> State {
        if let Some(record) = &self.record {
            return match &record.outcome {
                Outcome::Complete { finish } => State::Finished(*finish),
                Outcome::Failed(failure) => State::Failed(failure.clone()),
                Outcome::NotSent => State::NotSent,
                Outcome::Cancelled | Outcome::Interrupted => State::Cancelled,
            };
        }
        match (self.rhythm.last(), self.reached) {
            (Some(since), _) if self.rhythm.is_long(now - since) => State::Stalled { since },
            (Some(_), _) => State::Generating,
            (None, Reached::Nothing) => State::Ready,
            (None, Reached::Connecting) => State::Connecting,
            (None, Reached::Sent) => State::Waiting,
        }
    }

    /// Whether its record is there.
    pub(super) const fn is_over(&self) -> bool {
        self.record.is_some()
    }

    /// When it was sent.
    pub(super) const fn start(&self) -> Option<Moment> {
        self.start
    }

    /// First content − start.
    pub(super) fn ttft(&self) -> Option<Nanos> {
        Some(self.rhythm.first()? - self.start?)
    }

    /// Last content − start, once it is finished.
    pub(super) fn e2e(&self) -> Option<Nanos> {
        self.record.as_ref().filter(|record| record.outcome.is_complete())?;
        Some(self.rhythm.last()? - self.start?)
    }

    /// What was generated so far; in the end as the record counts it.
    pub(super) fn amount(&self) -> Amount {
        if let Some(tokens) = self.record.as_ref().and_then(|record| record.tokens) {
            return Amount { count: tokens.output, source: tokens.source };
        }
        match self.tokens {
            Told { tokens, silent: 0 } if tokens > 0 => Amount { count: tokens, source: TokenSource::ServerUsage },
            _ => Amount { count: self.rhythm.len() as u64, source: TokenSource::ContentEvents },
        }
    }

    /// Tokens, or events, after the first per second since the first, as far as it has come; of the record the
    /// same with its count. Absent when all came at one instant.
    pub(super) fn speed(&self) -> Option<f64> {
        if let Some(record) = self.record.as_ref().filter(|record| record.outcome.is_complete()) {
            return stats::metric_values(record, Metric::OutputSpeed).next();
        }
        let steps = self.amount().count.checked_sub(1).filter(|&steps| steps > 0)?;
        let span = self.rhythm.last()? - self.rhythm.first()?;
        (span > Nanos::ZERO).then(|| steps as f64 / span.as_secs_f64())
    }

    /// The output limit that was asked for, once the record says it.
    pub(super) fn limit(&self) -> Option<u32> {
        self.record.as_ref().map(|record| record.max_tokens)
    }

    /// How far its E2E could be off by what was measured of this machine's own part in it: the time the request took
    /// to leave, where the kernel says it, and what is not known of the last arrival.
    pub(super) fn doubt(&self) -> Option<Nanos> {
        self.record.as_deref().and_then(super::doubt::of)
    }
}

/// Bytes of content that a record has kept, if it keeps what was said.
fn kept(record: &Record) -> Option<usize> {
    let content = record.events.iter().zip(record.output.as_deref()?).filter(|(event, _)| event.kind.is_content());
    Some(content.map(|(_, text)| text.raw().len()).sum())
}

impl Told {
    fn add(&mut self, tokens: u64) {
        self.tokens += tokens;
        self.silent += u64::from(tokens == 0);
    }
}

/// What a piece is called where it is not plain answer text.
pub(super) const fn label(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Reasoning => "reasoning",
        EventKind::ToolCall => "tool call",
        EventKind::Embedding => "vectors",
        EventKind::Text | EventKind::Other => "answer",
    }
}
