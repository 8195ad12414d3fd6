//! Decides what is asked: prompts, their order, and how long answers may be.
//!
//! ```text
//!             ┌─ built-in set ──┐
//!             ├─ text, scene ───┼─▶ a set, in rounds ───────────┐
//!             ├─ file ──────────┘                               │      prefix before it, pictures beside it
//! Workload ───┤                                                 ├─▶ Prompts ─▶ pick(seed, index) ─▶ Picked
//!             ├─ lengths ───────┐                               │
//!             └─ trace ─────────┴─▶ words, so many tokens long ─┘
//!                                        ▲
//! tokenizer.json ── which words are one token each, tried out beforehand
//! ```
//!
//! No target is known here: what is asked never depends on who is asked, or comparisons would be
//! unfair. No file is opened: the caller hands over readers and bytes.
//!
//! Invariants: [`Prompts`] is never empty and no prompt in it is; the same seed and index give the
//! same prompt whoever asks; in every round of a set each prompt is used exactly once; a prompt says how
//! many tokens it is only where a tokenizer counted them; nothing is tokenised while requests are due.

mod bounded;
mod builtin;
mod error;
mod file;
mod images;
mod lengths;
mod lines;
mod memory;
mod nonce;
mod order;
mod prefix;
mod prepare;
mod prompts;
mod random;
mod scenario;
mod tokenizer;
mod tokens;
mod trace;
mod words;

pub use error::{Spot, WorkloadError};
pub use file::{MAX_FILE_BYTES, MAX_KEPT_BYTES, MAX_LINE_BYTES, MAX_PROMPTS};
pub use lengths::MAX_LENGTH;
pub use memory::{MOST_FACTS, MOST_PASSAGE_TOKENS, fewest_turns, script_of, usual_facts};
pub use nonce::nonce;
pub use order::choose;
pub use prepare::{Sources, prepare};
pub use prompts::{Picked, Prompts};
pub use scenario::{Scene, scene};
pub use tokenizer::Tokenizer;
pub use tokens::{estimate_prompt_tokens, estimate_tokens};
pub use trace::{BLOCK_TOKENS, MAX_TRACE_BYTES, MAX_TRACE_ENTRIES, Trace, TraceEntry, read_trace};

#[cfg(test)]
mod tests;
