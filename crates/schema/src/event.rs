//! One streamed piece of a response, as it is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Moment;

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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Columns", try_from = "Columns")]
#[schemars(with = "Columns")]
pub struct Events(pub Vec<Event>);

impl Events {
    /// Events that carry generated content, in order.
    pub fn content(&self) -> impl DoubleEndedIterator<Item = &Event> + Clone {
        self.0.iter().filter(|e| e.kind.is_content())
    }
}

/// Columns of [`Events`]; all have one length, except that a column whose values are all alike and
/// ordinary (`tokens` unknown, `shared_read` never, `stamp` kernel) is left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Columns {
    /// Arrival of the first event since the run's epoch, then the gap to the event before.
    #[serde(default)]
    pub arrival_delta_ns: Vec<u64>,
    /// User-space read − kernel arrival.
    #[serde(default)]
    pub client_lag_ns: Vec<u32>,
    /// Bytes of the frame.
    #[serde(default)]
    pub bytes: Vec<u32>,
    /// One letter an event: `t`ext, `r`easoning, tool `c`all, `e`mbedding, `o`ther.
    #[serde(default)]
    pub kinds: String,
    /// Tokens by the server's word, 0 = not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<u16>,
    /// One letter an event: `k`ernel, `u`ser space. Left out: all kernel.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stamps: String,
    /// Indexes of the events that shared a socket read with the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_reads: Vec<u32>,
}

impl From<Events> for Columns {
    fn from(events: Events) -> Self {
        let events = events.0;
        let mut columns = Self {
            arrival_delta_ns: Vec::with_capacity(events.len()),
            client_lag_ns: events.iter().map(|e| e.lag_ns).collect(),
            bytes: events.iter().map(|e| e.bytes).collect(),
            kinds: events.iter().map(|e| kind_letter(e.kind)).collect(),
            ..Self::default()
        };
        let mut previous = Moment::EPOCH;
        for event in &events {
            columns.arrival_delta_ns.push((event.arrival - previous).0);
            previous = previous.max(event.arrival);
        }
        if events.iter().any(|e| e.tokens != 0) {
            columns.tokens = events.iter().map(|e| e.tokens).collect();
        }
        if events.iter().any(|e| e.stamp == Stamp::User) {
            columns.stamps = events.iter().map(|e| if e.stamp == Stamp::User { 'u' } else { 'k' }).collect();
        }
        columns.shared_reads = (0u32..).zip(&events).filter(|(_, e)| e.shared_read).map(|(i, _)| i).collect();
        columns
    }
}

impl TryFrom<Columns> for Events {
    type Error = String;

    fn try_from(columns: Columns) -> Result<Self, String> {
        let n = columns.arrival_delta_ns.len();
        let fits = |len: usize, optional: bool| len == n || (optional && len == 0);
        if !(fits(columns.client_lag_ns.len(), false)
            && fits(columns.bytes.len(), false)
            && fits(columns.kinds.len(), false)
            && fits(columns.tokens.len(), true)
            && fits(columns.stamps.len(), true))
        {
            return Err(format!("event columns differ in length from arrival_delta_ns ({n})"));
        }
        let mut arrival = Moment::EPOCH;
        let mut events = Vec::with_capacity(n);
        for i in 0..n {
            arrival = Moment(arrival.0.saturating_add(columns.arrival_delta_ns[i]));
            events.push(Event {
                arrival,
                lag_ns: columns.client_lag_ns[i],
                bytes: columns.bytes[i],
                tokens: columns.tokens.get(i).copied().unwrap_or(0),
                kind: letter_kind(columns.kinds.as_bytes()[i])?,
                stamp: if columns.stamps.as_bytes().get(i) == Some(&b'u') { Stamp::User } else { Stamp::Kernel },
                shared_read: false,
            });
        }
        for index in columns.shared_reads {
            events.get_mut(index as usize).ok_or("shared_reads names an event that is not there")?.shared_read = true;
        }
        Ok(Self(events))
    }
}

const fn kind_letter(kind: EventKind) -> char {
    match kind {
        EventKind::Text => 't',
        EventKind::Reasoning => 'r',
        EventKind::ToolCall => 'c',
        EventKind::Embedding => 'e',
        EventKind::Other => 'o',
    }
}

fn letter_kind(letter: u8) -> Result<EventKind, String> {
    match letter {
        b't' => Ok(EventKind::Text),
        b'r' => Ok(EventKind::Reasoning),
        b'c' => Ok(EventKind::ToolCall),
        b'e' => Ok(EventKind::Embedding),
        b'o' => Ok(EventKind::Other),
        other => Err(format!("`{}` is no kind of event", other.escape_ascii())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(arrival: u64, kind: EventKind, stamp: Stamp, tokens: u16, shared_read: bool) -> Event {
        Event { arrival: Moment(arrival), lag_ns: 7, bytes: 250, tokens, kind, stamp, shared_read }
    }

    #[test]
    fn events_come_back_from_their_columns() {
        let events = Events(vec![
            event(1_000, EventKind::Other, Stamp::Kernel, 0, false),
            event(1_500, EventKind::Text, Stamp::Kernel, 1, false),
            event(1_500, EventKind::Reasoning, Stamp::User, 4, true),
        ]);
        let json = serde_json::to_string(&events).unwrap();
        assert_eq!(serde_json::from_str::<Events>(&json).unwrap(), events);
        assert!(json.contains(r#""arrival_delta_ns":[1000,500,0]"#), "{json}");
    }

    #[test]
    fn ordinary_columns_are_left_out() {
        let events = Events(vec![event(5, EventKind::Text, Stamp::Kernel, 0, false)]);
        let json = serde_json::to_string(&events).unwrap();
        assert_eq!(json, r#"{"arrival_delta_ns":[5],"client_lag_ns":[7],"bytes":[250],"kinds":"t"}"#);
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
