//! Events on disk: one array a field.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Event, EventKind, Events, Stamp};
use crate::units::Moment;

/// Columns of events; all have one length, except that a column whose values are all alike and
/// ordinary (`tokens` unknown, `shared_read` never, `stamp` kernel) is left out.
#[derive(Debug, Deserialize, JsonSchema)]
struct Columns<'a> {
    /// Arrival of the first event since the run's epoch, then the gap to the event before.
    #[serde(default, deserialize_with = "column")]
    arrival_delta_ns: Vec<u64>,
    /// User-space read − kernel arrival.
    #[serde(default, deserialize_with = "column")]
    client_lag_ns: Vec<u32>,
    /// Bytes of the frame.
    #[serde(default, deserialize_with = "column")]
    bytes: Vec<u32>,
    /// One letter an event: `t`ext, `r`easoning, tool `c`all, `e`mbedding, `o`ther.
    #[serde(default, borrow)]
    kinds: Cow<'a, str>,
    /// Tokens by the server's word, 0 = not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tokens: Vec<u16>,
    /// One letter an event: `k`ernel, `u`ser space. Left out: all kernel.
    #[serde(default, borrow, skip_serializing_if = "str::is_empty")]
    stamps: Cow<'a, str>,
    /// Indexes of the events that shared a socket read with the one before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shared_reads: Vec<u32>,
}

/// Events that a column has room for from the beginning: growing step by step takes longer than reading.
const USUAL: usize = 64;

/// A column that is there for each event.
fn column<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(Column(PhantomData))
}

struct Column<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Column<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::with_capacity(USUAL);
        while let Some(value) = sequence.next_element()? {
            values.push(value);
        }
        Ok(values)
    }
}

impl Serialize for Events {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tokens = self.iter().any(|e| e.tokens != 0);
        let stamps = self.iter().any(|e| e.stamp == Stamp::User);
        let shared_reads = self.iter().any(|e| e.shared_read);
        let optional = usize::from(tokens) + usize::from(stamps) + usize::from(shared_reads);
        let mut columns = serializer.serialize_struct("Columns", 4 + optional)?;
        columns.serialize_field("arrival_delta_ns", &Sequence(|| deltas(self)))?;
        columns.serialize_field("client_lag_ns", &Sequence(|| self.iter().map(|e| e.lag_ns)))?;
        columns.serialize_field("bytes", &Sequence(|| self.iter().map(|e| e.bytes)))?;
        columns.serialize_field("kinds", &self.iter().map(|e| kind_letter(e.kind)).collect::<String>())?;
        if tokens {
            columns.serialize_field("tokens", &Sequence(|| self.iter().map(|e| e.tokens)))?;
        }
        if stamps {
            columns.serialize_field("stamps", &self.iter().map(|e| stamp_letter(e.stamp)).collect::<String>())?;
        }
        if shared_reads {
            let shared = || (0u32..).zip(self).filter(|(_, e)| e.shared_read).map(|(i, _)| i);
            columns.serialize_field("shared_reads", &Sequence(shared))?;
        }
        columns.end()
    }
}

/// Arrivals as differences; one that is before the event before it counts as at the same time.
fn deltas(events: &Events) -> impl Iterator<Item = u64> {
    events.iter().scan(Moment::EPOCH, |previous, event| {
        let delta = event.arrival - *previous;
        *previous = event.arrival.max(*previous);
        Some(delta.0)
    })
}

/// What a function gives, as a sequence.
struct Sequence<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Sequence<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Columns::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for Events {
    fn inline_schema() -> bool {
        Columns::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Columns::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        Columns::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Columns::json_schema(generator)
    }
}

impl TryFrom<Columns<'_>> for Events {
    type Error = String;

    fn try_from(columns: Columns<'_>) -> Result<Self, String> {
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
        let mut events = Self::with_capacity(n);
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
            events.mark_shared(index as usize).ok_or("shared_reads names an event that is not there")?;
        }
        Ok(events)
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

const fn stamp_letter(stamp: Stamp) -> char {
    match stamp {
        Stamp::Kernel => 'k',
        Stamp::User => 'u',
    }
}
