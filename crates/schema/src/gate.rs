//! Whether a run is worse than a baseline, by more than it may be.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alike::Unlike;
use crate::figure::{Figure, FigureError};
use crate::summary::{Estimate, SloVerdict};
use crate::target::TargetName;

/// How much worse a figure may be than that of the baseline: `ttft_p95=5%`. Of a success rate these are percentage
/// points, of every other figure a part of the baseline's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Bound {
    /// What is bounded.
    pub figure: Figure,
    /// By how much it may be worse: 0.05 for 5 %; 0 to 10, and below 1 where more is better.
    pub worse: f64,
}

/// Text that is no bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not a bound on a regression: {why}")]
#[diagnostic(code(schema::bound), help("write it like `ttft_p95=5%`, `output_tokens_per_s=3%` or `success_rate=0.5%`"))]
pub struct BoundError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl FromStr for Bound {
    type Err = BoundError;

    fn from_str(text: &str) -> Result<Self, BoundError> {
        let fail = |why: String| BoundError { text: text.chars().take(80).collect(), why };
        let (figure, percent) = text.split_once('=').ok_or_else(|| fail("it has no `=`".into()))?;
        let figure: Figure = figure.parse().map_err(|error: FigureError| fail(error.to_string()))?;
        let number = percent.trim().strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
        let percent = number.ok_or_else(|| fail(format!("`{}` is not a percentage", percent.trim())))?;
        let most = if figure.higher_is_better() { 99.0 } else { 1000.0 };
        if !(0.0..=most).contains(&percent) {
            return Err(fail(format!("it is to be 0 to {most} %")));
        }
        Ok(Self { figure, worse: percent / 100.0 })
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 0.07 × 100 is not quite 7.
        write!(f, "{}={}%", self.figure, (self.worse * 1e8).round() / 1e6)
    }
}

impl TryFrom<String> for Bound {
    type Error = BoundError;
    fn try_from(text: String) -> Result<Self, BoundError> {
        text.parse()
    }
}

impl From<Bound> for String {
    fn from(bound: Bound) -> Self {
        bound.to_string()
    }
}

/// What became of one bound at one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// Within the bound for certain, or nothing shows that it is not although it would have shown.
    Pass,
    /// Worse by more than the bound, for certain.
    Regression,
    /// There is too little data to tell.
    Undecided,
}

impl CheckVerdict {
    /// As it is printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regression => "regression",
            Self::Undecided => "undecided",
        }
    }
}

/// One bound at one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Whose.
    pub target: TargetName,
    /// Whether either side was measured from a simulated engine.
    pub simulated: bool,
    /// The bound.
    pub bound: Bound,
    /// The baseline's figure, in its base unit (nanoseconds, per second, share, US dollars): with its 95 % interval where
    /// it is of one run, else the centre of its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Estimate>,
    /// The run's figure with its 95 % interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Estimate>,
    /// run ÷ baseline − 1, of a success rate run − baseline, with the interval the verdict goes by: at [`Gate::confidence`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Estimate>,
    /// The verdict.
    pub verdict: CheckVerdict,
    /// How many more requests, in the run and in each run of the baseline, would likely tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more_requests: Option<u64>,
    /// The verdict in words.
    pub why: String,
}

/// One SLO at one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SloCheck {
    /// Whose.
    pub target: TargetName,
    /// Whether it is a simulated engine.
    pub simulated: bool,
    /// What became of it.
    pub verdict: SloVerdict,
}

/// A run that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunName {
    /// Its folder.
    pub folder: String,
    /// Its id.
    pub run_id: String,
    /// When it began.
    #[schemars(with = "String")]
    pub started: Timestamp,
    /// The commit it was started at, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// In what a target is not what it was in the baseline, beside its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Whose.
    pub target: TargetName,
    /// What was found.
    #[serde(flatten)]
    pub unlike: Unlike,
}

/// A run held against a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gate {
    /// [`crate::FORMAT_VERSION`].
    pub format_version: u32,
    /// The baseline as it was asked for.
    pub baseline_name: String,
    /// Its runs.
    pub baseline: Vec<RunName>,
    /// The run.
    pub run: RunName,
    /// Whether any target, of either side, was simulated.
    pub simulated: bool,
    /// A regression where one check is or an SLO is missed, else undecided where one is, else a pass.
    pub verdict: CheckVerdict,
    /// Confidence of each [`Check::change`], 0 to 1: a regression is called where nothing is one at most 5 % of the times, all
    /// bounds and targets together.
    pub confidence: f64,
    /// Whether the baseline has runs enough to tell how much runs differ from each other.
    pub between_runs: bool,
    /// One a bound and target, targets in the run's order.
    pub checks: Vec<Check>,
    /// One an SLO and target.
    pub slos: Vec<SloCheck>,
    /// What differs between the run and the latest run of the baseline beside the figures, the worst first.
    pub differences: Vec<Difference>,
    /// What a reader must know besides.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(&str, f64), &str>) {
        match (text.parse::<Bound>(), expected) {
            (Ok(bound), Ok((shown, worse))) => {
                assert_eq!(bound.to_string(), shown);
                assert!((bound.worse - worse).abs() < 1e-12);
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("`{text}` gave {got:?}"),
        }
    }

    #[test]
    fn a_bound_reads_and_prints_alike() {
        check("ttft_p95=5%", Ok(("ttft_p95=5%", 0.05)));
        check(" tpot_p50 = 7 % ", Ok(("tpot_p50=7%", 0.07)));
        check("success_rate=0.5%", Ok(("success_rate=0.5%", 0.005)));
        check("cost=0%", Ok(("cost=0%", 0.0)));
        check("e2e_mean=1000%", Ok(("e2e_mean=1000%", 10.0)));
    }

    #[test]
    fn a_wrong_bound_says_what_is_wrong() {
        check("ttft_p95", Err("no `=`"));
        check("ttft_p95=5", Err("`5` is not a percentage"));
        check("ttft_p95=NaN%", Err("0 to 1000 %"));
        check("ttft=5%", Err("`ttft` is not a figure"));
        check("ttft_p95=-1%", Err("0 to 1000 %"));
        check("output_tokens_per_s=100%", Err("0 to 99 %"));
    }
}
