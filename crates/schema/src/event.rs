//! One streamed piece of a response, as it is kept.

mod columns;

use std::{fmt, slice};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Moment, Nanos};

/// What a streamed piece carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Answer text.
    Text,
    /// Reasoning text, before or between answers.
    Reasoning,
    /// A piece of a tool call.
    ToolCall,
    /// Vectors: the answer to a request for embeddings.
    Embedding,
    /// Nothing generated: a role, usage, a finish reason, a ping.
    Other,
}

impl EventKind {
    /// Whether the model generated something here: the events TTFT and ITL are made of.
    pub const fn is_content(self) -> bool {
        !matches!(self, Self::Other)
    }
}

/// Where an arrival's instant came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// The kernel's receive time of the bytes that completed the event.
    Kernel,
    /// The instant user space had read them.
    User,
}

/// One streamed piece of a response; it may carry zero, one or several tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// When it arrived, by `stamp`'s clock, on the run's time axis.
    pub arrival: Moment,
    /// User-space read − kernel arrival, nanoseconds, saturating. Zero under [`Stamp::User`].
    pub lag_ns: u32,
    /// Bytes of the frame that carried it.
    pub bytes: u32,
    /// Tokens it carried, where the server said so; 0 = not known.
    pub tokens: u16,
    /// What it carried.
    pub kind: EventKind,
    /// Where `arrival` came from.
    pub stamp: Stamp,
    /// Whether it shared its socket read with the event before it: then its arrival is an upper
    /// bound, bracketed below by the previous read's.
    pub shared_read: bool,
}

/// The events of one response in order of arrival. On disk: columns, one array a field, with
/// arrivals as differences (the first from the run's epoch), so that a line stays short and readable.
///
/// In memory an event takes 12 bytes; where one of them has a value too large for that (a gap above four
/// seconds, a frame above 64 KiB) all take 24.
#[derive(Clone)]
pub struct Events(Form);

/// How events are held.
#[derive(Clone)]
enum Form {
    /// As they usually are.
    Short {
        /// Arrival of the first.
        first: Moment,
        /// Arrival of the last.
        last: Moment,
        rows: Vec<Short>,
    },
    /// As they may be.
    Long(Vec<Event>),
}

/// One event beside the one before it.
#[derive(Clone, Copy)]
struct Short {
    /// Since the event before; nothing for the first.
    gap_ns: u32,
    lag_ns: u32,
    bytes: u16,
    tokens: u8,
    /// Kind, stamp and shared read, in bits.
    marks: u8,
}

/// The bits of [`Short::marks`] that say which kind.
const KIND: u8 = 0b111;
/// The bit of [`Short::marks`] for [`Stamp::User`].
const USER: u8 = 0b1000;
/// The bit of [`Short::marks`] for a shared read.
const SHARED: u8 = 0b1_0000;

/// All kinds; the place of each is its number in [`Short::marks`].
const KINDS: [EventKind; 5] =
    [EventKind::Text, EventKind::Reasoning, EventKind::ToolCall, EventKind::Embedding, EventKind::Other];

impl Short {
    /// `event` after one that arrived at `before`; `None` where a value does not fit.
    fn of(event: &Event, before: Moment) -> Option<Self> {
        let gap = event.arrival.0.checked_sub(before.0)?;
        let user = if event.stamp == Stamp::User { USER } else { 0 };
        let shared = if event.shared_read { SHARED } else { 0 };
        Some(Self {
            gap_ns: u32::try_from(gap).ok()?,
            lag_ns: event.lag_ns,
            bytes: u16::try_from(event.bytes).ok()?,
            tokens: u8::try_from(event.tokens).ok()?,
            marks: event.kind as u8 | user | shared,
        })
    }

    fn event(self, arrival: Moment) -> Event {
        Event {
            arrival,
            lag_ns: self.lag_ns,
            bytes: self.bytes.into(),
            tokens: self.tokens.into(),
            kind: KINDS[usize::from(self.marks & KIND)],
            stamp: if self.marks & USER == 0 { Stamp::Kernel } else { Stamp::User },
            shared_read: self.marks & SHARED != 0,
        }
    }

