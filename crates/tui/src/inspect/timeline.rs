//! An answer event by event: when each came, how long after the one before, and what it was.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::ops::Range;

use schema::event::{EventKind, Stamp};
use schema::exchange::{Exchange, Octets, Part};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// An event of a stream.
    Event(EventKind),
    /// A read that brought a piece of an answer that is no stream.
    Piece,
}

impl Carried {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [
        Self::Event(EventKind::Text),
        Self::Event(EventKind::Reasoning),
        Self::Event(EventKind::ToolCall),
        Self::Event(EventKind::Embedding),
        Self::Event(EventKind::Other),
        Self::Piece,
    ];

    /// What a person calls it.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Event(EventKind::Text) => "text",
            Self::Event(EventKind::Reasoning) => "reasoning",
            Self::Event(EventKind::ToolCall) => "tool",
            Self::Event(EventKind::Embedding) => "vectors",
            Self::Event(EventKind::Other) => "other",
            Self::Piece => "piece",
        }
    }
}

/// One row of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1.
    pub number: usize,
    /// Arrival since the request's start.
    pub at: Nanos,
    /// Arrival since that of the row before.
    pub gap: Option<Nanos>,
    /// Bytes.
    pub bytes: u32,
    /// Tokens, where the server said so.
    pub tokens: Option<u16>,
    /// What it carried.
    pub carried: Carried,
    /// How long after the kernel user space had it; `None`: the kernel gave no stamp.
    pub lag: Option<Nanos>,
    /// Whether it came with the same read as the one before: then the arrival is an upper bound.
    pub shared: bool,
    /// Where in the body its bytes begin: of a piece, unless a secret was taken out or reads were not kept.
    from: Option<usize>,
}

impl Row {
    /// The event that it stands for, where that was kept.
    fn part<'a>(&self, exchange: &'a Exchange) -> Option<&'a Part> {
        exchange.parts.get(self.number - 1).filter(|_| self.carried != Carried::Piece)
    }

    /// Its generated text.
    pub fn text<'a>(&self, exchange: &'a Exchange) -> Option<&'a Untrusted> {
        self.part(exchange)?.text.as_ref()
    }

    /// Its bytes as they came, where they were kept.
    pub fn raw<'a>(&self, exchange: &'a Exchange) -> Option<Cow<'a, Octets>> {
        match self.carried {
            Carried::Event(_) => Some(Cow::Borrowed(&self.part(exchange)?.raw)),
            Carried::Piece => Some(Cow::Owned(body(exchange, self.piece(exchange)?).into())),
        }
    }

    /// Where in the body the read's piece of it lies, as far as that was kept.
    fn piece(&self, exchange: &Exchange) -> Option<Range<usize>> {
        let (from, kept) = (self.from?, kept(exchange));
        let range = from.min(kept)..(from + self.bytes as usize).min(kept);
        (!range.is_empty()).then_some(range)
    }
}

/// Bytes of the body that were kept.
fn kept(exchange: &Exchange) -> usize {
    exchange.parts.iter().map(|part| part.raw.len()).chain([exchange.rest.len()]).sum()
}

/// These bytes of a body.
fn body(exchange: &Exchange, range: Range<usize>) -> Vec<u8> {
    let mut begins = 0;
    let mut bytes = Vec::new();
    for octets in exchange.parts.iter().map(|part| &part.raw).chain([&exchange.rest]) {
        let (from, to) = (range.start.max(begins), range.end.min(begins + octets.len()));
        if from < to {
            bytes.extend_from_slice(&octets.raw()[from - begins..to - begins]);
        }
        begins += octets.len();
    }
    bytes
}

