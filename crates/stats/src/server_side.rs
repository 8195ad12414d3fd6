//! A target by its own account: what its metrics pages said, held against what the client measured.
//!
//! ```text
//! readings ─▶ bracket (the last before the window, the first after it) ─▶ growth ─▶ counters, times
//!          ─▶ within the window ─▶ levels                                    └─▶ both sides, traffic
//! ```
//!
//! Counters and histograms are cumulative, so their growth from the reading before the measured requests to the one
//! after them holds these and whatever else the server did meanwhile. The client's figures beside them are of all its
//! requests in that time, warm-up included. Levels are averages over the time that requests of the target were due or
//! in flight, without the turns of others.

mod both;
mod bracket;
mod gpu;
mod growth;
mod level;
mod traffic;

use std::collections::BTreeMap;

use schema::plan::Plan;
use schema::record::Record;
use schema::server::{Counter, ServerSample, ServerSide};
use schema::target::Target;
use schema::units::Moment;

use crate::measured::Measured;
use crate::values;
use bracket::Bracket;
use growth::Growth;

/// A target's own account of the time that the requests `counted` took: those of its figures, of all that was
/// measured. `None` when there are none, or nobody asked it.
pub(crate) fn server_side(
    plan: &Plan,
    target: &Target,
    counted: &[&Record],
    measured: &Measured<'_>,
) -> Option<ServerSide> {
    let samples = measured.samples_of(target);
    if samples.is_empty() {
        return None;
    }
    let mut read: Vec<&ServerSample> = samples.iter().filter(|sample| sample.failed.is_none()).collect();
    read.sort_by_key(|sample| sample.at_ns);
    let spans = spans(counted);
    let (begin, end) = (spans.first()?.0, spans.iter().map(|span| span.1).max()?);
    let engine = read.iter().rev().find(|sample| !sample.engine.is_empty()).map_or("", |sample| sample.engine.as_str());
    let together = plan.side_by_side && plan.targets.len() > 1;
    let mut side = ServerSide {
        engine: engine.to_owned(),
        samples: read.len() as u64,
        failed: (samples.len() - read.len()) as u64,
        running: level::level(&read, &spans, |sample| sample.running),
        waiting: level::level(&read, &spans, |sample| sample.waiting),
        kv_usage: level::level(&read, &spans, |sample| sample.kv_usage),
        counters: BTreeMap::new(),
        prefix_hit_share: None,
        gpu_busy: level::level(&read, &spans, gpu::busy),
        gpu_power_w: level::level(&read, &spans, gpu::power),
        joules_per_output_token: gpu::joules(&read, &spans)
            .filter(|_| !together)
            .and_then(|joules| per_token(joules, counted)),
        times: BTreeMap::new(),
        both_sides: Vec::new(),
        warnings: Vec::new(),
    };
    side.warnings.extend(unread(samples, side.failed));
    if !read.is_empty() && side.engine.is_empty() && read.iter().all(|sample| sample.gpus.is_empty()) {
        let known = "nothing on its metrics page has a name that vLLM, SGLang, TGI, llama.cpp, TensorRT-LLM or DCGM gives: check that \
                     it is the engine's own";
        side.warnings.push(known.to_owned());
    }
    if together && side.gpu_power_w.is_some() {
        let note = "GPUs were read while all targets were measured: their figures are of all together, and joules a token of none";
        side.warnings.push(note.to_owned());
    }
    // GPUs have a page of their own, which says nothing of requests.
    let of_engine: Vec<&ServerSample> = read.into_iter().filter(|sample| is_of_engine(sample)).collect();
    add_growth(&mut side, plan, target, measured.records, &of_engine, (begin, end));
    Some(side)
}

/// How many readings failed, why the last of them did, and what to do about it.
fn unread(samples: &[ServerSample], failed: u64) -> Option<String> {
    let why = samples.iter().filter_map(|sample| sample.failed.as_ref()).next_back()?;
    let all = samples.len() as u64;
    let (how_many, advice) = match failed {
        1 if all == 1 => ("the only reading".to_owned(), ADVICE),
        _ if failed == all => (format!("all {all} readings"), ADVICE),
        _ => (format!("{failed} of {all} readings"), ""),
    };
    Some(format!("{how_many} of its metrics failed ({why}){advice}"))
}

/// What to do about a page that was never read.
const ADVICE: &str =
    ": name the right page with `--metrics-url`, or `metrics=URL` within `--target`, or read none with `--scrape 0s`";

/// Adds all that is made of counters and histograms.
fn add_growth(
    side: &mut ServerSide,
    plan: &Plan,
    target: &Target,
    records: &[Record],
    read: &[&ServerSample],
    (begin, end): (Moment, Moment),
) {
    if side.engine.is_empty() {
        return;
    }
    let Some(bracket) = Bracket::around(read, begin, end) else {
        side.warnings.push("its metrics were read but once: nothing can be said of what grew".to_owned());
        return;
    };
    side.warnings.extend(bracket.incomplete(begin, end));
    let growth = match Growth::over(&bracket) {
        Ok(growth) => growth,
        Err(restart) => {
            side.warnings.push(restart);
            return;
        }
    };
    let ours = traffic::requests_in(target, records, &bracket);
    side.times = growth.times();
    side.both_sides = both::compare(&side.engine, &growth, &ours);
    side.warnings.extend(both::coarse(&growth, &side.both_sides));
    side.warnings.extend(traffic::strangers(plan, target, records, read));
    side.prefix_hit_share = growth.share(Counter::PrefixHitTokens, Counter::PrefixQueriedTokens);
    side.counters = growth.counters;
}

/// Whether a reading is of an engine's page. One that says nothing at all may be: some engines name a metric once it
/// has a value.
fn is_of_engine(sample: &ServerSample) -> bool {
    !sample.engine.is_empty() || sample.gpus.is_empty()
}

/// The time that these requests took, block by block, in order; overlapping blocks are one.
fn spans(counted: &[&Record]) -> Vec<(Moment, Moment)> {
    let mut blocks: BTreeMap<(u32, u32), (Moment, Moment)> = BTreeMap::new();
    for record in counted {
        let Some((start, end)) = values::span(record) else { continue };
        let block = blocks.entry((record.step, record.block)).or_insert((start, end));
        *block = (block.0.min(start), block.1.max(end));
    }
    let mut spans: Vec<_> = blocks.into_values().collect();
    spans.sort_unstable();
    spans.dedup_by(|next, kept| {
        let overlap = next.0 <= kept.1;
        if overlap {
            kept.1 = kept.1.max(next.1);
        }
        overlap
    });
    spans
}

/// Joules ÷ the output tokens of these requests.
fn per_token(joules: f64, counted: &[&Record]) -> Option<f64> {
    let outputs = counted.iter().filter_map(|record| Some(record.tokens?.output));
    let tokens = outputs.fold(0, u64::saturating_add);
    (tokens > 0).then(|| joules / tokens as f64)
}

#[cfg(test)]
mod tests;
