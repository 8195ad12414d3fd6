//! Whether a run is worse than a baseline, by more than its bounds allow.
//!
//! ```text
//! records ─▶ Held ─▶ readings (values in order of time, rates, shares) ─┬─▶ against one run: BCa ratio, Welch, Newcombe ─┬─▶ judge
//!                                    of each run of a baseline ─┴─▶ against several: spread between runs ────────┘
//! ```
//!
//! The hypothesis of a check is that the figure is worse by its bound at most. A regression is called where that is
//! rejected at 5 % ÷ the number of checks (Bonferroni): whatever the figures truly are, a run within all its bounds is
//! failed at most 5 times in 100, and so is one that is the same as its baseline.

mod judge;
mod margin;
mod reading;

pub use judge::{Judged, judge};
pub use reading::{Held, Reading, Readings};

#[cfg(test)]
mod tests;
