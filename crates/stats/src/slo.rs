//! Whether SLOs were met, by whom, and how sure that is.

use schema::metric::Metric;
use schema::plan::{Plan, Slo};
use schema::record::{Outcome, Phase, Record};
use schema::summary::{Estimate, Percentile, SloStatus, SloVerdict};
use schema::units::Quantile;

use crate::distribution::Sample;
use crate::requests::Requests;
use crate::{interval, metric_values, values};

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
}

impl Votes {
    fn count(slo: &Slo, measured: &[&Record]) -> Self {
        let mut votes = Self { met: 0, of: 0 };
        for record in measured {
            let voice = voice(slo, record);
            votes.met += u64::from(voice == Voice::Met);
            votes.of += u64::from(voice != Voice::Silent);
        }
        votes
    }

    fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.met as f64 / self.of as f64 }
    }

    /// `95.2 % of 200 requests met it (91.3 to 97.4 %)`, the range by Wilson.
    fn in_words(self) -> String {
        let (low, high) = interval::wilson(self.met, self.of);
        let percent = |share: f64| share * 100.0;
        let (share, low, high) = (percent(self.share()), percent(low), percent(high));
        format!("{share:.1} % of {} requests met it ({low:.1} to {high:.1} %)", self.of)
    }
}

/// One SLO's verdict, and whether it is open for want of requests.
pub(crate) fn verdict(slo: Slo, sample: Option<&Sample>, measured: &[&Record]) -> (SloVerdict, bool) {
    let votes = Votes::count(&slo, measured);
    let Judgement { status, why, starved } = match slo.quantile {
        _ if votes.of == 0 => Judgement::open(format!("no request has a value of {}", slo.metric), true),
        None => every_one(votes),
        Some(q) if matches!(slo.metric, Metric::Itl | Metric::ClientLag) => pooled(&slo, q, sample, votes),
        Some(q) => by_count(wanted_share(&slo, q.get()), votes),
    };
    let measured = match slo.quantile {
        Some(q) => sample.and_then(|s| s.percentile(q).known().copied()),
        None => sample.map(|s| worst(&slo, s)),
    };
    (SloVerdict { slo, measured, share: votes.share(), status, why }, starved)
}

struct Judgement {
    status: SloStatus,
    why: String,
    /// Whether more requests are what it takes.
    starved: bool,
}

impl Judgement {
    fn settled(met: bool, why: String) -> Self {
        Self { status: if met { SloStatus::Met } else { SloStatus::Missed }, why, starved: false }
    }

    fn open(why: String, starved: bool) -> Self {
        Self { status: SloStatus::Undecided, why, starved }
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
    Judgement::settled(votes.met == votes.of, format!("{} of {} requests met it", votes.met, votes.of))
}

/// A percentile within its bound is a share of requests within it. The percentile's interval lies
/// within the bound exactly when so many requests kept it that fewer than [`interval::ranks`]' upper
/// rank would be a surprise; failed and unsent requests count as beyond any bound.
fn by_count(wanted: f64, votes: Votes) -> Judgement {
    let (low, high) = interval::ranks(votes.of, wanted);
    let why = format!("{}; {} % is wanted", votes.in_words(), tidy(wanted * 100.0));
    if high.is_some_and(|high| votes.met >= high) {
        return Judgement::settled(true, why);
    }
    if low.is_some_and(|low| votes.met < low) {
        return Judgement::settled(false, why);
    }
    let needs = interval::values_needed(wanted);
    if votes.of < needs {
        let more = more(needs - votes.of);
        return Judgement::open(format!("{why}; at least {more} would tell"), true);
    }
    match interval::trials_to_tell(votes.share(), wanted) {
        Some(trials) if trials > votes.of => {
            Judgement::open(format!("{why}; about {} would tell", more(trials - votes.of)), true)
        }
        _ => Judgement::open(format!("{why}, too close to call"), false),
    }
}

/// `52 more requests`.
fn more(requests: u64) -> String {
    format!("{requests} more request{}", if requests == 1 { "" } else { "s" })
}

/// `99.9`, without the dust of binary fractions.
fn tidy(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e6
}

/// A percentile over gaps, not requests: its interval against the bound. A share of requests without
/// an answer beyond what the percentile leaves misses it whatever the others did.
fn pooled(slo: &Slo, q: Quantile, sample: Option<&Sample>, votes: Votes) -> Judgement {
    let why = format!("{} of {} requests kept it with every gap", votes.met, votes.of);
    let percentile = sample.map(|sample| sample.percentile(q));
    let ends = percentile.as_ref().and_then(Percentile::known).and_then(|e| e.low.zip(e.high));
    let answered = sample.map_or(0, Sample::requests);
    if (votes.of.saturating_sub(answered)) as f64 > (1.0 - wanted_share(slo, q.get())) * votes.of as f64 {
        return Judgement::settled(
            false,
            format!("{} of {} requests had no gaps to measure", votes.of - answered, votes.of),
        );
    }
    match ends {
        Some((low, high)) if slo.met_by(low) && slo.met_by(high) => Judgement::settled(true, why),
        Some((low, high)) if !slo.met_by(low) && !slo.met_by(high) => Judgement::settled(false, why),
        Some(_) => Judgement::open(format!("the interval spans the bound; {why}"), false),
        None => Judgement::open(format!("too few gaps or requests for this percentile; {why}"), true),
    }
}

#[cfg(test)]
mod tests;
