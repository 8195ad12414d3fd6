//! Prompts from a file: one a line, or one JSON object a line.

use std::io::{BufRead, Read};

use schema::plan::Prompt;
use serde::Deserialize;

use crate::WorkloadError;

/// A larger file is refused.
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// A longer line is refused.
pub const MAX_LINE_BYTES: u64 = 1 << 20;

/// One line of a JSONL file. An unknown field is refused: a misspelt `max_tokens` would measure
/// something else than was meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromptObject {
    prompt: String,
    #[serde(default)]
    system: Option<String>,
    #[serde(default)]
    max_tokens: Option<u32>,
}

/// All prompts of the file called `path`. It is JSONL when its first line that is not blank begins
/// with `{`; blank lines are skipped.
pub(crate) fn read(path: &str, mut reader: impl BufRead) -> Result<Vec<Prompt>, WorkloadError> {
    let mut prompts = Vec::new();
    let mut is_jsonl = None;
    let mut bytes_left = MAX_FILE_BYTES;
    for line in 1.. {
        let Some(text) = next_line(path, line, &mut reader, &mut bytes_left)? else { break };
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        prompts.push(if *is_jsonl.get_or_insert(text.starts_with('{')) {
            from_json(path, line, text)?
        } else {
            Prompt::of(text)
        });
    }
    if prompts.is_empty() { Err(WorkloadError::EmptyFile { path: path.to_owned() }) } else { Ok(prompts) }
}

/// The next line without a byte-order mark, its line break kept; `None` at the end of the file.
fn next_line(
    path: &str,
    line: u64,
    reader: &mut impl BufRead,
    bytes_left: &mut u64,
) -> Result<Option<String>, WorkloadError> {
    let failed = |source| WorkloadError::Read { path: path.to_owned(), line, source };
    let mut bytes = Vec::new();
    let read = reader.take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut bytes).map_err(failed)? as u64;
    if read == 0 {
        return Ok(None);
    }
    if read > MAX_LINE_BYTES {
        return Err(WorkloadError::LineTooLong { path: path.to_owned(), line });
    }
    *bytes_left = bytes_left.checked_sub(read).ok_or_else(|| WorkloadError::FileTooLarge { path: path.to_owned() })?;
    let text = String::from_utf8(bytes)
        .map_err(|error| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, error.utf8_error())))?;
    let without_mark = if line == 1 { text.strip_prefix('\u{FEFF}').map(str::to_owned) } else { None };
    Ok(Some(without_mark.unwrap_or(text)))
}

fn from_json(path: &str, line: u64, text: &str) -> Result<Prompt, WorkloadError> {
    let object: PromptObject = serde_json::from_str(text).map_err(|source| WorkloadError::NotAPrompt {
        path: path.to_owned(),
        line,
        source,
    })?;
    let empty = |what| WorkloadError::EmptyPrompt { path: path.to_owned(), line, what };
    if object.prompt.trim().is_empty() {
        return Err(empty("an empty prompt"));
    }
    if object.max_tokens == Some(0) {
        return Err(empty("a `max_tokens` of zero"));
    }
    Ok(Prompt {
        system: object.system.filter(|system| !system.trim().is_empty()),
        user: object.prompt,
        max_tokens: object.max_tokens,
        ..Prompt::default()
    })
}

#[cfg(test)]
mod tests;
