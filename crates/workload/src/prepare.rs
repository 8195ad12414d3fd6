//! From what was asked for to what is asked.

use std::io::BufRead;
use std::sync::Arc;

use schema::plan::{Prompt, PromptSource, Workload};

use crate::prompts::Prompts;
use crate::tokenizer::Tokenizer;
use crate::trace::Trace;
use crate::{WorkloadError, builtin, file};

/// What the caller opened: one for each file that the workload names.
#[derive(Default)]
pub struct Sources<'a> {
    /// The file of [`PromptSource::File`].
    pub file: Option<Box<dyn BufRead + 'a>>,
    /// The file of empirical lengths of [`PromptSource::Synthetic`].
    pub input_lengths: Option<Box<dyn BufRead + 'a>>,
    /// The file of empirical lengths of [`Workload::output_tokens`].
    pub output_lengths: Option<Box<dyn BufRead + 'a>>,
    /// The tokenizer of [`Workload::tokenizer`].
    pub tokenizer: Option<Arc<Tokenizer>>,
    /// The trace of [`PromptSource::Trace`].
    pub trace: Option<Arc<Trace>>,
}

/// The prompts of `workload`. `seed` is the plan's. Only those of `sources` are read that the workload names.
pub fn prepare(workload: &Workload, seed: u64, sources: Sources<'_>) -> Result<Prompts, WorkloadError> {
    let _ = seed;
    let set = match &workload.prompts {
        PromptSource::BuiltIn(size) => builtin::set(*size),
        PromptSource::Text(text) if text.trim().is_empty() => return Err(WorkloadError::EmptyText),
        PromptSource::Text(text) => vec![Prompt::of(text)],
        PromptSource::Synthetic(_) | PromptSource::Trace => return Err(WorkloadError::EmptyText),
        PromptSource::File(path) => {
            let path = path.display().to_string();
            let Some(reader) = sources.file else { return Err(WorkloadError::NoReader { path }) };
            file::read(&path, reader)?
        }
    };
    Ok(Prompts { set: set.into(), max_tokens: workload.max_tokens, tokenizer: sources.tokenizer, notes: Vec::new() })
}