/// The events of a stream; of an answer that has one event or none, the reads that brought it.
pub fn timeline(exchange: &Exchange) -> Vec<Row> {
    let record = &exchange.record;
    let start = record.start_ns.unwrap_or_default();
    let mut before: Option<Moment> = None;
    let mut row = |number: usize, arrival: Moment, lag: u32, stamp: Stamp, bytes, tokens, carried, shared| Row {
        number: number + 1,
        at: arrival - start,
        gap: before.replace(arrival).map(|before| arrival - before),
        bytes,
        tokens,
        carried,
        lag: (stamp == Stamp::Kernel).then_some(Nanos(lag.into())),
        shared,
        from: None,
    };
    if record.events.len() > 1 {
        let events = record.events.iter().enumerate();
        return events
            .map(|(number, event)| {
                let tokens = (event.tokens > 0).then_some(event.tokens);
                let carried = Carried::Event(event.kind);
                row(number, event.arrival, event.lag_ns, event.stamp, event.bytes, tokens, carried, event.shared_read)
            })
            .collect();
    }
    let read: u64 = exchange.reads.iter().map(|read| u64::from(read.bytes)).sum();
    let is_whole = kept(exchange) as u64 + exchange.left_out_bytes == read;
    let mut until = 0;
    let reads = exchange.reads.iter().enumerate();
    reads
        .map(|(number, read)| {
            let from = is_whole.then_some(until);
            until += read.bytes as usize;
            Row {
                from,
                ..row(number, read.arrival_ns, read.lag_ns, read.stamp, read.bytes, None, Carried::Piece, false)
            }
        })
        .collect()
}

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of these only.
    pub carried: Option<Carried>,
    /// That hold this, in their text or around it, whatever the case of its letters.
    pub holding: String,
}

impl Filter {
    /// Whether nothing is left out.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// The places in `rows`, the timeline of `exchange`, of those that are wanted.
    pub fn choose(&self, rows: &[Row], exchange: &Exchange) -> Vec<usize> {
        let of_kind = |at: &usize| self.carried.is_none_or(|carried| carried == rows[*at].carried);
        let mut chosen: Vec<_> = (0..rows.len()).filter(of_kind).collect();
        if !self.holding.is_empty() {
            // Of all pieces of which nobody knows where they lie, the one answer.
            let anywhere = LazyCell::new(|| self.is_in_body(exchange, 0..usize::MAX));
            let beside = self.holding.len() - 1;
            let holding = |row: &Row| match (row.carried, row.part(exchange), row.piece(exchange)) {
                (_, Some(part), _) => self.is_in(part),
                // Some of it, if not all, came with that read.
                (Carried::Piece, _, Some(piece)) => {
                    self.is_in_body(exchange, piece.start.saturating_sub(beside)..piece.end + beside)
                }
                (Carried::Piece, _, None) => row.from.is_none() && *anywhere,
                (Carried::Event(_), ..) => false,
            };
            let found: Vec<_> = chosen.iter().copied().filter(|at| holding(&rows[*at])).collect();
            // In the body of a whole answer its text may be spelled otherwise: then it is in all of its pieces together.
            let is_whole = rows.iter().all(|row| row.carried == Carried::Piece);
            if !found.is_empty() || !is_whole || !exchange.parts.iter().any(|part| self.is_in(part)) {
                chosen = found;
            }
        }
        chosen
    }

    fn is_in(&self, part: &Part) -> bool {
        part.text.as_ref().is_some_and(|text| self.holds(text.raw())) || self.holds(part.raw.shown().raw())
    }

    fn is_in_body(&self, exchange: &Exchange, range: Range<usize>) -> bool {
        self.holds(Octets::from(body(exchange, range)).shown().raw())
    }

    fn holds(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.holding.to_lowercase())
    }

    /// The next kind of those that `rows` have, or all of them again.
    pub(super) fn next(&mut self, rows: &[Row]) {
        let there = |carried: &Carried| rows.iter().any(|row| row.carried == *carried);
        let from = self.carried.and_then(|now| Carried::ALL.iter().position(|carried| *carried == now));
        let rest = &Carried::ALL[from.map_or(0, |at| at + 1)..];
        self.carried = rest.iter().copied().find(there);
    }
}

/// The rows of `chosen`, places in `rows`, by their gaps: the longest first.
pub fn by_gap(rows: &[Row], chosen: &[usize]) -> Vec<usize> {
    let mut order: Vec<_> = chosen.iter().copied().filter(|at| rows[*at].gap.is_some()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(rows[*at].gap));
    order
}
