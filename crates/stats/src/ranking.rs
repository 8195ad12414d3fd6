//! The targets of a run in order, and whether the order is certain.
//!
//! Each criterion has one test for all its pairs, and its error is that of the whole criterion: where no
//! target differs, at most one run in twenty calls any pair certain. The tests take requests as independent,
//! which those of one minute are not: a median is certain only where the better target was also ahead block
//! by block. That takes five blocks or more to mean much; a verdict holds for the conditions of its run.

use std::collections::{BTreeMap, BTreeSet};

use schema::FORMAT_VERSION;
use schema::comparison::{Comparison, Criterion, Evidence, PairVerdict, RankVerdict, Ranking, Standing, Test, Verdict};
use schema::metric::Metric;
use schema::plan::Plan;
use schema::record::Record;
use schema::summary::{Estimate, Summary, TargetSummary, Trust};
use schema::units::Quantile;

use crate::distribution::{Sample, not_negative};
use crate::inference::{self, Mean, Share};
use crate::interval::{self, TAIL, t_point};
use crate::quantile::quantile;
use crate::values;

/// How often a criterion may be called certain, for any pair, where nothing differs.
const ERROR_RATE: f64 = 2.0 * TAIL;

/// Ranks the targets of `summary`, each made of the steady requests at its place in `requests`; `None` below two
/// targets. A criterion without a value of any target is left out.
pub(crate) fn rank(plan: &Plan, summary: &Summary, requests: Vec<Vec<&Record>>) -> Option<Comparison> {
    if summary.targets.len() < 2 {
        return None;
    }
    let field = summary.targets.iter().zip(requests);
    let field: Vec<Runner> = field.map(|(summary, measured)| Runner { summary, measured }).collect();
    let meant = |criterion: &&Criterion| **criterion != Criterion::OutputTokensPerS || !plan.load.is_open();
    let rankings = Criterion::ALL.iter().filter(meant).map(|&criterion| ranking(criterion, &field));
    Some(Comparison {
        format_version: FORMAT_VERSION,
        name: summary.name.clone(),
        simulated: summary.simulated,
        rankings: rankings.filter(|ranking| ranking.standings.iter().any(|s| s.n > 0)).collect(),
        dimensions: Vec::new(),
        overall: None,
        fronts: Vec::new(),
        warnings: summary.warnings.iter().cloned().chain(client_limited(summary)).collect(),
        unlike: Vec::new(),
    })
}

fn client_limited(summary: &Summary) -> impl Iterator<Item = String> + '_ {
    let limited = summary.targets.iter().filter(|target| target.quality.trust == Trust::ClientLimited);
    limited.map(|target| format!("`{}` was client-limited: its rank is partly our own doing", target.target))
}

/// One target with its measured records.
struct Runner<'a> {
    summary: &'a TargetSummary,
    measured: Vec<&'a Record>,
}

