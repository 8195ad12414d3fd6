//! Requests as they arrived somewhere else.

mod mooncake;
mod table;

use std::io::BufRead;
use std::sync::Arc;

use schema::units::Nanos;

use crate::error::{Spot, WorkloadError};
use crate::lengths::MAX_LENGTH;

/// A larger trace is refused.
pub const MAX_TRACE_BYTES: u64 = 4 << 30;
/// What comes after so many requests is left out.
pub const MAX_TRACE_ENTRIES: usize = 10_000_000;
/// What comes after so many blocks of all requests together is left out.
const MAX_BLOCKS: usize = 50_000_000;
/// Tokens of one block of a [`TraceEntry`], as in Mooncake's traces.
pub const BLOCK_TOKENS: u32 = 512;

/// One request of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceEntry {
    /// When it arrived, after the first of the trace.
    pub at: Nanos,
    /// Tokens of its prompt; `None`: not known.
    pub input_tokens: Option<u32>,
    /// Tokens of its answer; `None`: not known.
    pub output_tokens: Option<u32>,
    /// What its prompt is made of, [`BLOCK_TOKENS`] each: equal numbers stand for equal text. Empty: not known.
    pub blocks: Vec<u64>,
}

/// Requests in the order of their arrival. Never empty, the first arrives at zero, and no length is zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<TraceEntry>,
    notes: Vec<String>,
}

impl Trace {
    /// The requests of an earlier run, in any order: they are put in that of their arrival, and moved so that the
    /// first arrives at zero. A length of zero or beyond [`MAX_LENGTH`] counts as
    /// not known. `path` names the run in messages.
    pub fn from_arrivals(path: &str, mut entries: Vec<TraceEntry>) -> Result<Self, WorkloadError> {
        entries.sort_by_key(|entry| entry.at);
        let first = entries.first().ok_or_else(|| WorkloadError::EmptyTrace { path: path.to_owned() })?.at;
        for entry in &mut entries {
            entry.at = entry.at.saturating_sub(first);
            let is_length = |tokens: &u32| (1..=MAX_LENGTH).contains(tokens);
            entry.input_tokens = entry.input_tokens.filter(is_length);
            entry.output_tokens = entry.output_tokens.filter(is_length);
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

/// Reads a trace: the CSV of Azure's LLM inference traces, that of BurstGPT, or Mooncake's JSONL, told apart by their
/// first line. `path` names it in messages.
///
/// Requests that were not answered with a single token failed where they were recorded, and are left out.
pub fn read_trace(path: &str, reader: impl BufRead) -> Result<Trace, WorkloadError> {
    read_within(MAX_TRACE_ENTRIES, path, reader)
}

fn read_within(most: usize, path: &str, mut reader: impl BufRead) -> Result<Trace, WorkloadError> {
    let beginning = reader.fill_buf().map_err(|source| WorkloadError::Read { spot: Spot::line(path, 1), source })?;
    let beginning = beginning.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(beginning).trim_ascii_start();
    let mut arrivals = Arrivals::new(most);
    if beginning.starts_with(b"{") {
        mooncake::read(path, reader, &mut arrivals)?;
    } else if beginning.is_empty() {
        return Err(WorkloadError::EmptyTrace { path: path.to_owned() });
    } else {
        table::read(path, reader, &mut arrivals)?;
    }
    arrivals.into_trace(path)
}

/// A request as a trace has it: its instant in nanoseconds of the trace's own clock.
struct Arrival {
    at: i64,
    input_tokens: u32,
    output_tokens: u32,
    blocks: Vec<u64>,
}

/// What was read of a trace.
struct Arrivals {
    most: usize,
    kept: Vec<(i64, TraceEntry)>,
    blocks: usize,
    failed: u64,
    /// Requests whose blocks are not as many as their prompt is long.
    oddly_cut: u64,
    are_in_order: bool,
    is_full: bool,
}

impl Arrivals {
    const fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), blocks: 0, failed: 0, oddly_cut: 0, are_in_order: true, is_full: false }
    }

    fn add(&mut self, arrival: Arrival) {
        let Arrival { at, input_tokens, output_tokens, blocks } = arrival;
        if input_tokens == 0 || output_tokens == 0 {
            self.failed += 1;
            return;
        }
        self.blocks += blocks.len();
        if self.kept.len() >= self.most || self.blocks > MAX_BLOCKS {
            self.is_full = true;
            return;
        }
        let fits = blocks.is_empty() || blocks.len() == input_tokens.div_ceil(BLOCK_TOKENS) as usize;
        self.oddly_cut += u64::from(!fits);
        self.are_in_order &= self.kept.last().is_none_or(|(last, _)| *last <= at);
        let (input_tokens, output_tokens) = (Some(input_tokens), Some(output_tokens));
        self.kept.push((at, TraceEntry { at: Nanos::ZERO, input_tokens, output_tokens, blocks }));
    }

    fn into_trace(self, path: &str) -> Result<Trace, WorkloadError> {
        let mut kept = self.kept;
        kept.sort_by_key(|(at, _)| *at);
        let first = kept.first().ok_or_else(|| WorkloadError::EmptyTrace { path: path.to_owned() })?.0;
        let count = kept.len();
        let mut notes = Vec::new();
        if self.is_full {
            notes.push(format!("requests of the trace `{path}` used: the first {count}; the rest is left out"));
        }
        if self.failed > 0 {
            let failed = self.failed;
            notes.push(format!(
                "requests of the trace `{path}` left out, because they asked nothing or got no answer: {failed}"
            ));
        }
        if !self.are_in_order {
            notes.push(format!(
                "the requests of the trace `{path}` were not in the order of their arrival, and now are"
            ));
        }
        if self.oddly_cut > 0 {
            let oddly_cut = self.oddly_cut;
            notes.push(format!(
                "requests of the trace `{path}` not in blocks of {BLOCK_TOKENS} tokens: {oddly_cut}; what they share is \
                 not reproduced to the token"
            ));
        }
        let entries = kept.into_iter().map(|(at, entry)| TraceEntry { at: Nanos(at.abs_diff(first)), ..entry });
        Ok(Trace { entries: entries.collect(), notes })
    }
}

/// A number of seconds, in nanoseconds. `None` unless it is finite and a clock could show it.
#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
fn nanos(seconds: f64) -> Option<i64> {
    (seconds.abs() <= 4e9).then(|| (seconds * 1e9).round() as i64)
}

fn bad_request(spot: &Spot, what: impl Into<String>) -> WorkloadError {
    WorkloadError::BadRequest { spot: spot.clone(), what: what.into() }
}

#[cfg(test)]
mod tests;
