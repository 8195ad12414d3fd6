//! Who wins, and how sure: made by `stats`, told by `report`, kept by `store`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alike::Unlike;
use crate::summary::Estimate;
use crate::target::TargetName;

macro_rules! criteria {
    ($($variant:ident, $key:literal, $short:literal, $heading:literal, $best:literal, $higher:literal, $dimension:ident, $doc:literal;)*) => {
        /// What targets are ranked by. The serialised name carries the unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Criterion { $(#[doc = $doc] #[serde(rename = $key, alias = $short)] $variant,)* }

        impl Criterion {
            /// All of them, in the order reports show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name on disk, with its unit: `ttft_p50_ns`.
            pub const fn key(self) -> &'static str { match self { $(Self::$variant => $key),* } }

            /// Name in flags, without a unit: `ttft_p50`.
            pub const fn short(self) -> &'static str { match self { $(Self::$variant => $short),* } }

            /// Heading for people: `TTFT p50`.
            pub const fn heading(self) -> &'static str { match self { $(Self::$variant => $heading),* } }

            /// What the first of the ranking has: `fastest TTFT p50`.
            pub const fn best(self) -> &'static str { match self { $(Self::$variant => $best),* } }

            /// Whether more is better.
            pub const fn higher_is_better(self) -> bool { match self { $(Self::$variant => $higher),* } }

            /// What it says something of.
            pub const fn dimension(self) -> Dimension { match self { $(Self::$variant => Dimension::$dimension),* } }
        }
    };
}

criteria! {
    TtftMean, "ttft_mean_ns", "ttft_mean", "TTFT mean", "fastest TTFT mean", false, Latency, "Mean TTFT.";
    TtftP50, "ttft_p50_ns", "ttft_p50", "TTFT p50", "fastest TTFT p50", false, Latency, "Median TTFT.";
    TtftP95, "ttft_p95_ns", "ttft_p95", "TTFT p95", "fastest TTFT p95", false, Latency, "95th percentile of TTFT.";
    TtftP99, "ttft_p99_ns", "ttft_p99", "TTFT p99", "fastest TTFT p99", false, Latency, "99th percentile of TTFT.";
    TpotP50, "tpot_p50_ns", "tpot_p50", "TPOT p50", "fastest TPOT p50", false, Latency, "Median TPOT.";
    E2eP50, "e2e_p50_ns", "e2e_p50", "E2E p50", "fastest E2E p50", false, Latency, "Median E2E.";
    OutputTokensPerS, "output_tokens_per_s", "throughput", "Output tokens/s", "most output tokens/s", true, Throughput, "Output tokens per second, all streams together; closed loop only, as an open loop carries what it is offered.";
    TtftSpread, "ttft_p95_over_p50", "consistency", "TTFT p95 ÷ p50", "steadiest TTFT (p95 ÷ p50)", false, Consistency, "How far the slow requests are from the typical one: TTFT p95 ÷ p50, 1 at best.";
    SuccessRate, "success_rate", "success", "Success rate", "highest success rate", true, Reliability, "completed ÷ (attempted − rate-limited), 0 to 1.";
    CostPer1kRequests, "cost_per_1k_requests_usd", "cost", "Cost per 1k requests", "lowest cost per 1k requests", false, Cost, "US dollars for a thousand completed requests.";
}

impl Criterion {
    /// Whether targets differ by so many points of a share, not by a part of the value: of 1 % and 2 % failed, one is
    /// not twice as reliable.
    pub const fn is_share(self) -> bool {
        matches!(self, Self::SuccessRate)
    }
}

/// Text that names no criterion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is nothing that targets are compared by")]
#[diagnostic(code(schema::criterion), help("one of {}", names(Criterion::ALL.iter().map(|c| c.short()))))]
pub struct CriterionError(pub String);

impl FromStr for Criterion {
    type Err = CriterionError;

    fn from_str(text: &str) -> Result<Self, CriterionError> {
        let wanted = text.trim();
        let named =
            Self::ALL.iter().copied().find(|criterion| criterion.short() == wanted || criterion.key() == wanted);
        named.ok_or_else(|| CriterionError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.heading())
    }
}

/// What a target is good or bad at. Each has criteria of its own, which count alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// How soon answers come.
    Latency,
    /// How much comes out in all.
    Throughput,
    /// How alike requests are served.
    Consistency,
    /// How many requests are answered.
    Reliability,
    /// What a request costs.
    Cost,
}

