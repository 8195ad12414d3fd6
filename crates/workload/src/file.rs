//! Prompts from a file: lines, JSONL, CSV, or conversations.
//!
//! | what it looks like | what it is |
//! | --- | --- |
//! | its name ends in `.csv`, or columns are named and it is no JSON | CSV, its first line the columns' names |
//! | begins with `[` and an object | a JSON array of conversations, or of objects with named fields |
//! | begins with `{` | JSONL: prompts, conversations, or objects with named fields, as its first line says |
//! | anything else | a prompt a line |

mod conversations;
mod objects;
mod table;

use std::io::BufRead;

use schema::plan::{Columns, Prompt};

use crate::error::{Spot, WorkloadError};
use crate::lines::Lines;

pub(crate) use objects::clean;

/// A larger file is refused.
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// A longer line, or a longer entry of a JSON array, is refused.
pub const MAX_LINE_BYTES: u64 = 16 << 20;
/// What comes after so many prompts of a file is left out.
pub const MAX_PROMPTS: usize = 100_000;
/// What comes after prompts of so many bytes is left out.
pub const MAX_KEPT_BYTES: u64 = 256 << 20;

/// How much is read, and how much is kept.
#[derive(Debug, Clone, Copy)]
struct Limits {
    file_bytes: u64,
    line_bytes: u64,
    prompts: usize,
    kept_bytes: u64,
}

const LIMITS: Limits =
    Limits { file_bytes: MAX_FILE_BYTES, line_bytes: MAX_LINE_BYTES, prompts: MAX_PROMPTS, kept_bytes: MAX_KEPT_BYTES };

/// What is looked for in a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The names of its columns.
    pub(crate) columns: Option<&'a Columns>,
    /// The user's turns of a conversation at most.
    pub(crate) turns: u32,
    /// Whether recorded answers are of use.
    pub(crate) answers: bool,
}

/// A prompt, and the answer that was recorded with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) prompt: Prompt,
    pub(crate) answer: Option<String>,
}

/// What was in a file.
#[derive(Debug)]
pub(crate) struct Found {
    /// Never empty.
    pub(crate) drafts: Vec<Draft>,
    /// Whether they are conversations, whose later turns are known.
    pub(crate) are_conversations: bool,
    pub(crate) notes: Vec<String>,
}

/// All prompts of the file called `path`, or as many of them as are kept.
pub(crate) fn read(path: &str, reader: impl BufRead, wanted: Wanted<'_>) -> Result<Found, WorkloadError> {
    read_within(LIMITS, path, reader, wanted)
}

fn read_within(
    limits: Limits,
    path: &str,
    mut reader: impl BufRead,
    wanted: Wanted<'_>,
) -> Result<Found, WorkloadError> {
    let beginning = reader.fill_buf().map_err(|source| WorkloadError::Read { spot: Spot::line(path, 1), source })?;
    let kind = Kind::of(path, beginning, wanted.columns);
    let mut kept = Kept::new(limits);
    match kind {
        Kind::Lines => read_lines(path, reader, wanted, &mut kept)?,
        Kind::Csv => table::read(path, reader, wanted.columns, &mut kept)?,
        Kind::Array => conversations::read_array(path, reader, wanted, &mut kept)?,
    }
    kept.into_found(path, wanted)
}

/// What a file is, before more than its beginning is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Lines of text or JSONL.
    Lines,
    Csv,
    /// One JSON array.
    Array,
}

impl Kind {
    fn of(path: &str, beginning: &[u8], columns: Option<&Columns>) -> Self {
        let beginning = beginning.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(beginning).trim_ascii_start();
        let is_named = |end: &str| path.len() >= end.len() && path.to_ascii_lowercase().ends_with(end);
        let in_array = beginning.strip_prefix(b"[").map(<[u8]>::trim_ascii_start);
        if is_named(".csv") {
            Self::Csv
        } else if in_array.is_some_and(|inside| inside.starts_with(b"{") || is_named(".json")) {
            Self::Array
        } else if columns.is_some() && !beginning.starts_with(b"{") {
            Self::Csv
        } else {
            Self::Lines
        }
    }
}

/// What was kept so far.
struct Kept {
    limits: Limits,
    bytes: u64,
    drafts: Vec<Draft>,
    are_conversations: bool,
    /// Conversations in which nobody asks anything.
    skipped: u64,
    /// Whether something was left out because there is enough.
    is_full: bool,
}

impl Kept {
    fn new(limits: Limits) -> Self {
        Self { limits, bytes: 0, drafts: Vec::new(), are_conversations: false, skipped: 0, is_full: false }
    }

    /// Keeps one more, if there is room.
    fn keep(&mut self, prompt: Prompt, answer: Option<String>) {
        let texts = [prompt.system.as_ref(), Some(&prompt.user), answer.as_ref()].into_iter().flatten();
        let texts = texts.chain(&prompt.followups).chain(&prompt.images);
        self.bytes += texts.map(|text| text.len() as u64).sum::<u64>();
        self.is_full |= self.drafts.len() >= self.limits.prompts || self.bytes > self.limits.kept_bytes;
        if !self.is_full || self.drafts.is_empty() {
            self.drafts.push(Draft { prompt, answer });
        }
    }

    fn into_found(self, path: &str, wanted: Wanted<'_>) -> Result<Found, WorkloadError> {
        let Self { drafts, are_conversations, skipped, is_full, .. } = self;
        if drafts.is_empty() {
            return Err(WorkloadError::EmptyFile { path: path.to_owned() });
        }
        let mut notes = Vec::new();
        let count = drafts.len();
        if is_full {
            notes.push(format!("prompts of `{path}` used: the first {count}; the rest is left out"));
        }
        if skipped > 0 {
            notes.push(format!("conversations of `{path}` left out, because nobody asks anything in them: {skipped}"));
        }
        if are_conversations && wanted.turns > 1 && drafts.iter().all(|draft| draft.prompt.followups.is_empty()) {
            notes.push(format!("no conversation of `{path}` has a second turn"));
        }
        if drafts.iter().any(|draft| draft.answer.is_some()) {
            notes.push(format!("answers may be as long as those recorded in `{path}`"));
        }
        Ok(Found { drafts, are_conversations, notes })
    }
}

/// What the lines of a file hold; its first line that is not blank decides.
enum Form {
    Text,
    Prompts,
    Conversations,
    Named,
}

impl Form {
    fn of(line: &str, columns: Option<&Columns>) -> Self {
        if !line.starts_with('{') {
            Self::Text
        } else if columns.is_some() {
            Self::Named
        } else if conversations::is_one(line) {
            Self::Conversations
        } else {
            Self::Prompts
        }
    }
}

fn read_lines(path: &str, reader: impl BufRead, wanted: Wanted<'_>, kept: &mut Kept) -> Result<(), WorkloadError> {
    let mut form = None;
    let mut lines = Lines::new(path, reader, kept.limits.line_bytes, kept.limits.file_bytes);
    while let Some((spot, text)) = lines.next()? {
        let text = text.as_str();
        match (form.get_or_insert_with(|| Form::of(text, wanted.columns)), wanted.columns) {
            (Form::Named, Some(columns)) => kept.keep(objects::with_names(&spot, text, columns)?, None),
            (Form::Conversations, _) => conversations::read_line(&spot, text, wanted, kept)?,
            (Form::Text, _) => kept.keep(Prompt::of(text), None),
            (Form::Prompts | Form::Named, _) => kept.keep(objects::prompt(&spot, text)?, None),
        }
        if kept.is_full {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
