//! Keeps runs on disk: append while running, seal at the end, open whatever is there.
//!
//! ```text
//! RunDir::create ─▶ Writer ─▶ requests.jsonl, in-flight.jsonl, ─▶ RunDir::seal ─▶ parquet, summaries,
//!        │                    steps.jsonl, server-metrics.jsonl         │          curves, checksums
//!        │                                │ kill -9                     │
//!        ▼                                ▼                             ▼
//!  manifest: running     Run::open, records, steps, samples      manifest: complete
//!
//! several runs ─▶ merge ──────┬▶ Draft (hidden) ─▶ seal ─▶ publish
//! loose files ─▶ Loose::adopt ┘
//! an old run ─▶ RunDir::reopen ─▶ seal again          list, find ─▶ Entry ─▶ tag, remove, baselines
//! ```
//!
//! A run is a folder; `manifest.json` in it is written first and replaced all at once at each change
//! of status. Records are lines of JSON, so that a crash costs at most the line it fell into; the
//! parts of requests still in flight stand in a file of their own until the seal. Parquet files are
//! made of the lines at the seal and are never read back by us.
//!
//! Invariants: bytes that were flushed are never lost or changed by a later error; every byte
//! written here has passed the [redaction guard](RunDir::create); whatever is read may be hostile:
//! sizes are bounded, paths stay inside the run, links are not followed; a run that crashed opens
//! like any other and [says what it lacks](Run::missing); whoever works on a run holds a lock on its
//! folder, and what is made of several runs or of loose files is hidden until it is whole; only runs in
//! the folder of results are removed, all at once. No clock is read here but for names that nobody else
//! gives, and no figure is computed from records: that is for `stats`.

mod adopt;
mod alive;
mod append;
mod baseline;
mod changes;
mod disk;
mod error;
mod filter;
pub mod json_schema;
mod lines;
mod listing;
mod log;
mod merge;
mod parallel;
mod quick;
mod records;
mod redact;
mod removal;
mod run;
mod run_dir;
mod series;
mod table;
mod tags;
mod verify;
mod votes;
mod writer;

pub use adopt::{Adopted, Loose, loose};
pub use alive::is_going_on;
pub use baseline::{
    BASELINES, Baseline, BaselineRun, baseline_folders, baselines, no_baseline, remove_baseline, set_baseline,
};
pub use changes::{Change, changes};
pub use error::StoreError;
pub use filter::{Filter, Pattern};
pub use listing::{Entry, Head, HeadTarget, find, find_only, head, list};
pub use log::Log;
pub use merge::{MergeAs, Merged, merge};
pub use records::Records;
pub use redact::Redactor;
pub use removal::{bytes_of, leftovers, remove, remove_leftover};
pub use run::{Kept, Run, summary_in};
pub use run_dir::{Draft, RunDir, Seal, clean_name, is_recorded};
pub use series::Series;
pub use tags::tag;
pub use verify::{Problem, verify, verify_records};
pub use votes::{VOTES, Voted, keep_vote, votes};
pub use writer::Writer;

/// The head of a run.
pub const MANIFEST: &str = "manifest.json";
/// In a target's folder: one record a line.
pub const REQUESTS: &str = "requests.jsonl";
/// In a target's folder, while the run goes on: parts of requests in flight, one a line.
pub const IN_FLIGHT: &str = "in-flight.jsonl";
/// In a target's folder: one step of a search a line.
pub const STEPS: &str = "steps.jsonl";
/// In a target's folder: one reading of its own metrics a line.
pub const SERVER_METRICS: &str = "server-metrics.jsonl";
/// In a target's folder, after the seal: the records as a table.
pub const TABLE: &str = "requests.parquet";
/// In a target's folder, after the seal: its numbers.
pub const SUMMARY: &str = "summary.json";
/// In a target's folder, after the seal: its curve over levels of load, where they were searched.
pub const CURVE: &str = "curve.json";
/// After the seal of a run of several targets: their ranking.
pub const COMPARISON: &str = "comparison.json";
/// What the program said.
pub const LOG: &str = "run.log";

/// A manifest or summary has at most this many bytes.
const JSON_BYTES: u64 = 16 << 20;
/// A line of records has at most this many bytes.
const LINE_BYTES: usize = 64 << 20;
/// A line of steps or of server metrics has at most this many bytes.
const SIDE_LINE_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests;