impl Runner<'_> {
    /// What it has to show by `criterion`, among so many targets.
    fn entry(&self, criterion: Criterion, targets: usize) -> Entry {
        match criterion {
            Criterion::TtftP50 => self.median(Metric::Ttft),
            Criterion::TpotP50 => self.median(Metric::Tpot),
            Criterion::E2eP50 => self.median(Metric::E2e),
            Criterion::TtftP95 => self.tail(Metric::Ttft, Quantile::P95, targets),
            Criterion::OutputTokensPerS => self.throughput(),
            Criterion::SuccessRate => self.success(),
            Criterion::CostPer1kRequests => self.cost(),
            Criterion::TtftMean | Criterion::TtftP99 | Criterion::TtftSpread => Entry::without(0),
        }
    }

    /// Its values of a metric that its summary has.
    fn sample(&self, metric: Metric) -> Option<Sample> {
        self.summary.metrics.contains_key(&metric).then(|| Sample::of(metric, &self.measured))?
    }

    fn median(&self, metric: Metric) -> Entry {
        let Some(sample) = self.sample(metric) else { return Entry::without(0) };
        let estimate = sample.percentile(Quantile::P50).known().copied();
        let n = sample.requests();
        let facts = Facts::Values { sorted: sample.into_sorted(), blocks: self.block_medians(metric) };
        Entry { n, shown: estimate.map(|estimate| (estimate, facts)) }
    }

    fn block_medians(&self, metric: Metric) -> BTreeMap<u32, f64> {
        let mut blocks: BTreeMap<u32, Vec<&Record>> = BTreeMap::new();
        for record in &self.measured {
            blocks.entry(record.block).or_default().push(record);
        }
        let median = |records: &[&Record]| Some(quantile(&Sample::of(metric, records)?.into_sorted(), 0.5));
        blocks.into_iter().filter_map(|(block, records)| Some((block, median(&records)?))).collect()
    }

    /// Its interval is widened as Bonferroni's correction asks, to hold for all targets at once.
    fn tail(&self, metric: Metric, q: Quantile, targets: usize) -> Entry {
        let Some(sample) = self.sample(metric) else { return Entry::without(0) };
        let (n, estimate) = (sample.requests(), sample.percentile(q).known().copied());
        let (low, high) = interval::order_statistics(&sample.into_sorted(), q.get(), TAIL / targets as f64);
        let facts = Facts::Interval { low: low.unwrap_or(f64::NEG_INFINITY), high: high.unwrap_or(f64::INFINITY) };
        Entry { n, shown: estimate.map(|estimate| (estimate, facts)) }
    }

    fn throughput(&self) -> Entry {
        let sent = self.measured.iter().filter(|record| values::span(record).is_some());
        let blocks: BTreeSet<u32> = sent.map(|record| record.block).collect();
        let rate = Some(self.summary.throughput.output_tokens_per_s).filter(|_| self.summary.completed > 0);
        Entry::mean(rate, blocks.len() as u64)
    }

    fn cost(&self) -> Entry {
        let each = self.summary.cost.as_ref().and_then(|cost| cost.per_request_usd);
        let thousand = |x: f64| x * 1000.0;
        let scaled =
            |e: Estimate| Estimate { value: thousand(e.value), low: e.low.map(thousand), high: e.high.map(thousand) };
        let n = if each.is_some() { self.summary.completed } else { 0 };
        let enough = n >= interval::values_needed(Quantile::P50.get());
        let entry = Entry::mean(each.map(scaled), n);
        if enough { entry } else { Entry::without(n) }
    }

    fn success(&self) -> Entry {
        let failures = self.summary.failures.iter();
        let throttled: u64 = failures.filter(|(class, _)| class.is_throttling()).map(|(_, n)| n).sum();
        let share = Share { hits: self.summary.completed, of: self.summary.attempted.saturating_sub(throttled) };
        if share.of == 0 {
            return Entry::without(0);
        }
        let (low, high) = interval::wilson(share.hits, share.of);
        let estimate = Estimate { value: self.summary.success_rate, low: Some(low), high: Some(high) };
        Entry { n: share.of, shown: Some((estimate, Facts::Share(share))) }
    }
}

/// What one target has to show by one criterion.
struct Entry {
    n: u64,
    shown: Option<(Estimate, Facts)>,
}

impl Entry {
    const fn without(n: u64) -> Self {
        Self { n, shown: None }
    }

    /// A mean of `n` values, or a rate over `n` blocks, its standard error taken back from its interval.
    fn mean(estimate: Option<Estimate>, n: u64) -> Self {
        let freedom = n as f64 - 1.0;
        let shown = estimate.and_then(|estimate| {
            let error = (estimate.high? - estimate.value) / t_point(freedom);
            Some((not_negative(estimate), Facts::Mean(Mean { value: estimate.value, error, freedom })))
        });
        Self { n, shown }
    }
}

/// What a test looks at.
enum Facts {
    /// All values, sorted, and the median of each block.
    Values { sorted: Vec<f64>, blocks: BTreeMap<u32, f64> },
    /// Ends of the widened interval.
    Interval { low: f64, high: f64 },
    /// A mean or rate.
    Mean(Mean),
    /// Completed of all.
    Share(Share),
}

/// A target that can be ranked.
struct Ranked<'a> {
    summary: &'a TargetSummary,
    value: f64,
    facts: &'a Facts,
}

fn ranking(criterion: Criterion, field: &[Runner]) -> Ranking {
    let mut entries: Vec<(&TargetSummary, Entry)> =
        field.iter().map(|runner| (runner.summary, runner.entry(criterion, field.len()))).collect();
    entries.sort_by(|(_, a), (_, b)| order(criterion, a, b));
    let ranked: Vec<Ranked> = entries
        .iter()
        .filter_map(|&(summary, ref entry)| {
            let (estimate, facts) = entry.shown.as_ref()?;
            Some(Ranked { summary, value: estimate.value, facts })
        })
        .collect();
    let pairs = pairs(&ranked);
    let verdict = verdict(&ranked, &pairs);
    let standings = entries.iter().map(|(summary, entry)| Standing {
        target: summary.target.clone(),
        simulated: summary.simulated,
        n: entry.n,
        estimate: entry.shown.as_ref().map(|(estimate, _)| *estimate),
    });
    Ranking { criterion, standings: standings.collect(), pairs, verdict }
}

