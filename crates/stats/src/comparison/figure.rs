//! One target's value of one criterion, and what each block contributes to it.
//!
//! Requests of one block share its minutes; blocks are the units that are nearly independent of each other. So a value's
//! error is not taken from its requests but from how its blocks scatter around it: each block's influence, the first
//! order of what the value would change by if the block counted more (as for cluster samples in surveys, Cochran,
//! *Sampling Techniques*, 1977, 6.4; for quantiles R. S. Woodruff, *JASA* 47, 1952, 635–646, by the share below).

use std::collections::BTreeMap;

use schema::comparison::Criterion;

use super::case::Case;
use crate::quantile::quantile;
use crate::{interval, radix};

/// A value nothing can be worse than by a larger factor: a score of one in a hundred. What is zero counts so much.
pub(crate) const MOST_WORSE: f64 = 100.0;

/// One target's value of one criterion. Larger is worse: times and prices by their logarithm, rates by their negative
/// logarithm, shares by their negative.
#[derive(Debug, Clone)]
pub(crate) struct Figure {
    /// The value in the criterion's unit.
    pub(crate) shown: f64,
    /// Requests behind it, or blocks for a rate.
    pub(crate) n: u64,
    /// What each block contributes, on the curve's own scale; adds up to about zero.
    parts: BTreeMap<u64, f64>,
    /// Variance at least, on the same scale: blocks may agree by luck.
    least_variance: f64,
    curve: Curve,
}

/// How far the value moves with its error.
#[derive(Debug, Clone)]
enum Curve {
    /// As much as the error.
    Straight { at: f64 },
    /// As much as the error, of a share of hits.
    Share(f64),
    /// As the logarithms of sorted values do with the share below them.
    Quantile { sorted: Vec<f64>, q: f64 },
}

impl Figure {
    /// The figure of `criterion`; absent where the cases do not carry it.
    pub(crate) fn of(criterion: Criterion, cases: &[Case]) -> Option<Self> {
        match criterion {
            Criterion::TtftMean => Self::mean(&values(cases, |case| case.ttft)),
            Criterion::TtftP50 => Self::quantile(&values(cases, |case| case.ttft), 0.5),
            Criterion::TtftP95 => Self::quantile(&values(cases, |case| case.ttft), 0.95),
            Criterion::TtftP99 => Self::quantile(&values(cases, |case| case.ttft), 0.99),
            Criterion::TpotP50 => Self::quantile(&values(cases, |case| case.tpot), 0.5),
            Criterion::E2eP50 => Self::quantile(&values(cases, |case| case.e2e), 0.5),
            Criterion::TtftSpread => Self::spread(&values(cases, |case| case.ttft)),
            Criterion::OutputTokensPerS => Self::throughput(cases),
            Criterion::SuccessRate => Self::success(cases),
            Criterion::CostPer1kRequests => Self::cost(cases),
        }
    }

    fn mean(values: &[(u64, f64)]) -> Option<Self> {
        enough(values, 0.5)?;
        let sums = sum_up(values.iter().map(|&(block, value)| (block, value, 1.0)));
        Some(Self { n: values.len() as u64, ..Self::ratio(&sums, 1.0)? })
    }

    /// By the shares below the quantile, block by block; values equal to it count half.
    fn quantile(values: &[(u64, f64)], q: f64) -> Option<Self> {
        enough(values, q)?;
        let mut sorted: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        radix::sort_by_key(&mut sorted, radix::bits);
        let (n, edge) = (sorted.len() as f64, quantile(&sorted, q));
        let below = |value: f64| if value < edge { 1.0 } else { f64::from(u8::from(value <= edge)) / 2.0 };
        let share = values.iter().map(|(_, value)| below(*value)).sum::<f64>() / n;
        let mut parts = BTreeMap::new();
        for &(block, value) in values {
            *parts.entry(block).or_default() += (share - below(value)) / n;
        }
        // What is larger where less lies below it.
        Some(Self {
            shown: edge,
            n: values.len() as u64,
            parts,
            least_variance: q * (1.0 - q) / n,
            curve: Curve::Quantile { sorted, q },
        })
    }

