//! Requests out of records: a request is all attempts at one index, and counts by its last; those of the start-up
//! are told from the steady ones.

use std::collections::BTreeMap;

use schema::plan::{Load, Plan, WhenFull};
use schema::record::{RateLimits, Record};
use schema::summary::Startup;
use schema::units::{Moment, Nanos};

use crate::quantile::quantile;
use crate::{startup, values};

/// A request that was sent later than this after it was due, where requests wait for a place, had waited for one.
pub(crate) const WAITED: Nanos = Nanos::from_millis(1);

/// One target's measured requests.
pub(crate) struct Requests<'a> {
    /// The last attempt at each.
    pub(crate) all: Vec<&'a Record>,
    /// Those after the start-up: what distributions and rates are made of.
    pub(crate) steady: Vec<&'a Record>,
    /// Every attempt at each: what was in flight, and what it cost.
    pub(crate) attempts: Vec<&'a Record>,
    /// The start-up, where there is one.
    pub(crate) startup: Option<Startup>,
    /// Where the first block's steady part begins.
    begin: Option<(BlockKey, Moment)>,
}

/// Records of one block follow each other; those of two may be far apart. A step of a search is one of its own.
pub(crate) type BlockKey = (u32, u32);

pub(crate) const fn block(record: &Record) -> BlockKey {
    (record.step, record.block)
}

impl<'a> Requests<'a> {
    /// Of the measured records of one target under `plan`.
    pub(crate) fn of(plan: &Plan, measured: &[&'a Record]) -> Self {
        let all = last_attempts(measured);
        let found = if is_steady(&plan.load) { first_block(&all) } else { None };
        let begin = found.as_ref().map(|found| (found.block, found.begin));
        let steady: Vec<&Record> = all.iter().copied().filter(|r| !is_before(r, begin)).collect();
        let startup = found.map(|found| found.summary(&all, &steady));
        Self { all, steady, attempts: measured.to_vec(), startup, begin }
    }

    /// When an attempt was in flight within the measured window.
    pub(crate) fn span(&self, record: &Record) -> Option<(Moment, Moment)> {
        let (start, end) = values::span(record)?;
        match self.begin {
            Some((key, begin)) if key == block(record) => (end > begin).then(|| (start.max(begin), end)),
            _ => Some((start, end)),
        }
    }

    /// Whether a record belongs to the steady part.
    pub(crate) fn is_steady(&self, record: &Record) -> bool {
        !is_before(record, self.begin)
    }

    /// Whether a record was due in the steady part: one that was sent there may have been due before, and have waited or
    /// failed first.
    pub(crate) fn was_due_when_steady(&self, record: &Record) -> bool {
        self.begin.is_none_or(|(key, begin)| key != block(record) || record.scheduled_ns >= begin)
    }

    /// Further attempts.
    pub(crate) fn retries(&self) -> u64 {
        (self.attempts.len() - self.all.len()) as u64
    }

    /// How long each request that waited for a place did so.
    pub(crate) fn waits(&self, plan: &Plan) -> Vec<Nanos> {
        if plan.load.when_full() != WhenFull::Wait {
            return Vec::new();
        }
        let lags = self.attempts.iter().filter_map(|record| values::schedule_lag(record));
        lags.filter(|lag| *lag > WAITED).collect()
    }

    /// The limits that the latest answer published.
    pub(crate) fn limits(&self) -> Option<RateLimits> {
        let published = self.attempts.iter().filter_map(|record| Some((record.end_ns, record.limits?)));
        published.max_by_key(|(end, _)| *end).map(|(_, limits)| limits)
    }
}

/// The last attempt at each request, in the order of the records, which are of one target and phase.
pub(crate) fn last_attempts<'a>(records: &[&'a Record]) -> Vec<&'a Record> {
    if records.iter().all(|record| record.attempt == 0) {
        return records.to_vec();
    }
    let mut last: BTreeMap<(u32, u64), u32> = BTreeMap::new();
    for record in records {
        let latest = last.entry((record.step, record.index)).or_default();
        *latest = record.attempt.max(*latest);
    }
    records.iter().copied().filter(|record| last[&(record.step, record.index)] == record.attempt).collect()
}

/// Whether the load asks for the same all the time: where it changes by itself, a beginning unlike the rest is
/// what was asked for.
const fn is_steady(load: &Load) -> bool {
    matches!(load, Load::Closed { .. } | Load::Open { .. })
}

/// The start-up of the first block.
struct Found {
    block: BlockKey,
    first: Moment,
    begin: Moment,
}

/// By the TTFT of the completed requests of the first block, in order of their start.
fn first_block(all: &[&Record]) -> Option<Found> {
    let earliest = all.iter().filter(|r| r.start_ns.is_some()).min_by_key(|r| r.start_ns)?;
    let (key, first) = (block(earliest), earliest.start_ns?);
    let own = all.iter().filter(|r| block(r) == key && r.outcome.is_complete());
    let mut seen: Vec<(Moment, Nanos)> = own.filter_map(|r| Some((r.start_ns?, values::ttft(r)?))).collect();
    seen.sort_unstable();
    let ttfts: Vec<f64> = seen.iter().map(|(_, ttft)| ttft.0 as f64).collect();
    let begin = seen.get(startup::startup(&ttfts)?)?.0;
    Some(Found { block: key, first, begin })
}

impl Found {
    fn summary(&self, all: &[&Record], steady: &[&Record]) -> Startup {
        let early: Vec<&Record> =
            all.iter().copied().filter(|r| is_before(r, Some((self.block, self.begin)))).collect();
        Startup {
            requests: early.len() as u64,
            length_ns: self.begin - self.first,
            ttft_p50_ns: median_ttft(&early),
            steady_ttft_p50_ns: median_ttft(steady),
        }
    }
}

fn is_before(record: &Record, begin: Option<(BlockKey, Moment)>) -> bool {
    let start = record.start_ns.unwrap_or(record.scheduled_ns);
    begin.is_some_and(|(key, begin)| key == block(record) && start < begin)
}

fn median_ttft(records: &[&Record]) -> f64 {
    let completed = records.iter().filter(|r| r.outcome.is_complete());
    let mut ttfts: Vec<f64> = completed.filter_map(|r| Some(values::ttft(r)?.0 as f64)).collect();
    ttfts.sort_unstable_by(f64::total_cmp);
    quantile(&ttfts, 0.5)
}

#[cfg(test)]
mod tests;
