//! Whether SLOs were met, by whom, and how sure that is.

use std::collections::BTreeMap;

use schema::metric::Metric;
use schema::plan::{Plan, Slo};
use schema::record::{Outcome, Phase, Record};
use schema::summary::{Estimate, Percentile, SloStatus, SloVerdict};
use schema::units::{Moment, Quantile};
use statrs::function::beta::beta_reg;

use crate::autocorrelation::effective_size_of;
use crate::distribution::Sample;
use crate::interval::t_point;
use crate::requests::{BlockKey, Requests};
use crate::{interval, metric_values, radix, requests, values};
use schema::counted;

/// What one request says about one bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    /// It kept the bound, with each of its values.
    Met,
    /// It broke the bound, failed, or was never sent.
    Missed,
    /// It says nothing: a completed answer without such a value, or one that we ended ourselves
    /// before it had broken the bound.
    Silent,
}

fn voice(slo: &Slo, record: &Record) -> Voice {
    match record.outcome {
        Outcome::Complete { .. } => {
            let (mut any, mut all) = (false, true);
            for value in metric_values(record, slo.metric) {
                (any, all) = (true, all && slo.met_by(value));
            }
            match (any, all) {
                (false, _) => Voice::Silent,
                (true, true) => Voice::Met,
                (true, false) => Voice::Missed,
            }
        }
        Outcome::Failed(_) | Outcome::NotSent => Voice::Missed,
        Outcome::Cancelled | Outcome::Interrupted if had_broken(slo, record) => Voice::Missed,
        Outcome::Cancelled | Outcome::Interrupted => Voice::Silent,
    }
}

/// Whether a request that we ended had by then waited longer than the bound for what it bounds.
fn had_broken(slo: &Slo, record: &Record) -> bool {
    let Some((start, end)) = values::span(record) else { return false };
    let none_yet = values::ttft(record).is_none();
    let waited = match slo.metric {
        Metric::Ttft | Metric::TtftVisible if none_yet => end - start,
        Metric::TtftFromSchedule if none_yet => end - record.scheduled_ns,
        Metric::E2e => end - start,
        _ => return false,
    };
    !slo.met_by(waited.0 as f64)
}

/// Whether a request completed and broke none of the bounds: what goodput counts.
pub(crate) fn meets_every(slos: &[Slo], record: &Record) -> bool {
    record.outcome.is_complete() && slos.iter().all(|slo| voice(slo, record) != Voice::Missed)
}

/// Each SLO's verdict over the measured requests among `records`, which are of one target, in the plan's order;
/// without those of a start-up.
pub fn judge(plan: &Plan, records: &[&Record]) -> Vec<SloVerdict> {
    let measured: Vec<&Record> = records.iter().copied().filter(|r| r.phase == Phase::Measured).collect();
    let requests = Requests::of(plan, &measured).steady;
    let judged = |slo: &Slo| verdict(*slo, Sample::of(slo.metric, &requests).as_ref(), &requests).0;
    plan.slos.iter().map(judged).collect()
}

/// How sure a verdict must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Care {
    /// Probability left to chance, for each of both ways to be wrong.
    pub(crate) tail: f64,
    /// Independent looks at the target's state that the time measured amounts to: requests that meet a bound count for
    /// no more. (Where they miss it, how misses come in clusters is seen.)
    pub(crate) states: f64,
}

impl Care {
    /// Of a single verdict, on requests as they are.
    const USUAL: Self = Self { tail: interval::TAIL, states: f64::INFINITY };
}

/// A verdict, and how many times as many requests would have made it certain, had as large a share of them met the
/// bound: one where it is certain, infinite where that is far more than anybody would send.
pub(crate) fn verdict_with(care: Care, slo: Slo, measured: &[&Record]) -> (SloVerdict, f64) {
    let (verdict, judgement) = judged(care, slo, Sample::of(slo.metric, measured).as_ref(), measured);
    (verdict, judgement.times)
}

