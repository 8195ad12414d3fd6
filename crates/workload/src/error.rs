//! Why there is nothing to ask.

use crate::file::{MAX_FILE_BYTES, MAX_LINE_BYTES};

/// Prompts that cannot be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum WorkloadError {
    /// The text given is empty or blank.
    #[error("the prompt is empty")]
    #[diagnostic(code(workload::empty_text), help("give some text, or use `--size short` for a built-in set"))]
    EmptyText,
    /// A file was asked for and no reader given.
    #[error("the prompts of `{path}` were not handed over")]
    #[diagnostic(code(workload::no_reader), help("check that `{path}` exists and can be read"))]
    NoReader {
        /// The file.
        path: String,
    },
    /// The file could not be read to its end.
    #[error("cannot read line {line} of `{path}`")]
    #[diagnostic(code(workload::read), help("check that the file is plain text in UTF-8"))]
    Read {
        /// The file.
        path: String,
        /// Counted from one.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds nothing but blank lines.
    #[error("`{path}` holds no prompt")]
    #[diagnostic(
        code(workload::empty_file),
        help("write one prompt a line, or one JSON object a line, like {{\"prompt\": \"…\"}}")
    )]
    EmptyFile {
        /// The file.
        path: String,
    },
    /// The file is larger than [`MAX_FILE_BYTES`].
    #[error("`{path}` is larger than {} MiB", MAX_FILE_BYTES >> 20)]
    #[diagnostic(code(workload::file_too_large), help("measure with a sample of it: `shuf -n 1000` picks one"))]
    FileTooLarge {
        /// The file.
        path: String,
    },
    /// A line is longer than [`MAX_LINE_BYTES`].
    #[error("line {line} of `{path}` is longer than {} KiB", MAX_LINE_BYTES >> 10)]
    #[diagnostic(code(workload::line_too_long), help("shorten that prompt, or check that the file has line breaks"))]
    LineTooLong {
        /// The file.
        path: String,
        /// Counted from one.
        line: u64,
    },
    /// A line of a JSONL file is no prompt.
    #[error("line {line} of `{path}` is not a prompt object")]
    #[diagnostic(
        code(workload::not_a_prompt),
        help("write {{\"prompt\": \"…\"}}, with \"system\" and \"max_tokens\" where you want them, on one line")
    )]
    NotAPrompt {
        /// The file.
        path: String,
        /// Counted from one.
        line: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A prompt object asks nothing, or asks for nothing.
    #[error("line {line} of `{path}` has {what}")]
    #[diagnostic(code(workload::empty_prompt), help("fill it in, or delete the line"))]
    EmptyPrompt {
        /// The file.
        path: String,
        /// Counted from one.
        line: u64,
        /// What is missing: `an empty prompt`.
        what: &'static str,
    },
    /// The bytes are no tokenizer.
    #[error("the tokenizer cannot be read")]
    #[diagnostic(
        code(workload::no_tokenizer),
        help("give the `tokenizer.json` of the model's repository, not `tokenizer.model` or `tokenizer_config.json`")
    )]
    NoTokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A trace without requests.
    #[error("the trace `{path}` holds no request")]
    #[diagnostic(code(workload::empty_trace), help("check that it is the right file, with a row for each request"))]
    EmptyTrace {
        /// The file.
        path: String,
    },
}
