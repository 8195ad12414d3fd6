//! What a gate reads off a run: for each figure what a test needs, and no records.

use std::collections::BTreeSet;

use rust_decimal::prelude::ToPrimitive as _;
use schema::figure::{At, Figure};
use schema::gate::Difference;
use schema::metric::Metric;
use schema::plan::{Plan, Slo};
use schema::record::{Outcome, Phase, Record};
use schema::summary::{Estimate, Percentile, SloVerdict, TargetSummary};
use schema::target::{Target, TargetName};

use crate::alike::{self, Compared};
use crate::distribution::{Sample, not_negative};
use crate::inference::Mean;
use crate::interval::{self, t_point};
use crate::requests::{self, Requests};
use crate::summary::Part;
use crate::{StoredRun, cost, effective_size, metric_values, slo, summary, values};

/// One figure of one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A mean or percentile of values.
    Values {
        /// In the order in which their requests started.
        values: Vec<f64>,
        /// The block of each.
        blocks: Vec<u32>,
        /// The figure with its 95 % interval, or how many more values it takes.
        shown: Percentile,
        /// Requests that have values.
        requests: u64,
    },
    /// A rate over blocks.
    Rate {
        /// The rate with what is known of its error.
        rate: Mean,
        /// Requests completed.
        requests: u64,
    },
    /// Completed of all.
    Share {
        /// Completed.
        hits: u64,
        /// Attempted, those not counted that were throttled.
        of: u64,
        /// How many independent requests they are worth, 1 to `of`.
        worth: f64,
    },
    /// There is no such figure of this target, for this reason.
    None {
        /// Why not, in words.
        why: String,
    },
}

/// All that a gate reads off one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Readings {
    /// Whose.
    pub target: TargetName,
    /// Whether it is simulated.
    pub simulated: bool,
    /// Requests due.
    pub attempted: u64,
    /// Those that completed.
    pub completed: u64,
    /// Its success rate, whether or not it was asked for.
    pub success: Reading,
    /// One a figure asked for, in that order.
    pub figures: Vec<Reading>,
    /// One an SLO asked for, in that order.
    pub slos: Vec<SloVerdict>,
}

/// A run that is held against others.
pub struct Held<'a> {
    run: &'a StoredRun<'a>,
    parts: Vec<Part<'a>>,
}

impl<'a> Held<'a> {
    /// Sums the run up. Where levels of load were searched, each target is that level which stands for it.
    pub fn new(run: &'a StoredRun<'a>) -> Self {
        Self { run, parts: summary::parts(run.plan, &run.measured) }
    }

    /// What its targets have to show by `figures` and `slos`, in the plan's order. Made of steady requests.
    pub fn readings(&self, figures: &[Figure], slos: &[Slo]) -> Vec<Readings> {
        self.targets().map(|(target, part)| self.of_one(target, part, figures, slos)).collect()
    }

    /// In what each target of a later run is not what it is in this one, the worst first.
    pub fn differences(&self, later: &Held<'_>) -> Vec<Difference> {
        let both = self.targets().filter_map(|(target, part)| {
            let (now, now_part) = later.targets().find(|(now, _)| now.name == target.name)?;
            let compared = [self.compared(target, part), later.compared(now, now_part)];
            Some(alike::unlike(&compared).into_iter().map(|unlike| Difference { target: target.name.clone(), unlike }))
        });
        let mut found: Vec<Difference> = both.flatten().collect();
        found.sort_by_key(|difference| std::cmp::Reverse(difference.unlike.severity));
        found
    }

    fn targets(&self) -> impl Iterator<Item = (&'a Target, &Part<'a>)> {
        self.run.plan.targets.iter().zip(&self.parts)
    }

    fn compared(&self, target: &'a Target, part: &Part<'a>) -> Compared<'a> {
        Compared {
            label: self.run.label.to_owned(),
            plan: self.run.plan,
            target,
            requests: part.steady.clone(),
            machine: self.run.machine,
            program_version: self.run.program_version,
        }
    }

    fn of_one(&self, target: &Target, part: &Part<'_>, figures: &[Figure], slos: &[Slo]) -> Readings {
        let own: Vec<&Record> =
            self.run.measured.records.iter().filter(|record| record.target == target.name).collect();
        let mut steady = part.steady.clone();
        steady.sort_by_key(|record| record.start_ns.unwrap_or(record.scheduled_ns));
        let summary = &part.summary;
        let seen = Seen { plan: self.run.plan, target, summary, steady: &steady, own: &own };
        let slo = |bound: &Slo| slo::verdict(*bound, Sample::of(bound.metric, &steady).as_ref(), &steady).0;
        Readings {
            target: target.name.clone(),
            simulated: target.simulated,
            attempted: summary.attempted,
            completed: summary.completed,
            success: seen.success(),
            figures: figures.iter().map(|figure| seen.reading(*figure)).collect(),
            slos: slos.iter().map(slo).collect(),
        }
    }
}