/// What several SLOs come to together: missed where one is, met where all are.
pub(crate) fn together(verdicts: &[SloVerdict]) -> SloStatus {
    let any = |status| verdicts.iter().any(|verdict| verdict.status == status);
    match (any(SloStatus::Missed), any(SloStatus::Undecided)) {
        (true, _) => SloStatus::Missed,
        (false, true) => SloStatus::Undecided,
        (false, false) => SloStatus::Met,
    }
}

/// Requests that kept a bound, of those that say something about it.
#[derive(Debug, Clone, Copy)]
struct Votes {
    met: u64,
    of: u64,
    /// How many independent requests they are worth; at most `of`.
    worth: f64,
    /// The same for showing that the bound is met.
    worth_met: f64,
}

impl Votes {
    /// Of a bound that so large a share of the requests must keep.
    fn count(slo: &Slo, wanted: f64, states: f64, measured: &[&Record]) -> Self {
        let series = series(slo, measured);
        let missed = |one: &Vote| f64::from(u8::from(one.missed));
        let of = series.iter().map(Vec::len).sum::<usize>() as u64;
        let met = series.iter().flatten().filter(|one| !one.missed).count() as u64;
        let mut sizes: Vec<f64> = series.iter().flatten().map(|one| one.badness).collect();
        radix::sort_by_key(&mut sizes, radix::bits);
        let edge = sizes.get(rank(wanted, sizes.len())).copied().unwrap_or_default();
        let beyond = |one: &Vote| f64::from(u8::from(one.badness > edge));
        let worth = worth(&series, missed).min(worth(&series, beyond));
        let worth = for_few(worth, of as f64);
        Self { met, of, worth, worth_met: worth.min(for_few(states, of as f64)) }
    }

    fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.met as f64 / self.of as f64 }
    }

    /// Whether the share that keeps the bound is certainly above or below what is wanted, but for `tail` on each side, had
    /// `times` as many requests come to the same; `None` where neither is.
    fn settled(self, tail: f64, wanted: f64, times: f64) -> Option<bool> {
        let (for_met, for_missed) = (self.worth_met * times, self.worth * times);
        let share = self.share();
        if at_least(share * for_met, for_met, wanted) <= tail {
            return Some(true);
        }
        (at_least((1.0 - share) * for_missed, for_missed, 1.0 - wanted) <= tail).then_some(false)
    }

    /// How many times as many requests would settle it at the share seen so far.
    fn times_to_tell(self, tail: f64, wanted: f64) -> f64 {
        let mut times = std::iter::successors(Some(1.0), |times| Some(times * 1.1));
        let enough = times.find(|&times| times > MOST_TIMES || self.settled(tail, wanted, times).is_some());
        enough.filter(|times| *times <= MOST_TIMES).unwrap_or(f64::INFINITY)
    }

    /// How many requests stand for one that counts fully.
    fn each(self) -> f64 {
        self.of as f64 / self.worth
    }

    /// `95.2 % of 200 requests met it (91.3 to 97.4 %)`, the range by Wilson; and for how many they count, where that
    /// is fewer.
    fn in_words(self) -> String {
        let (low, high) = interval::wilson_at(self.share(), self.worth, t_point(f64::INFINITY));
        let percent = |share: f64| share * 100.0;
        let (share, low, high) = (percent(self.share()), percent(low), percent(high));
        let counts = if self.worth < COUNTS_FULLY * self.of as f64 {
            format!(", which count for {:.0} as neighbours in time resemble each other", self.worth)
        } else {
            String::new()
        };
        format!("{share:.1} % of {} met it ({low:.1} to {high:.1} %){counts}", counted(self.of, "request"))
    }
}

/// Share of the requests that must count before it is said that they count for fewer.
const COUNTS_FULLY: f64 = 0.9;

/// What one request says, as a value.
#[derive(Debug, Clone, Copy)]
struct Vote {
    missed: bool,
    /// The larger the worse: infinite where there is no value.
    badness: f64,
}