    /// The p95 ÷ the p50.
    fn spread(values: &[(u64, f64)]) -> Option<Self> {
        let (tail, middle) = (Self::quantile(values, 0.95)?, Self::quantile(values, 0.5)?);
        Some(Self { shown: tail.shown / middle.shown, n: tail.n, ..Self::mixed([(1.0, &tail), (-1.0, &middle)]) })
    }

    /// Output tokens ÷ seconds, by block: from the first start to the last end.
    fn throughput(cases: &[Case]) -> Option<Self> {
        let mut blocks: BTreeMap<u64, (f64, u64, u64)> = BTreeMap::new();
        for case in cases {
            let Some((start, end)) = case.span else { continue };
            let (tokens, first, last) = blocks.entry(case.block).or_insert((0.0, start.0, end.0));
            (*tokens, *first, *last) = (*tokens + case.output_tokens, start.0.min(*first), end.0.max(*last));
        }
        let seconds = |first: u64, last: u64| (last - first) as f64 / 1e9;
        let sums = sum_up(blocks.iter().map(|(block, &(tokens, first, last))| (*block, tokens, seconds(first, last))));
        Some(Self { n: blocks.len() as u64, ..Self::ratio(&sums, -1.0)? })
    }

    /// Dollars ÷ completed requests, of a thousand.
    fn cost(cases: &[Case]) -> Option<Self> {
        let values = values(cases, |case| case.cost);
        enough(&values, 0.5)?;
        let sums = sum_up(values.iter().map(|&(block, dollars)| (block, dollars * 1000.0, 1.0)));
        let n = values.len() as u64;
        if values.iter().all(|(_, dollars)| *dollars <= 0.0) {
            let parts = sums.keys().map(|block| (*block, 0.0)).collect();
            let curve = Curve::Straight { at: f64::NEG_INFINITY };
            return Some(Self { shown: 0.0, n, parts, least_variance: 0.0, curve });
        }
        Some(Self { n, ..Self::ratio(&sums, 1.0)? })
    }

    /// Completed ÷ all that were not turned away by a limit. The variance is that of as many independent requests at
    /// least, two more of each kind put in (A. Agresti & B. A. Coull, *American Statistician* 52, 1998, 119–126): that
    /// none failed does not mean that none will.
    fn success(cases: &[Case]) -> Option<Self> {
        let counted = cases.iter().filter(|case| !case.throttled);
        let sums = sum_up(counted.map(|case| (case.block, f64::from(u8::from(case.completed)), 1.0)));
        let (hits, of) = total(&sums);
        let share = hits / of;
        if !share.is_finite() {
            return None;
        }
        let careful = (hits + 2.0) / (of + 4.0);
        let parts = sums.iter().map(|(block, (block_hits, block_of))| (*block, -(block_hits - share * block_of) / of));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let n = of as u64;
        Some(Self {
            shown: share,
            n,
            parts: parts.collect(),
            least_variance: careful * (1.0 - careful) / (of + 4.0),
            curve: Curve::Share(share),
        })
    }

    /// Sum of the firsts ÷ sum of the seconds; `worse` is 1 where more is worse, else −1. Absent where it is not above
    /// zero.
    fn ratio(sums: &BTreeMap<u64, (f64, f64)>, worse: f64) -> Option<Self> {
        let (above, below) = total(sums);
        let ratio = above / below;
        let parts = sums.iter().map(|(block, (y, x))| (*block, worse * (y - ratio * x) / above));
        (ratio.is_finite() && ratio > 0.0).then(|| Self {
            shown: ratio,
            n: 0,
            parts: parts.collect(),
            least_variance: 0.0,
            curve: Curve::Straight { at: worse * ratio.ln() },
        })
    }