/// One target as it was measured.
struct Seen<'a> {
    plan: &'a Plan,
    target: &'a Target,
    summary: &'a TargetSummary,
    /// In order of their start.
    steady: &'a [&'a Record],
    own: &'a [&'a Record],
}

impl Seen<'_> {
    fn reading(&self, figure: Figure) -> Reading {
        match figure {
            Figure::Metric(metric, at) => self.of_metric(metric, at),
            Figure::OutputTokensPerS => self.rate(self.summary.throughput.output_tokens_per_s),
            Figure::RequestsPerS => self.rate(self.summary.throughput.requests_per_s),
            Figure::SuccessRate => self.success(),
            Figure::Cost => self.cost(),
        }
    }

    fn of_metric(&self, metric: Metric, at: At) -> Reading {
        let Some(sample) = Sample::of(metric, self.steady) else {
            return Reading::None { why: format!("no request has a value of {metric}") };
        };
        let shown = match at {
            At::Quantile(q) => sample.percentile(q),
            At::Mean => Percentile::Known(sample.distribution().mean),
        };
        self.values(shown, |record, into| into.extend(metric_values(record, metric)))
    }

    fn values(&self, shown: Percentile, of: impl Fn(&Record, &mut Vec<f64>)) -> Reading {
        let (mut values, mut blocks, mut requests) = (Vec::new(), Vec::new(), 0);
        for record in self.steady {
            let before = values.len();
            of(record, &mut values);
            blocks.resize(values.len(), record.block);
            requests += u64::from(values.len() > before);
        }
        Reading::Values { values, blocks, shown, requests }
    }

    fn cost(&self) -> Reading {
        let Some(price) = &self.target.price else {
            return Reading::None { why: "no price is known".to_owned() };
        };
        let each = |record: &Record| {
            let dollars = cost::of_record(price, record).0.to_f64();
            dollars.filter(|_| record.outcome.is_complete())
        };
        let all: Vec<f64> = self.steady.iter().filter_map(|record| each(record)).collect();
        if all.is_empty() {
            return Reading::None { why: "no request completed".to_owned() };
        }
        let shown = Percentile::Known(not_negative(interval::mean(&all)));
        self.values(shown, |record, into| into.extend(each(record)))
    }

    /// The standard error is taken back from the interval, whose degrees of freedom are those of the blocks.
    fn rate(&self, rate: Estimate) -> Reading {
        let sent = self.steady.iter().filter(|record| values::span(record).is_some());
        let blocks = sent.map(|record| requests::block(record)).collect::<BTreeSet<_>>().len();
        if self.summary.completed == 0 {
            return Reading::None { why: "no request completed".to_owned() };
        }
        let freedom = blocks as f64 - 1.0;
        let error = rate.high.map_or(f64::NAN, |high| (high - rate.value) / t_point(freedom));
        Reading::Rate { rate: Mean { value: rate.value, error, freedom }, requests: self.summary.completed }
    }

    /// Failures come in bursts: as many requests as the order of their successes is worth.
    fn success(&self) -> Reading {
        let failures = self.summary.failures.iter();
        let throttled: u64 = failures.filter(|(class, _)| class.is_throttling()).map(|(_, n)| n).sum();
        let of = self.summary.attempted.saturating_sub(throttled);
        if of == 0 {
            return Reading::None { why: "no request was attempted".to_owned() };
        }
        let measured: Vec<&Record> = self.own.iter().copied().filter(|r| r.phase == Phase::Measured).collect();
        let mut tried = Requests::of(self.plan, &measured).all;
        tried.retain(|record| !matches!(&record.outcome, Outcome::Failed(failure) if failure.class.is_throttling()));
        tried.sort_by_key(|record| record.start_ns.unwrap_or(record.scheduled_ns));
        let kept: Vec<f64> = tried.iter().map(|record| f64::from(u8::from(record.outcome.is_complete()))).collect();
        let share = effective_size(&kept) / (kept.len() as f64).max(1.0);
        Reading::Share { hits: self.summary.completed, of, worth: (share * of as f64).max(1.0) }
    }
}
