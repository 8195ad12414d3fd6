//! The measured window and the rates within it.

use std::collections::BTreeMap;

use schema::plan::Plan;
use schema::record::Record;
use schema::summary::{Estimate, Throughput};
use schema::units::{Moment, Nanos};

use crate::distribution::not_negative;
use crate::requests::{BlockKey, Requests};
use crate::{interval, radix, requests, slo, values};

/// What happened in one block of a target's measured requests.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: Moment,
    last: Moment,
    residence: Nanos,
    completed: u64,
    output_tokens: u64,
    input_tokens: u64,
}

impl Block {
    fn seconds(&self) -> f64 {
        (self.last - self.first).as_secs_f64()
    }
}

/// Rates of a target's steady requests. All are zero when nothing was sent.
pub(crate) fn throughput(plan: &Plan, requests: &Requests<'_>) -> Throughput {
    let (mut blocks, measured) = (blocks(requests), &requests.steady);
    if plan.load.is_open() {
        until_the_next_was_due(&mut blocks, requests);
    }
    let blocks: Vec<Block> = blocks.into_values().collect();
    let window: Nanos = blocks.iter().fold(Nanos::ZERO, |sum, b| sum + (b.last - b.first));
    let residence: Nanos = blocks.iter().fold(Nanos::ZERO, |sum, b| sum + b.residence);
    let per_second = |count: f64| if window > Nanos::ZERO { count / window.as_secs_f64() } else { 0.0 };
    let input = blocks.iter().fold(0u64, |sum, b| sum.saturating_add(b.input_tokens));
    let met_all = || measured.iter().filter(|r| slo::meets_every(&plan.slos, r)).count();
    Throughput {
        window_ns: window,
        offered_requests_per_s: plan
            .load
            .is_open()
            .then(|| offered(requests).unwrap_or(per_second(measured.len() as f64))),
        requests_per_s: rate(&blocks, |b| b.completed),
        output_tokens_per_s: rate(&blocks, |b| b.output_tokens),
        input_tokens_per_s: (input > 0).then(|| per_second(input as f64)),
        mean_in_flight: per_second(residence.as_secs_f64()),
        goodput_requests_per_s: (!plan.slos.is_empty()).then(|| per_second(met_all() as f64)),
    }
}

/// A count per second of the window, with an interval from the scatter of the blocks where there
/// are three of them: requests within a block overlap and are not independent, blocks nearly are.
fn rate(blocks: &[Block], count: impl Fn(&Block) -> u64) -> Estimate {
    let pairs: Vec<_> = blocks.iter().map(|b| (count(b) as f64, b.seconds())).collect();
    let estimate = not_negative(interval::ratio(&pairs));
    if estimate.value.is_finite() { estimate } else { Estimate { value: 0.0, low: None, high: None } }
}

/// The blocks of what was sent, in order. Every attempt is in flight; only a steady request's last can count.
fn blocks(requests: &Requests<'_>) -> BTreeMap<BlockKey, Block> {
    let mut blocks: BTreeMap<BlockKey, Block> = BTreeMap::new();
    for record in &requests.attempts {
        let Some((start, end)) = requests.span(record) else { continue };
        let block = blocks.entry(requests::block(record)).or_insert(Block {
            first: start,
            last: end,
            residence: Nanos::ZERO,
            completed: 0,
            output_tokens: 0,
            input_tokens: 0,
        });
        block.first = block.first.min(start);
        block.last = block.last.max(end);
        block.residence += end - start;
        if record.outcome.is_complete() && requests.is_steady(record) {
            block.completed += 1;
            block.output_tokens = block.output_tokens.saturating_add(record.tokens.map_or(0, |t| t.output));
            let input = record.tokens.and_then(|t| t.input).unwrap_or(0);
            block.input_tokens = block.input_tokens.saturating_add(input);
        }
    }
    blocks
}

/// What was due in a block of an open loop.
#[derive(Debug, Clone, Copy)]
struct Due {
    first: Moment,
    last: Moment,
    count: u32,
}

impl Due {
    /// Gaps between what was due.
    fn gaps(&self) -> f64 {
        f64::from(self.count - 1)
    }
}

fn due(requests: &Requests<'_>) -> BTreeMap<BlockKey, Due> {
    let mut blocks: BTreeMap<BlockKey, Due> = BTreeMap::new();
    for record in requests.steady.iter().filter(|record| requests.was_due_when_steady(record)) {
        let at = record.scheduled_ns;
        let due = blocks.entry(requests::block(record)).or_insert(Due { first: at, last: at, count: 0 });
        (due.first, due.last, due.count) = (due.first.min(at), due.last.max(at), due.count.saturating_add(1));
    }
    blocks
}

/// Requests due per second, by the gaps between them: how long answers took has no part in it. `None` without a gap.
fn offered(requests: &Requests<'_>) -> Option<f64> {
    let due = due(requests);
    let (gaps, seconds) = due
        .values()
        .fold((0.0, 0.0), |(gaps, seconds), due| (gaps + due.gaps(), seconds + (due.last - due.first).as_secs_f64()));
    (seconds > 0.0).then(|| gaps / seconds)
}

/// A block of an open loop lasts until its next request would have been due, a mean gap after its last: ending with the
/// last answer, few requests far apart would look like more a second.
fn until_the_next_was_due(blocks: &mut BTreeMap<BlockKey, Block>, requests: &Requests<'_>) {
    for (key, due) in due(requests) {
        let Some(block) = blocks.get_mut(&key).filter(|_| due.count > 1) else { continue };
        let gap = Nanos::from_secs_f64((due.last - due.first).as_secs_f64() / due.gaps());
        block.last = block.last.max(due.last + gap);
    }
}

/// The largest number of requests in flight at once. A request that ends where another starts makes
/// room for it.
pub(crate) fn peak_in_flight(measured: &[&Record]) -> u64 {
    let spans = measured.iter().filter_map(|r| values::span(r));
    let (mut starts, mut ends): (Vec<Moment>, Vec<Moment>) = spans.unzip();
    for moments in [&mut starts, &mut ends] {
        radix::sort_by_key(moments, |moment| moment.0);
    }
    let (mut ended, mut peak) = (0, 0);
    for (started, start) in (1..).zip(&starts) {
        ended += ends[ended..].iter().take_while(|end| *end <= start).count();
        peak = peak.max(started - ended.min(started));
    }
    peak as u64
}

#[cfg(test)]
mod tests;
