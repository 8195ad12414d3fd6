//! What a comparison takes of one request.

use rust_decimal::prelude::ToPrimitive;
use schema::metric::Metric;
use schema::record::{Outcome, Record};
use schema::target::Target;
use schema::units::Moment;

use crate::{cost, metric_values, values};

/// What a comparison takes of one request: small, so that those of a long run fit into memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// Its block, together with its step of a search.
    pub(crate) block: u64,
    /// When it was sent and when it ended; absent when it was not sent.
    pub(crate) span: Option<(Moment, Moment)>,
    pub(crate) ttft: Option<f64>,
    pub(crate) tpot: Option<f64>,
    pub(crate) e2e: Option<f64>,
    pub(crate) completed: bool,
    /// Turned away by a limit, which is neither success nor failure.
    pub(crate) throttled: bool,
    pub(crate) output_tokens: f64,
    /// US dollars; absent without a price.
    pub(crate) cost: Option<f64>,
}

impl Case {
    /// Of a steady request of `target`.
    pub(crate) fn of(target: &Target, record: &Record) -> Self {
        let value = |metric| metric_values(record, metric).next();
        let streams = !target.dialect.embeds();
        let completed = record.outcome.is_complete();
        let price = target.price.as_ref().filter(|_| completed);
        Self {
            block: u64::from(record.step) << 32 | u64::from(record.block),
            span: values::span(record),
            ttft: value(Metric::Ttft).filter(|_| streams),
            tpot: value(Metric::Tpot).filter(|_| streams),
            e2e: value(Metric::E2e),
            completed,
            throttled: matches!(&record.outcome, Outcome::Failed(failure) if failure.class.is_throttling()),
            output_tokens: record.tokens.filter(|_| completed).map_or(0.0, |tokens| tokens.output as f64),
            cost: price.and_then(|price| cost::of_record(price, record).0.to_f64()),
        }
    }

    /// The cases of a target's steady requests, in order of their start.
    pub(crate) fn all<'a>(target: &Target, steady: impl IntoIterator<Item = &'a Record>) -> Vec<Self> {
        let mut cases: Vec<Self> = steady.into_iter().map(|record| Self::of(target, record)).collect();
        cases.sort_by_key(|case| case.span.map(|(start, _)| start));
        cases
    }
}