    fn gap(self) -> Nanos {
        Nanos(self.gap_ns.into())
    }
}

impl Events {
    /// No events, with room for `count`.
    pub fn with_capacity(count: usize) -> Self {
        Self(Form::Short { first: Moment::EPOCH, last: Moment::EPOCH, rows: Vec::with_capacity(count) })
    }

    /// Adds the next event.
    pub fn push(&mut self, event: Event) {
        match &mut self.0 {
            Form::Short { first, last, rows } => {
                let before = if rows.is_empty() { event.arrival } else { *last };
                if let Some(row) = Short::of(&event, before) {
                    if rows.is_empty() {
                        *first = event.arrival;
                    }
                    *last = event.arrival;
                    rows.push(row);
                } else {
                    self.0 = Form::Long(self.iter().chain([event]).collect());
                }
            }
            Form::Long(events) => events.push(event),
        }
    }

    /// Marks the event at `index` as one that shared its read; `None` where there is no such event.
    fn mark_shared(&mut self, index: usize) -> Option<()> {
        match &mut self.0 {
            Form::Short { rows, .. } => rows.get_mut(index)?.marks |= SHARED,
            Form::Long(events) => events.get_mut(index)?.shared_read = true,
        }
        Some(())
    }

    /// How many.
    pub const fn len(&self) -> usize {
        match &self.0 {
            Form::Short { rows, .. } => rows.len(),
            Form::Long(events) => events.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match &self.0 {
            Form::Short { first, last, rows } => Rows::Short { rows: rows.iter(), front: *first, back: *last },
            Form::Long(events) => Rows::Long(events.iter()),
        })
    }

    /// The first.
    pub fn first(&self) -> Option<Event> {
        self.iter().next()
    }

    /// The last.
    pub fn last(&self) -> Option<Event> {
        self.iter().next_back()
    }

    /// Events that carry generated content, in order.
    pub fn content(&self) -> impl DoubleEndedIterator<Item = Event> + Clone {
        self.iter().filter(|e| e.kind.is_content())
    }
}

impl Default for Events {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

impl PartialEq for Events {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other)
    }
}

impl Eq for Events {}

impl Extend<Event> for Events {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        events.into_iter().for_each(|event| self.push(event));
    }
}

impl FromIterator<Event> for Events {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        let events = events.into_iter();
        let mut all = Self::with_capacity(events.size_hint().0);
        all.extend(events);
        all
    }
}

