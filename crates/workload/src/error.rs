//! Why there is nothing to ask.

use std::fmt;

use crate::lengths::MAX_LENGTH;

/// A place in a file: `line 3 of `p.txt``, or `entry 3 of `p.json`` where entries may spread over lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file.
    pub path: String,
    /// What is counted: `line`, `entry`.
    pub unit: &'static str,
    /// Which, from one.
    pub number: u64,
}

impl Spot {
    pub(crate) fn line(path: &str, number: u64) -> Self {
        Self { path: path.to_owned(), unit: "line", number }
    }

    pub(crate) fn entry(path: &str, number: u64) -> Self {
        Self { path: path.to_owned(), unit: "entry", number }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of `{}`", self.unit, self.number, self.path)
    }
}

/// Prompts that cannot be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[non_exhaustive]
pub enum WorkloadError {
    /// The text given is empty or blank.
    #[error("the prompt is empty")]
    #[diagnostic(code(workload::empty_text), help("give some text, or use `--size short` for a built-in set"))]
    EmptyText,
    /// A file was asked for and no reader given.
    #[error("`{path}` was not handed over")]
    #[diagnostic(code(workload::no_reader), help("check that `{path}` exists and can be read"))]
    NoReader {
        /// The file.
        path: String,
    },
    /// Prompts as long as a trace says, and no trace.
    #[error("there is no trace to take the lengths of prompts from")]
    #[diagnostic(code(workload::no_trace), help("replay one, or choose other prompts"))]
    NoTrace,
    /// Conversations as long as a trace says.
    #[error("a trace says nothing about the turns of a conversation")]
    #[diagnostic(code(workload::turns_of_trace), help("ask for one turn, or take the prompts from a file"))]
    TurnsOfTrace,
    /// The file could not be read to its end.
    #[error("cannot read {spot}")]
    #[diagnostic(code(workload::read), help("check that the file is plain text in UTF-8"))]
    Read {
        /// Where.
        spot: Spot,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds no prompt.
    #[error("`{path}` holds no prompt")]
    #[diagnostic(
        code(workload::empty_file),
        help("write one prompt a line, or one JSON object a line, like {{\"prompt\": \"…\"}}")
    )]
    EmptyFile {
        /// The file.
        path: String,
    },
    /// The file is larger than is read.
    #[error("`{path}` is larger than {} MiB", bytes >> 20)]
    #[diagnostic(
        code(workload::file_too_large),
        help("take a part of it: `head -n 1000` its beginning, `shuf -n 1000` a sample of its lines")
    )]
    FileTooLarge {
        /// The file.
        path: String,
        /// How large it may be.
        bytes: u64,
    },
    /// A line or an entry is longer than one may be.
    #[error("{spot} is longer than {} KiB", bytes >> 10)]
    #[diagnostic(code(workload::too_long), help("shorten it, or check that the file has line breaks"))]
    TooLong {
        /// Where.
        spot: Spot,
        /// How long one may be.
        bytes: u64,
    },
    /// A line of a JSONL file is no prompt.
    #[error("{spot} is not a prompt object")]
    #[diagnostic(
        code(workload::not_a_prompt),
        help(
            "write {{\"prompt\": \"…\"}}, with \"system\", \"max_tokens\" and \"image\" where you want them, on one line; \
             for other names say which columns are meant"
        )
    )]
    NotAPrompt {
        /// Where.
        spot: Spot,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// An entry of a file of conversations is none.
    #[error("{spot} is not a conversation")]
    #[diagnostic(
        code(workload::not_a_conversation),
        help(
            "an entry looks like {{\"conversations\": [{{\"from\": \"human\", \"value\": \"…\"}}]}} \
             or {{\"messages\": [{{\"role\": \"user\", \"content\": \"…\"}}]}}"
        )
    )]
    NotAConversation {
        /// Where.
        spot: Spot,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A CSV file is none.
    #[error("{spot} cannot be read as CSV")]
    #[diagnostic(
        code(workload::not_csv),
        help(
            "every line needs as many fields as the first; a field with commas, quotes or line breaks stands in quotes"
        )
    )]
    NotCsv {
        /// Where.
        spot: Spot,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// A named column is not there.
    #[error("{spot} has no column `{column}`")]
    #[diagnostic(code(workload::missing_column), help("{help}"))]
    MissingColumn {
        /// Where.
        spot: Spot,
        /// What was named.
        column: String,
        /// What there is.
        help: String,
    },
    /// A CSV file has a column that nobody named.
    #[error("`{path}` has a column `{column}`, which would be left out")]
    #[diagnostic(
        code(workload::unknown_column),
        help("name the columns that are meant, or keep only `prompt`, `system`, `max_tokens` and `image`")
    )]
    UnknownColumn {
        /// The file.
        path: String,
        /// The column.
        column: String,
    },
    /// A value is not what its column should hold.
    #[error("{spot} holds no {wanted} in `{column}`")]
    #[diagnostic(code(workload::bad_value), help("{help}"))]
    BadValue {
        /// Where.
        spot: Spot,
        /// The column.
        column: String,
        /// What it should be: `text`.
        wanted: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// A prompt object asks nothing, or asks for nothing.
    #[error("{spot} has {what}")]
    #[diagnostic(code(workload::empty_prompt), help("fill it in, or delete it"))]
    EmptyPrompt {
        /// Where.
        spot: Spot,
        /// What is missing: `an empty prompt`.
        what: &'static str,
    },
    /// A line of a file of lengths is no length.
    #[error("{spot} is no length in tokens: `{text}`")]
    #[diagnostic(
        code(workload::not_a_length),
        help("write one whole number from 1 to {MAX_LENGTH} a line, and nothing else")
    )]
    NotALength {
        /// Where.
        spot: Spot,
        /// Its beginning.
        text: String,
    },
    /// A file of lengths without any.
    #[error("`{path}` holds no length")]
    #[diagnostic(code(workload::no_lengths), help("write one whole number of tokens a line"))]
    NoLengths {
        /// The file.
        path: String,
    },
    /// The bytes are no tokenizer.
    #[error("the tokenizer cannot be read")]
    #[diagnostic(
        code(workload::no_tokenizer),
        help("give the `tokenizer.json` of the model's repository, not `tokenizer.model` or `tokenizer_config.json`")
    )]
    NoTokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// More bytes than a tokenizer has.
    #[error("the tokenizer is larger than {} MiB", crate::Tokenizer::MAX_BYTES >> 20)]
    #[diagnostic(code(workload::tokenizer_too_large), help("give the `tokenizer.json` of the model's repository"))]
    TokenizerTooLarge,
    /// Shared beginnings that cannot be made.
    #[error("shared beginnings cannot be made: {what}")]
    #[diagnostic(
        code(workload::prefix),
        help("ask for at least one group and one token, for a share from 0 to 1, and for less text in all")
    )]
    Prefix {
        /// Why not.
        what: String,
    },
    /// Pictures that cannot be made.
    #[error("pictures cannot be made: {what}")]
    #[diagnostic(code(workload::images), help("ask for something like one picture of 512x512 pixels a request"))]
    Images {
        /// Why not.
        what: String,
    },
    /// A trace in no form that is known.
    #[error("the trace `{path}` is in no form that is known")]
    #[diagnostic(
        code(workload::unknown_trace),
        help(
            "known are Azure's CSV (TIMESTAMP, ContextTokens, GeneratedTokens), BurstGPT's CSV (Timestamp, Request tokens, \
             Response tokens) and Mooncake's JSONL (timestamp, input_length, output_length)"
        )
    )]
    UnknownTrace {
        /// The file.
        path: String,
    },
    /// A request of a trace that cannot be understood.
    #[error("{spot} is no request of a trace: {what}")]
    #[diagnostic(code(workload::bad_request), help("correct it, or delete it"))]
    BadRequest {
        /// Where.
        spot: Spot,
        /// Why.
        what: String,
    },
    /// A trace without requests.
    #[error("the trace `{path}` holds no request")]
    #[diagnostic(code(workload::empty_trace), help("check that it is the right file, with a row for each request"))]
    EmptyTrace {
        /// The file.
        path: String,
    },
    /// A trace without the lengths that prompts are to have.
    #[error("the trace says of no request how long its prompt was")]
    #[diagnostic(code(workload::no_input_lengths), help("choose prompts of your own: `--size`, a file or lengths"))]
    NoInputLengths,
}
