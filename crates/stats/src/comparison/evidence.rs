//! What else is known of a pair, by tests that take another road than the verdict's.

use std::thread;

use schema::comparison::{Criterion, Evidence, Test};
use schema::summary::Estimate;

use super::Entrant;
use super::case::Case;
use super::judge::Judged;
use crate::inference::{self, Design, Side, Statistic};
use crate::radix;

/// So many values, and the bootstrap and the tests of single requests are made side by side.
const WORTH_A_THREAD: usize = 50_000;

/// Confidence of the bootstrap's interval.
const CONFIDENCE: f64 = 0.95;

/// Of a `pair`, the better first.
pub(super) fn of(criterion: Criterion, pair: (&Entrant, &Entrant), judged: &Judged, seed: u64) -> Evidence {
    let permutation_p = (judged.differences.len() > 1).then(|| inference::permutation(&judged.differences, seed));
    let evidence = Evidence { blocks: judged.blocks, permutation_p, ..Evidence::default() };
    let Some((pick, statistic)) = values(criterion) else { return evidence };
    let (better, worse) = (Series::of(pair.0, pick), Series::of(pair.1, pick));
    let design = match judged.test {
        Test::PairedBlocks => Design::Paired,
        Test::IndependentBlocks => Design::Independent,
    };
    let ratio = || inference::ratio(worse.side(), better.side(), statistic, design, CONFIDENCE, seed);
    let single = || Evidence {
        effective_better: Some(crate::effective_size(&better.values)),
        effective_worse: Some(crate::effective_size(&worse.values)),
        mann_whitney_p: Some(inference::mann_whitney(&worse.sorted(), &better.sorted()).p),
        cliffs_delta: Some(inference::cliffs_delta(&worse.values, &better.values)),
        ..evidence
    };
    let (ratio, single) = if worse.values.len() + better.values.len() < WORTH_A_THREAD {
        (ratio(), single())
    } else {
        thread::scope(|scope| {
            let ratio = scope.spawn(ratio);
            let single = single();
            (ratio.join().expect("a ratio is made of any values"), single)
        })
    };
    let less_one = |x: f64| x - 1.0;
    let bootstrap = ratio.map(|ratio| Estimate {
        value: less_one(ratio.value),
        low: ratio.low.map(less_one),
        high: ratio.high.map(less_one),
    });
    Evidence { bootstrap, ..single }
}

type Pick = fn(&Case) -> Option<f64>;

/// What a criterion is a mean or quantile of.
fn values(criterion: Criterion) -> Option<(Pick, Statistic)> {
    let ttft: Pick = |case| case.ttft;
    match criterion {
        Criterion::TtftMean => Some((ttft, Statistic::Mean)),
        Criterion::TtftP50 => Some((ttft, Statistic::Quantile(0.5))),
        Criterion::TtftP95 => Some((ttft, Statistic::Quantile(0.95))),
        Criterion::TtftP99 => Some((ttft, Statistic::Quantile(0.99))),
        Criterion::TpotP50 => Some((|case| case.tpot, Statistic::Quantile(0.5))),
        Criterion::E2eP50 => Some((|case| case.e2e, Statistic::Quantile(0.5))),
        Criterion::OutputTokensPerS | Criterion::TtftSpread | Criterion::SuccessRate | Criterion::CostPer1kRequests => {
            None
        }
    }
}

/// Values in order of their start, with their blocks.
struct Series {
    values: Vec<f64>,
    blocks: Vec<u32>,
}

impl Series {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the number of the block")]
    fn of(entrant: &Entrant, pick: Pick) -> Self {
        let has = |case: &Case| Some((pick(case)?, case.block as u32));
        let (values, blocks) = entrant.cases.iter().filter_map(has).unzip();
        Self { values, blocks }
    }

    fn side(&self) -> Side<'_> {
        Side { values: &self.values, blocks: &self.blocks }
    }

    fn sorted(&self) -> Vec<f64> {
        radix::ascending(&self.values)
    }
}
