//! What samples say of what they were drawn from: intervals, tests, relations, changes. Each formula names its source,
//! and each result that is not random is compared with SciPy's on the vectors in `reference/`.
//!
//! ```text
//! values in order of time ─▶ interval, difference, ratio       by BCa block bootstrap
//!                         ─▶ permutation, mann_whitney, welch, fisher ─▶ holm
//!                         ─▶ cliffs_delta, spearman, theil_sen          effects with intervals
//!                         ─▶ mann_kendall, change_points                steadiness
//!                         ─▶ kolmogorov_smirnov                         shape
//! choices among few ──────▶ bradley_terry                              who is preferred
//! ```
//!
//! Random parts take their seed from the caller: the same values and seed always give the same result.

mod bootstrap;
mod bradley_terry;
mod change_points;
mod cliffs_delta;
mod fisher;
mod holm;
mod kolmogorov_smirnov;
mod mann_kendall;
mod mann_whitney;
mod memory;
mod order;
mod permutation;
mod spearman;
pub(crate) mod tails;
mod theil_sen;
mod welch;

pub use bootstrap::{Design, Side, Statistic, difference, interval, ratio};
pub use bradley_terry::{Choice, Leader, MOST_CONTENDERS, Strengths, bradley_terry, chance};
pub use change_points::{ChangePoint, change_points};
pub use cliffs_delta::cliffs_delta;
pub use fisher::{Share, fisher};
pub use holm::holm;
pub use kolmogorov_smirnov::kolmogorov_smirnov;
pub use mann_kendall::{Drift, mann_kendall};
pub use mann_whitney::{MannWhitney, mann_whitney};
pub use permutation::permutation;
pub use spearman::{Correlation, spearman, spearman_in_time};
pub use theil_sen::{Slope, theil_sen};
pub use welch::{Mean, welch};

#[cfg(test)]
mod reference_tests;
#[cfg(test)]
mod two_sample_tests;