    /// Several figures added up on the logarithmic scale, each times its weight.
    pub(crate) fn mixed<'a>(of: impl IntoIterator<Item = (f64, &'a Self)>) -> Self {
        let (mut parts, mut at, mut least, mut n) = (BTreeMap::new(), 0.0, 0.0, u64::MAX);
        for (weight, figure) in of {
            let slope = weight * figure.logarithmic_slope();
            for (block, part) in &figure.parts {
                *parts.entry(*block).or_default() += slope * part;
            }
            at += weight * figure.logarithm();
            least += slope.powi(2) * figure.least_variance;
            n = n.min(figure.n);
        }
        Self { shown: at.exp(), n, parts, least_variance: least, curve: Curve::Straight { at } }
    }

    /// The same with a value that is not below this on the logarithmic scale.
    pub(crate) fn at_least(self, logarithm: f64) -> Self {
        match self.curve {
            Curve::Straight { at } if at < logarithm => Self { curve: Curve::Straight { at: logarithm }, ..self },
            _ => self,
        }
    }

    /// How bad it is: what is compared.
    pub(crate) fn badness(&self) -> f64 {
        self.moved(0.0)
    }

    /// How bad it is, as a logarithm: of a share too.
    pub(crate) fn logarithm(&self) -> f64 {
        match self.curve {
            Curve::Share(share) => -share.max(1.0 / MOST_WORSE).ln(),
            Curve::Straight { .. } | Curve::Quantile { .. } => self.badness(),
        }
    }

    /// How bad it would be if its error were `offset`; without bounds where the sample does not reach.
    pub(crate) fn moved(&self, offset: f64) -> f64 {
        match &self.curve {
            Curve::Straight { at } => at + offset,
            Curve::Share(share) => offset - share,
            Curve::Quantile { q, .. } if q + offset < 0.0 => f64::NEG_INFINITY,
            Curve::Quantile { q, .. } if q + offset > 1.0 => f64::INFINITY,
            Curve::Quantile { sorted, q } => quantile(sorted, q + offset).ln(),
        }
    }

    /// How much its badness moves for a small error.
    pub(crate) fn slope(&self) -> f64 {
        let Curve::Quantile { sorted, q } = &self.curve else { return 1.0 };
        let reach = self.error().clamp(1.0 / sorted.len() as f64, q.min(1.0 - q));
        (self.moved(reach) - self.moved(-reach)) / (2.0 * reach)
    }

    /// How much its logarithm does.
    fn logarithmic_slope(&self) -> f64 {
        match self.curve {
            Curve::Share(share) => 1.0 / share.max(1.0 / MOST_WORSE),
            Curve::Straight { .. } | Curve::Quantile { .. } => self.slope(),
        }
    }

    /// Its blocks.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = u64> + '_ {
        self.parts.keys().copied()
    }

    /// How many blocks it is made of.
    pub(crate) fn block_count(&self) -> usize {
        self.parts.len()
    }

    /// What a block contributes; nothing where it has none.
    pub(crate) fn part(&self, block: u64) -> f64 {
        self.parts.get(&block).copied().unwrap_or(0.0)
    }

    /// The standard error on the curve's own scale, by how the blocks scatter.
    pub(crate) fn error(&self) -> f64 {
        let k = self.parts.len() as f64;
        let squares: f64 = self.parts.values().map(|part| part * part).sum();
        let scattered = if k > 1.0 { k / (k - 1.0) * squares } else { 0.0 };
        scattered.max(self.least_variance).sqrt()
    }
}

/// A value of each case that has one, with its block.
fn values(cases: &[Case], pick: impl Fn(&Case) -> Option<f64>) -> Vec<(u64, f64)> {
    cases.iter().filter_map(|case| Some((case.block, pick(case)?))).collect()
}

/// Whether there are as many values as a quantile needs.
fn enough(values: &[(u64, f64)], q: f64) -> Option<()> {
    (values.len() as u64 >= interval::values_needed(q)).then_some(())
}

/// Numerators and denominators, summed by block.
fn sum_up(of: impl Iterator<Item = (u64, f64, f64)>) -> BTreeMap<u64, (f64, f64)> {
    let mut sums: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    for (block, above, below) in of {
        let sum = sums.entry(block).or_default();
        *sum = (sum.0 + above, sum.1 + below);
    }
    sums
}

fn total(sums: &BTreeMap<u64, (f64, f64)>) -> (f64, f64) {
    sums.values().fold((0.0, 0.0), |(y, x), sum| (y + sum.0, x + sum.1))
}
