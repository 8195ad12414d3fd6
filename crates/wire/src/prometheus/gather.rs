//! Folding the series of a page into one sample.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use schema::metric::Metric;
use schema::server::{Counter, ServerSample};
use schema::units::{Moment, Nanos};

use super::PageError;
use super::gpu::Gpus;
use super::histogram::Seconds;
use super::names::{self, Engine, Meaning};
use super::text::Series;

/// From here on a value is a sentinel for one that is not there.
const NO_VALUE: f64 = 9.22e18;

/// A quantity with the rank of the name it comes from.
#[derive(Debug)]
struct Ranked<T> {
    rank: u8,
    value: T,
}

/// What was found on a page so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The engine of the first name we knew. Others on the same page are another server's.
    engine: Option<&'static Engine>,
    running: Option<f64>,
    waiting: Option<f64>,
    kv_usage: Option<Ranked<f64>>,
    counters: BTreeMap<Counter, Ranked<f64>>,
    histograms: BTreeMap<Metric, Ranked<Seconds>>,
    gpus: Gpus,
}

impl Gathered {
    /// Takes one series in.
    pub(super) fn fold(&mut self, series: &Series<'_>) -> Result<(), PageError> {
        let Some((engine, name)) = names::engine(series.name) else { return self.gpus.fold(series) };
        if !std::ptr::eq(*self.engine.get_or_insert(engine), engine) {
            return Ok(());
        }
        if !(0.0..NO_VALUE).contains(&series.value) {
            return Ok(());
        }
        for entry in engine.meanings(name, series) {
            self.take(entry.meaning, entry.rank, series)?;
        }
        Ok(())
    }

    fn take(&mut self, meaning: Meaning, rank: u8, series: &Series<'_>) -> Result<(), PageError> {
        let value = series.value;
        match meaning {
            Meaning::Running => self.running = Some(self.running.unwrap_or(0.0) + value),
            Meaning::Waiting => self.waiting = Some(self.waiting.unwrap_or(0.0) + value),
            Meaning::KvUsage => match &mut self.kv_usage {
                Some(kept) if kept.rank < rank => {}
                Some(kept) if kept.rank == rank => kept.value = kept.value.max(value),
                kept => *kept = Some(Ranked { rank, value }),
            },
            Meaning::Count(counter) => {
                if let Some(sum) = best(self.counters.entry(counter), rank) {
                    *sum += value;
                }
            }
            Meaning::Seconds(metric) => {
                if let Some(histogram) = best(self.histograms.entry(metric), rank) {
                    histogram.fold(series)?;
                }
            }
        }
        Ok(())
    }

    /// All of it as a sample.
    pub(super) fn sample(self) -> ServerSample {
        let mut counters: BTreeMap<_, _> = self.counters.into_iter().map(|(key, sum)| (key, sum.value)).collect();
        // Tokens looked up say nothing without those found.
        if !counters.contains_key(&Counter::PrefixHitTokens) {
            counters.remove(&Counter::PrefixQueriedTokens);
        }
        let histograms = self.histograms.into_iter();
        ServerSample {
            at_ns: Moment(0),
            took_ns: Nanos::ZERO,
            failed: None,
            engine: self.engine.map_or_else(String::new, |engine| engine.name.to_owned()),
            running: self.running,
            waiting: self.waiting,
            kv_usage: self.kv_usage.map(|usage| usage.value),
            counters,
            histograms: histograms.filter_map(|(metric, found)| Some((metric, found.value.nanos()?))).collect(),
            gpus: self.gpus.samples(),
        }
    }
}

/// Where a value from a name of this rank belongs: nowhere when a better name was seen, in the place of what came from
/// a worse one.
fn best<K: Ord, T: Default>(entry: Entry<'_, K, Ranked<T>>, rank: u8) -> Option<&mut T> {
    let kept = entry.or_insert_with(|| Ranked { rank, value: T::default() });
    if kept.rank > rank {
        *kept = Ranked { rank, value: T::default() };
    }
    (kept.rank == rank).then_some(&mut kept.value)
}
