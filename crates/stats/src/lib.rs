//! Records into numbers: metrics, windows, intervals, SLO verdicts, cross-checks, live snapshots.
//! No clock, no file, and nothing random but what the plan's seed draws: the same plan and records always give the same summary.
//!
//! ```text
//! Record ─▶ requests (last attempts, start-up apart)
//!            ├▶ values ─▶ sample ─▶ distribution ─┐
//!            ├▶ window (rates)  cost  slo  check ─┴▶ quality, warnings ─▶ TargetSummary ─┬▶ Summary
//!            ├▶ comparison (block by block) ─▶ Comparison ───────────────────────────────┤
//! Step ─────▶└▶ curve (a summary a level) ─▶ law, answer ─▶ Curve ──────────────────────┘
//! Record ─▶ explain (other tools' definitions) ─▶ Explanation        alike (is it the same thing) ─▶ Unlike
//! Summary ─▶ insight (outliers, drift, relations)     Curve ─▶ capacity     Record ─▶ impact ─▶ Projected
//! stored runs ─▶ compare_runs, gate, trend, error_budget        one alone, a crowd ─▶ degradation
//! Record ─▶ live ─▶ Snapshot, Board        seen, in flight ─▶ saturation        records so far ─▶ precision
//! ```
//!
//! Invariants: each derived number has one formula, in [`metric_values`]; latency of a request that
//! did not complete is in no distribution; a request counts once, by its last attempt; a percentile
//! without the sample to carry it is withheld; warm-up counts nowhere but in its own number and cost; a
//! level of a search is judged by the same function while the search goes on and at its end.

pub mod cost;
pub mod gate;
pub mod inference;
pub mod interval;
pub mod live;
pub mod quantile;

mod alike;
mod answer;
mod autocorrelation;
mod capacity;
mod check;
mod cluster;
mod comparison;
mod conversation;
mod curve;
mod degradation;
mod distribution;
mod economy;
mod error_budget;
mod explain;
#[cfg(test)]
mod fixture;
mod impact;
mod insight;
mod law;
mod ledger;
mod measured;
mod moments;
pub mod perception;
mod places;
mod precision;
mod quality;
mod radix;
mod range;
mod reason;
mod requests;
mod saturation;
mod server_side;
mod side_by_side;
mod slo;
mod startup;
mod summary;
mod tally;
mod trend;
mod truth;
mod unsent;
mod values;
mod warning;
mod window;

pub use alike::{Compared, unlike};
pub use answer::{Verdict, answer, level_in_words};
pub use autocorrelation::effective_size;
pub use capacity::capacity;
pub use comparison::{Contest, Open, StoredRun, compare_runs};
pub use conversation::{answer_of, conversations, recall};
pub use curve::judge_level;
pub use degradation::{Change, Figure as ChangedFigure, Seen as ChangedValue, degradation};
pub use economy::Economy;
pub use error_budget::{Counted, Objective, error_budget};
pub use explain::explain;
pub use impact::impact;
pub use law::fit_law;
pub use measured::Measured;
pub use precision::{precision, relative_half_width};
pub use saturation::{Seen, saturation};
pub use slo::judge as judge_slos;
pub use startup::startup;
pub use summary::{combine, summarise, summarise_target};
pub use tally::{tally, tally_in_words};
pub use trend::trend;
pub use truth::{Errors, errors};
pub use values::metric_values;
