//! The words every room shares: units, names, the plan, targets, events, records and summaries.
//!
//! ```text
//! Plan ─▶ Target × Prompt ─▶ Record (of Events) ─▶ Summary ─▶ a page
//! ```
//!
//! Types here parse, check and print themselves and do nothing else: no clock, no file, no socket,
//! no statistics. In Rust the type carries the unit; on disk the field's name does (`ttft_ns`,
//! `cost_usd`, `rate_per_s`).
//!
//! Invariants: a [`plan::Plan`] that exists is valid; a [`record::Record`] holds instants and
//! counts, never a derived number; no type here can print a secret; text from a server is
//! [`text::Untrusted`] until some medium's cleaner has seen it.

pub mod alike;
pub mod comparison;
pub mod conversation;
mod counted;
pub mod curve;
pub mod event;
pub mod exchange;
pub mod explain;
pub mod figure;
pub mod gate;
pub mod insight;
pub mod manifest;
pub mod metric;
pub mod plan;
pub mod progress;
pub mod projection;
pub mod record;
pub mod server;
pub mod story;
pub mod summary;
pub mod target;
pub mod text;
pub mod trend;
pub mod units;
pub mod vote;

pub use counted::{counted, times};

/// Version of the formats on disk: manifest, records and summaries. Older ones keep opening.
pub const FORMAT_VERSION: u32 = 2;
