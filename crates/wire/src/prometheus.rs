//! A server's metrics page, in the Prometheus text format, into one vocabulary whatever the engine.
//!
//! ```text
//! page ─▶ text (lines) ─▶ Series ─▶ names (vLLM, SGLang, TGI, llama.cpp, TensorRT-LLM) ─▶ gather ─▶ ServerSample
//!                                └─▶ gpu (DCGM exporter) ─────────────────────────────────┘
//! ```
//!
//! Invariants: series of several replicas are added up, shares take the largest; where an engine exposes one
//! quantity under an old and a new name, it counts once; a value that a device does not have (a sentinel, NaN,
//! anything negative) is absent, never zero; what we do not know is passed over, and nothing is allocated for it.

mod gather;
mod gpu;
mod histogram;
mod llamacpp;
mod names;
mod sglang;
mod text;
mod tgi;
mod trtllm;
mod vllm;

use schema::server::ServerSample;
use schema::text::Untrusted;

use gather::Gathered;

/// A page has at most this many bytes.
pub const PAGE_BYTES: usize = 8 << 20;

/// A page has at most this many series.
const SERIES: usize = 200_000;

/// Why a page could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum PageError {
    /// It has more than may be.
    #[error("the metrics page has more than {limit} {what}")]
    #[diagnostic(code(wire::metrics_too_large), help("read the engine's own page, not one that gathers many servers"))]
    TooLarge {
        /// Bytes, series and the like.
        what: &'static str,
        /// How many it may have.
        limit: usize,
    },
    /// It is JSON or a page for people.
    #[error("the metrics page is {what}, not Prometheus text")]
    #[diagnostic(
        code(wire::not_metrics),
        help("give the address of the Prometheus page: `/metrics`, TensorRT-LLM: `/prometheus/metrics`")
    )]
    NotMetrics {
        /// What it seems to be.
        what: &'static str,
    },
    /// A line is not of the format.
    #[error("line {line} of the metrics page is not understood: {wanted} expected at `{}`", found.for_terminal())]
    #[diagnostic(code(wire::metrics_line), help("check that the address is the engine's metrics page"))]
    NotUnderstood {
        /// Its number, from 1.
        line: usize,
        /// What should stand there.
        wanted: &'static str,
        /// What stands there.
        found: Untrusted,
    },
}

/// What a page of metrics says of a server, in nanoseconds, tokens, joules and bytes; `at_ns` and `took_ns` are the
/// caller's to fill in. A page without any name we know gives an empty sample: some engines name a metric only
/// once it has a value.
///
/// # Errors
/// When the page is too large or not Prometheus text.
pub fn server_sample(page: &str) -> Result<ServerSample, PageError> {
    if page.len() > PAGE_BYTES {
        return Err(PageError::TooLarge { what: "bytes", limit: PAGE_BYTES });
    }
    not_another_format(page)?;
    let mut gathered = Gathered::default();
    for (number, series) in text::series(page).enumerate() {
        if number == SERIES {
            return Err(PageError::TooLarge { what: "series", limit: SERIES });
        }
        gathered.fold(&series?)?;
    }
    Ok(gathered.sample())
}

/// The two mistakes that people make, by their first character.
fn not_another_format(page: &str) -> Result<(), PageError> {
    match page.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).as_bytes().first() {
        Some(b'<') => Err(PageError::NotMetrics { what: "HTML" }),
        Some(b'[') => Err(PageError::NotMetrics { what: "JSON" }),
        // A series whose name is quoted begins with a brace too.
        Some(b'{') if serde_json::from_str::<serde::de::IgnoredAny>(page).is_ok() => {
            Err(PageError::NotMetrics { what: "JSON" })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