/// The requests that say something, in order of time, one series for each block or step.
fn series(slo: &Slo, measured: &[&Record]) -> Vec<Vec<Vote>> {
    let mut blocks: BTreeMap<BlockKey, Vec<(Moment, Vote)>> = BTreeMap::new();
    let sign = if slo.metric.higher_is_better() { -1.0 } else { 1.0 };
    for record in measured {
        let missed = match voice(slo, record) {
            Voice::Silent => continue,
            Voice::Met => false,
            Voice::Missed => true,
        };
        let values = if record.outcome.is_complete() { Some(metric_values(record, slo.metric)) } else { None };
        let worst = values.and_then(|values| values.map(|value| value * sign).max_by(f64::total_cmp));
        let vote = Vote { missed, badness: worst.unwrap_or(f64::INFINITY) };
        blocks.entry(requests::block(record)).or_default().push((record.scheduled_ns, vote));
    }
    let in_order = |mut block: Vec<(Moment, Vote)>| {
        block.sort_by_key(|(at, _)| *at);
        block.into_iter().map(|(_, vote)| vote).collect()
    };
    blocks.into_values().map(in_order).collect()
}

/// How many independent requests the mean of `value` over `series` is worth.
fn worth<T>(series: &[Vec<T>], value: impl Fn(&T) -> f64) -> f64 {
    let values: Vec<Vec<f64>> = series.iter().map(|one| one.iter().map(&value).collect()).collect();
    effective_size_of(&values.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Place of the quantile `q` among `n` values: the first with at least that share of them at or below it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
fn rank(q: f64, n: usize) -> usize {
    ((q * n as f64).ceil() as usize).saturating_sub(1)
}

/// A number of independent values that was estimated, from itself, out of `n`: the fewer there are, the less sure it is,
/// so that it is lowered by the square of what Student's t is wider with so many degrees of freedom (as E. L. Korn & B. I.
/// Graubard, *Survey Methodology* 24, 1998, 193–201, do with those of a survey's design).
fn for_few(worth: f64, n: f64) -> f64 {
    (worth * (t_point(n - 1.0) / t_point(worth - 1.0)).powi(2)).max(1.0).min(n)
}

/// One SLO's verdict, and whether it is open for want of requests.
pub(crate) fn verdict(slo: Slo, sample: Option<&Sample>, measured: &[&Record]) -> (SloVerdict, bool) {
    let (verdict, judgement) = judged(Care::USUAL, slo, sample, measured);
    (verdict, judgement.starved)
}

fn judged(care: Care, slo: Slo, sample: Option<&Sample>, measured: &[&Record]) -> (SloVerdict, Judgement) {
    let wanted = slo.quantile.map_or(1.0, |q| wanted_share(&slo, q.get()));
    let votes = Votes::count(&slo, wanted, care.states, measured);
    let judgement = match slo.quantile {
        _ if votes.of == 0 => Judgement::open(format!("no request has a value of {}", slo.metric), true),
        None => every_one(votes),
        Some(q) if matches!(slo.metric, Metric::Itl | Metric::ClientLag) => pooled(&slo, q, sample, votes),
        Some(_) => by_count(care, wanted, votes),
    };
    let measured = match slo.quantile {
        Some(q) => sample.and_then(|s| s.percentile(q).known().copied()),
        None => sample.map(|s| worst(&slo, s)),
    };
    let (status, why) = (judgement.status, judgement.why.clone());
    (SloVerdict { slo, measured, share: votes.share(), status, why }, judgement)
}

struct Judgement {
    status: SloStatus,
    why: String,
    /// Whether more requests are what it takes.
    starved: bool,
    /// How many times as many would have been enough.
    times: f64,
}

impl Judgement {
    fn settled(met: bool, why: String) -> Self {
        Self { status: if met { SloStatus::Met } else { SloStatus::Missed }, why, starved: false, times: 1.0 }
    }

    fn open(why: String, starved: bool) -> Self {
        Self { status: SloStatus::Undecided, why, starved, times: f64::INFINITY }
    }
}

/// The share of requests that must keep the bound: p95 of a time asks for 95 %, p10 of a speed
/// asks for 90 %.
fn wanted_share(slo: &Slo, q: f64) -> f64 {
    if slo.metric.higher_is_better() { 1.0 - q } else { q }
}

fn worst(slo: &Slo, sample: &Sample) -> Estimate {
    let (min, max) = sample.extremes();
    Estimate { value: if slo.metric.higher_is_better() { min } else { max }, low: None, high: None }
}

/// A bound on every single request holds or does not: there is nothing to estimate.
fn every_one(votes: Votes) -> Judgement {
    Judgement::settled(votes.met == votes.of, format!("{} of {} met it", votes.met, counted(votes.of, "request")))
}

/// A percentile within its bound is a share of requests within it. Whether so many within it would be a surprise were
/// the share just what is wanted, and whether so few would be: by the binomial distribution of as many requests as they
/// are worth, which need not be whole (Korn & Graubard 1998, as for proportions of a survey). Where each counts fully,
/// the percentile's interval lies on one side of the bound exactly when this is certain; failed and unsent requests
/// count as beyond any bound.
fn by_count(care: Care, wanted: f64, votes: Votes) -> Judgement {
    let why = format!("{}; {} % is wanted", votes.in_words(), tidy(wanted * 100.0));
    if let Some(met) = votes.settled(care.tail, wanted, 1.0) {
        return Judgement::settled(met, why);
    }
    let times = votes.times_to_tell(care.tail, wanted);
    let needs = interval::values_needed(wanted) as f64;
    let open = if votes.worth < needs {
        let more = more((needs - votes.worth) * votes.each());
        Judgement::open(format!("{why}; at least {more} would tell"), true)
    } else {
        match interval::trials_to_tell(votes.share(), wanted) {
            Some(trials) if trials as f64 > votes.worth => {
                let more = more((trials as f64 - votes.worth) * votes.each());
                Judgement::open(format!("{why}; about {more} would tell"), true)
            }
            _ => Judgement::open(format!("{why}, too close to call"), false),
        }
    };
    Judgement { times, ..open }
}

/// P(B ≥ `hits`) for B binomial (`n`, `p`), which the incomplete beta function continues between whole numbers.
fn at_least(hits: f64, n: f64, p: f64) -> f64 {
    if hits <= 0.0 { 1.0 } else { beta_reg(hits, n - hits + 1.0, p) }
}

/// Times as many requests as there are, beyond which nobody waits for a verdict.
const MOST_TIMES: f64 = 64.0;

/// `52 more requests`, rounded up.
fn more(requests: f64) -> String {
    let requests = requests.ceil();
    format!("{requests} more request{}", if requests <= 1.0 { "" } else { "s" })
}

/// `99.9`, without the dust of binary fractions.
fn tidy(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e6
}

/// A percentile over gaps, not requests: its interval against the bound. A share of requests without
/// an answer beyond what the percentile leaves misses it whatever the others did.
fn pooled(slo: &Slo, q: Quantile, sample: Option<&Sample>, votes: Votes) -> Judgement {
    let why = format!("{} of {} kept it with every gap", votes.met, counted(votes.of, "request"));
    let percentile = sample.map(|sample| sample.percentile(q));
    let ends = percentile.as_ref().and_then(Percentile::known).and_then(|e| e.low.zip(e.high));
    let answered = sample.map_or(0, Sample::requests);
    if (votes.of.saturating_sub(answered)) as f64 > (1.0 - wanted_share(slo, q.get())) * votes.of as f64 {
        return Judgement::settled(
            false,
            format!("{} of {} had no gaps to measure", votes.of - answered, counted(votes.of, "request")),
        );
    }
    // A habit of one request in ten must have had its chance to be seen.
    let needs = interval::values_needed(q.get().min(0.9)) as f64;
    match ends {
        _ if votes.worth < needs => {
            let open = Judgement::open(format!("too few gaps or requests for this percentile; {why}"), true);
            Judgement { times: needs / votes.worth, ..open }
        }
        Some((low, high)) if slo.met_by(low) && slo.met_by(high) => Judgement::settled(true, why),
        Some((low, high)) if !slo.met_by(low) && !slo.met_by(high) => Judgement::settled(false, why),
        Some(_) => Judgement::open(format!("the interval spans the bound; {why}"), false),
        None => Judgement::open(format!("too few gaps or requests for this percentile; {why}"), true),
    }
}

#[cfg(test)]
mod tests;