/// Best first, those without an estimate last; equals stay in the plan's order.
fn order(criterion: Criterion, a: &Entry, b: &Entry) -> std::cmp::Ordering {
    let worst = if criterion.higher_is_better() { f64::NEG_INFINITY } else { f64::INFINITY };
    let value = |entry: &Entry| entry.shown.as_ref().map_or(worst, |(estimate, _)| estimate.value);
    let by_value = value(a).total_cmp(&value(b));
    if criterion.higher_is_better() { by_value.reverse() } else { by_value }
}

/// Every pair of `ranked` (best first), corrected for how many there are.
fn pairs(ranked: &[Ranked]) -> Vec<PairVerdict> {
    let below = |(i, better)| ranked.iter().skip(i + 1).map(move |worse| pair(better, worse));
    let mut pairs: Vec<PairVerdict> = ranked.iter().enumerate().flat_map(below).collect();
    let tested: Vec<f64> = pairs.iter().filter_map(|pair| pair.p).collect();
    let adjusted = inference::holm(&tested);
    for (pair, p) in pairs.iter_mut().filter(|pair| pair.p.is_some()).zip(adjusted) {
        pair.p_adjusted = Some(p);
        if p > ERROR_RATE {
            pair.verdict = Verdict::MoreNeeded { requests: None };
        }
    }
    pairs
}

/// What two targets say of each other, before any correction: `certain` only says that nothing but the
/// test's p speaks against it.
fn pair(better: &Ranked, worse: &Ranked) -> PairVerdict {
    let (p, certain) = match (better.facts, worse.facts) {
        // Values and intervals are times: less is better.
        (Facts::Values { sorted: one, blocks: ours }, Facts::Values { sorted: other, blocks: theirs }) => {
            let found = inference::mann_whitney(other, one);
            (Some(found.p), ahead_block_by_block(ours, theirs) && found.first_larger > 0.5)
        }
        (Facts::Interval { high, .. }, Facts::Interval { low, .. }) => (None, high < low),
        (Facts::Mean(one), Facts::Mean(other)) => (Some(inference::welch(*one, *other)), true),
        (Facts::Share(one), Facts::Share(other)) => (Some(inference::fisher(*one, *other)), true),
        _ => (None, false),
    };
    let ratio = (worse.value / better.value).max(better.value / worse.value) - 1.0;
    PairVerdict {
        better: better.summary.target.clone(),
        worse: worse.summary.target.clone(),
        simulated_with_real: better.summary.simulated != worse.summary.simulated,
        margin: Some(Estimate { value: ratio, low: None, high: None }).filter(|_| ratio.is_finite()),
        test: Test::PairedBlocks,
        p,
        p_adjusted: None,
        verdict: if certain { Verdict::Better } else { Verdict::MoreNeeded { requests: None } },
        evidence: Evidence::default(),
    }
}

/// Whether the smaller values are smaller in every block both have, or in so many of six or more that a fair
/// coin would hardly do it (two-sided sign test).
fn ahead_block_by_block(ours: &BTreeMap<u32, f64>, theirs: &BTreeMap<u32, f64>) -> bool {
    let differences = ours.iter().filter_map(|(block, our)| Some(theirs.get(block)? - our));
    let (mut won, mut lost) = (0_u32, 0_u32);
    for difference in differences {
        won += u32::from(difference > 0.0);
        lost += u32::from(difference < 0.0);
    }
    won > 0 && (lost == 0 || 2.0 * at_most_heads(lost, won + lost) <= ERROR_RATE)
}

/// Probability of at most `heads` heads in `tosses` tosses of a fair coin.
fn at_most_heads(heads: u32, tosses: u32) -> f64 {
    let mut ways = 0.5_f64.powf(f64::from(tosses));
    let mut sum = ways;
    for k in 1..=heads {
        ways *= f64::from(tosses - k + 1) / f64::from(k);
        sum += ways;
    }
    sum
}

fn verdict(ranked: &[Ranked], pairs: &[PairVerdict]) -> RankVerdict {
    let Some(first) = ranked.first().filter(|_| ranked.len() > 1) else { return RankVerdict::NotEnoughData };
    let first = &first.summary.target;
    let rivals = pairs.iter().filter(|pair| pair.better == *first && !pair.is_certain()).map(|pair| &pair.worse);
    let close: Vec<_> = std::iter::once(first).chain(rivals).cloned().collect();
    if close.len() == 1 { RankVerdict::Leader(first.clone()) } else { RankVerdict::TooCloseToCall(close) }
}

#[cfg(test)]
mod tests;