impl Dimension {
    /// All of them, in the order reports show them.
    pub const ALL: &'static [Self] =
        &[Self::Latency, Self::Throughput, Self::Consistency, Self::Reliability, Self::Cost];

    /// As it is written and printed.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Throughput => "throughput",
            Self::Consistency => "consistency",
            Self::Reliability => "reliability",
            Self::Cost => "cost",
        }
    }
}

/// Text that names no dimension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is nothing that can be weighed")]
#[diagnostic(code(schema::dimension), help("one of {}", names(Dimension::ALL.iter().map(|d| d.in_words()))))]
pub struct DimensionError(pub String);

impl FromStr for Dimension {
    type Err = DimensionError;

    fn from_str(text: &str) -> Result<Self, DimensionError> {
        let named = Self::ALL.iter().copied().find(|dimension| dimension.in_words() == text.trim());
        named.ok_or_else(|| DimensionError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.in_words())
    }
}

/// `a, b, c`, in backticks.
fn names(of: impl Iterator<Item = &'static str>) -> String {
    of.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// How two targets are told apart: always by what differs from block to block, as requests of one block are not
/// independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Both were measured in the same interleaved blocks: Student's t of the differences, block by block.
    PairedBlocks,
    /// They were measured apart: Welch's t of blocks, or of stretches of requests where there is only one block.
    IndependentBlocks,
}

/// One target in the order of one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standing {
    /// Who.
    pub target: TargetName,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// Values behind the estimate: requests, or blocks for a rate.
    pub n: u64,
    /// What was measured, in the criterion's unit; absent when there is not enough data to rank it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// What is known of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The better one is better: where nothing differs, at most one run in twenty says so of any pair of a criterion.
    Better,
    /// Whatever the difference is, it is too small to matter: the whole interval lies within it.
    Tie {
        /// The share within which differences count as none: 0.03.
        within: f64,
    },
    /// Neither can be said yet.
    MoreNeeded {
        /// Requests of each of the two after which it likely could be; absent where none can be named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requests: Option<u64>,
    },
}

/// What else is known of a pair, beside what its verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Blocks that the verdict rests on: those that both have, or of the one that has fewer.
    pub blocks: u32,
    /// How many independent values the better one's requests are worth; absent for rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_better: Option<f64>,
    /// The same of the worse one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_worse: Option<f64>,
    /// The margin with its interval by bootstrap of blocks; means and percentiles only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Estimate>,
    /// Two-sided p-value of Mann and Whitney's U of single requests, as if they were independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mann_whitney_p: Option<f64>,
    /// Two-sided p-value of changing signs of the blocks' differences; blocks in common only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permutation_p: Option<f64>,
    /// Cliff's delta: how much oftener a request of the better one is better than worse, −1 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cliffs_delta: Option<Estimate>,
}

/// How two targets differ, and whether that is certain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairVerdict {
    /// The one with the better estimate.
    pub better: TargetName,
    /// The other.
    pub worse: TargetName,
    /// A simulated target against a real one: says nothing about the real one.
    pub simulated_with_real: bool,
    /// By how much the better is better: the larger value ÷ the smaller − 1, of shares their difference, with the
    /// interval that the verdict rests on (95 % for all pairs of the criterion, and for every look of a run that went
    /// on until it was decided). Absent where the better is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Estimate>,
    /// How they were told apart.
    pub test: Test,
    /// Two-sided p-value of `test`; absent below two blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The same after Holm's correction over all pairs of the criterion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_adjusted: Option<f64>,
    /// What it comes to.
    pub verdict: Verdict,
    /// What else is known.
    #[serde(default)]
    pub evidence: Evidence,
}

impl PairVerdict {
    /// Whether the better one is better for certain.
    pub const fn is_certain(&self) -> bool {
        matches!(self.verdict, Verdict::Better)
    }

    /// Whether more data would say nothing new.
    pub const fn is_decided(&self) -> bool {
        !matches!(self.verdict, Verdict::MoreNeeded { .. })
    }
}

