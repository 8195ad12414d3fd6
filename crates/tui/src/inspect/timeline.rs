//! An answer event by event: when each came, how long after the one before, and what it was.

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
}

impl Row {
    /// What brought it, where that was kept.
    pub fn part<'a>(&self, exchange: &'a Exchange) -> Option<&'a Part> {
        exchange.parts.get(self.number - 1).filter(|_| self.carried != Carried::Piece)
    }

    /// Its generated text.
    pub fn text<'a>(&self, exchange: &'a Exchange) -> Option<&'a Untrusted> {
        self.part(exchange)?.text.as_ref()
    }
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
    let reads = exchange.reads.iter().enumerate();
    reads
        .map(|(number, read)| {
            row(number, read.arrival_ns, read.lag_ns, read.stamp, read.bytes, None, Carried::Piece, false)
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

    /// Whether `row` is wanted.
    pub fn takes(&self, row: &Row, exchange: &Exchange) -> bool {
        self.carried.is_none_or(|carried| carried == row.carried)
            && (self.holding.is_empty() || row.part(exchange).is_some_and(|part| self.is_in(part)))
    }

    fn is_in(&self, part: &Part) -> bool {
        let wanted = self.holding.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&wanted);
        part.text.as_ref().is_some_and(|text| holds(text.raw())) || holds(Octets::shown(&part.raw).raw())
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