impl From<Vec<Event>> for Events {
    fn from(events: Vec<Event>) -> Self {
        events.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = Event;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// Events in order.
#[derive(Clone)]
pub struct Iter<'a>(Rows<'a>);

#[derive(Clone)]
enum Rows<'a> {
    Short {
        rows: slice::Iter<'a, Short>,
        /// Arrival of the event before the next, or of the first.
        front: Moment,
        /// Arrival of the next from behind.
        back: Moment,
    },
    Long(slice::Iter<'a, Event>),
}

impl Iterator for Iter<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        match &mut self.0 {
            Rows::Short { rows, front, .. } => {
                let row = rows.next()?;
                *front = *front + row.gap();
                Some(row.event(*front))
            }
            Rows::Long(events) => events.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Rows::Short { rows, .. } => rows.size_hint(),
            Rows::Long(events) => events.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Event> {
        match &mut self.0 {
            Rows::Short { rows, back, .. } => {
                let row = rows.next_back()?;
                let arrival = *back;
                *back = arrival - row.gap();
                Some(row.event(arrival))
            }
            Rows::Long(events) => events.next_back().copied(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(arrival: u64, kind: EventKind, stamp: Stamp, tokens: u16, shared_read: bool) -> Event {
        Event { arrival: Moment(arrival), lag_ns: 7, bytes: 250, tokens, kind, stamp, shared_read }
    }

    #[track_caller]
    fn check(events: &[Event], expected: &str) {
        let kept: Events = events.iter().copied().collect();
        let json = serde_json::to_string(&kept).unwrap();
        assert_eq!(json, expected);
        let read: Events = serde_json::from_str(&json).unwrap();
        assert_eq!(read, kept);
        assert!(kept.iter().eq(events.iter().copied()), "{kept:?}");
        assert!(kept.iter().rev().eq(events.iter().rev().copied()), "{kept:?}");
        assert_eq!(
            (kept.len(), kept.first(), kept.last()),
            (events.len(), events.first().copied(), events.last().copied())
        );
    }

    #[test]
    fn events_come_back_from_their_columns() {
        let events = [
            event(1_000, EventKind::Other, Stamp::Kernel, 0, false),
            event(1_500, EventKind::Text, Stamp::Kernel, 1, false),
            event(1_500, EventKind::Reasoning, Stamp::User, 4, true),
        ];
        check(
            &events,
            r#"{"arrival_delta_ns":[1000,500,0],"client_lag_ns":[7,7,7],"bytes":[250,250,250],"kinds":"otr","tokens":[0,1,4],"stamps":"kku","shared_reads":[2]}"#,
        );
    }

    #[test]
    fn ordinary_columns_are_left_out() {
        let events = [event(5, EventKind::Text, Stamp::Kernel, 0, false)];
        check(&events, r#"{"arrival_delta_ns":[5],"client_lag_ns":[7],"bytes":[250],"kinds":"t"}"#);
        check(&[], r#"{"arrival_delta_ns":[],"client_lag_ns":[],"bytes":[],"kinds":""}"#);
    }

    #[test]
    fn events_with_large_values_are_held_as_they_are() {
        let short = event(5, EventKind::Text, Stamp::Kernel, 0, false);
        let late = event(5_000_000_005, EventKind::Embedding, Stamp::Kernel, 0, true);
        check(
            &[short, late],
            r#"{"arrival_delta_ns":[5,5000000000],"client_lag_ns":[7,7],"bytes":[250,250],"kinds":"te","shared_reads":[1]}"#,
        );
        check(
            &[Event { bytes: 70_000, ..late }, late],
            r#"{"arrival_delta_ns":[5000000005,0],"client_lag_ns":[7,7],"bytes":[70000,250],"kinds":"ee","shared_reads":[0,1]}"#,
        );
        check(
            &[Event { tokens: 256, ..short }, short],
            r#"{"arrival_delta_ns":[5,0],"client_lag_ns":[7,7],"bytes":[250,250],"kinds":"tt","tokens":[256,0]}"#,
        );
    }

    #[test]
    fn an_arrival_before_the_one_before_is_kept_in_memory_and_moved_on_disk() {
        let events: Events =
            [9, 4, 10].map(|at| event(at, EventKind::ToolCall, Stamp::Kernel, 0, false)).into_iter().collect();
        assert_eq!(events.iter().map(|e| e.arrival.0).collect::<Vec<_>>(), [9, 4, 10]);
        let read: Events = serde_json::from_str(&serde_json::to_string(&events).unwrap()).unwrap();
        assert_eq!(read.iter().map(|e| e.arrival.0).collect::<Vec<_>>(), [9, 9, 10]);
    }

    #[test]
    fn a_usual_event_takes_twelve_bytes() {
        assert_eq!(size_of::<Short>(), 12);
    }

    #[test]
    fn columns_of_different_lengths_are_refused() {
        assert!(
            serde_json::from_str::<Events>(
                r#"{"arrival_delta_ns":[1,2],"client_lag_ns":[1],"bytes":[1,1],"kinds":"tt"}"#
            )
            .is_err()
        );
        assert!(
            serde_json::from_str::<Events>(r#"{"arrival_delta_ns":[1],"client_lag_ns":[1],"bytes":[1],"kinds":"é"}"#)
                .is_err()
        );
    }
}