/// What a ranking comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RankVerdict {
    /// One is certainly better than every other that has enough data.
    Leader(TargetName),
    /// The first, and those that tie with it; all others are certainly worse.
    Tie(Vec<TargetName>),
    /// The first, and those that are not certainly worse.
    TooCloseToCall(Vec<TargetName>),
    /// Fewer than two targets can be ranked.
    NotEnoughData,
}

/// All targets ranked by one criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ranking {
    /// By what.
    pub criterion: Criterion,
    /// Best first; those without enough data last.
    pub standings: Vec<Standing>,
    /// Every pair with enough data: the first with each below it, then the second…
    pub pairs: Vec<PairVerdict>,
    /// What it comes to.
    pub verdict: RankVerdict,
}

/// One target's score in a dimension or over all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Who.
    pub target: TargetName,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// 100 for whoever is best, 50 for half as good, with its 95 % interval.
    pub score: Estimate,
}

/// The winner of one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DimensionRanking {
    /// Which.
    pub dimension: Dimension,
    /// What it is made of: those criteria that all ranked targets have; their ratios to the best are multiplied and
    /// the root taken.
    pub criteria: Vec<Criterion>,
    /// Best first.
    pub scores: Vec<Score>,
    /// Who wins it.
    pub verdict: RankVerdict,
}

/// How many weightings a target wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Support {
    /// Who.
    pub target: TargetName,
    /// Share of all ways to weigh the dimensions under which it comes first, 0 to 1.
    pub share: f64,
}

/// The nearest weights under which somebody else comes first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turning {
    /// Who draws level there, and is ahead beyond.
    pub winner: TargetName,
    /// The weights, which add up to 1.
    pub weights: BTreeMap<Dimension, f64>,
}

/// All dimensions taken together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overall {
    /// What each dimension with data weighs; they add up to 1.
    pub weights: BTreeMap<Dimension, f64>,
    /// Best first.
    pub scores: Vec<Score>,
    /// Who wins.
    pub verdict: RankVerdict,
    /// Who wins under how many weightings, most first; those who win under none are left out.
    pub support: Vec<Support>,
    /// Where the winner changes; absent when it is the same under all weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turning: Option<Turning>,
}

/// One target's cost and latency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrontPoint {
    /// Who.
    pub target: TargetName,
    /// Measured from a simulated engine.
    pub simulated: bool,
    /// US dollars for a thousand completed requests.
    pub cost_per_1k_requests_usd: f64,
    /// The latency, nanoseconds.
    pub latency_ns: f64,
    /// Who is no dearer and no slower, and one of both better; none: it is on the front.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dominated_by: Vec<TargetName>,
}

/// Cost against one latency: on the front is who cannot be beaten in one without losing in the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Front {
    /// Which latency.
    pub latency: Criterion,
    /// Cheapest first.
    pub points: Vec<FrontPoint>,
}

/// Targets against each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// [`crate::FORMAT_VERSION`].
    pub format_version: u32,
    /// The run's name.
    pub name: String,
    /// Whether any target was simulated.
    pub simulated: bool,
    /// One ranking a criterion that at least one target has values for.
    pub rankings: Vec<Ranking>,
    /// The winner of each dimension that two targets or more have data for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<DimensionRanking>,
    /// Who wins over all of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<Overall>,
    /// Cost against latency, where two targets or more have a price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fronts: Vec<Front>,
    /// What a reader must know when comparing: certificates not verified, a client at its limit.
    pub warnings: Vec<String>,
    /// In what the targets are not like with like, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlike: Vec<Unlike>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_criterion_is_read_by_its_name_with_or_without_its_unit() {
        for &criterion in Criterion::ALL {
            assert_eq!(criterion.short().parse(), Ok(criterion));
            assert_eq!(criterion.key().parse(), Ok(criterion));
            assert_eq!(serde_json::to_value(criterion).unwrap(), criterion.key());
            assert_eq!(serde_json::from_value::<Criterion>(criterion.short().into()).unwrap(), criterion);
        }
        assert!("ttft".parse::<Criterion>().is_err());
    }

    #[test]
    fn a_dimension_is_read_as_it_is_written() {
        for &dimension in Dimension::ALL {
            assert_eq!(dimension.in_words().parse(), Ok(dimension));
            assert_eq!(serde_json::to_value(dimension).unwrap(), dimension.in_words());
        }
        assert!("beauty".parse::<Dimension>().is_err());
    }
}
