//! What all measured heats come to so far.

use std::collections::BTreeMap;

use schema::metric::Metric;
use schema::record::{FailureClass, Outcome, Record};

/// The measured requests of one target.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// TTFT of each completed one, nanoseconds, ascending.
    pub(super) ttft: Vec<f64>,
    /// E2E of each completed one, nanoseconds, ascending.
    pub(super) e2e: Vec<f64>,
    /// How each one that has not completed ended, by its number: its last attempt.
    missed: BTreeMap<u64, Miss>,
    /// Heats that it alone won.
    pub(super) won: u32,
    /// Requests that completed.
    pub(super) completed: u64,
}

/// Why a request is in no distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Miss {
    Failed(FailureClass),
    GivenUp,
}

impl Tally {
    /// Takes a measured request in.
    pub(super) fn add(&mut self, record: &Record) {
        let miss = match &record.outcome {
            Outcome::Complete { .. } => None,
            Outcome::Failed(failure) => Some(Miss::Failed(failure.class)),
            Outcome::NotSent | Outcome::Cancelled | Outcome::Interrupted => Some(Miss::GivenUp),
        };
        if let Some(miss) = miss {
            self.missed.insert(record.index, miss);
            return;
        }
        self.missed.remove(&record.index);
        self.completed += 1;
        for (metric, values) in [(Metric::Ttft, &mut self.ttft), (Metric::E2e, &mut self.e2e)] {
            if let Some(value) = stats::metric_values(record, metric).next() {
                values.insert(values.partition_point(|&before| before <= value), value);
            }
        }
    }

    /// Requests that failed, and the class of most of them.
    pub(super) fn failures(&self) -> (usize, Option<FailureClass>) {
        let mut classes: BTreeMap<FailureClass, usize> = BTreeMap::new();
        for miss in self.missed.values() {
            if let Miss::Failed(class) = miss {
                *classes.entry(*class).or_default() += 1;
            }
        }
        let most = classes.iter().max_by_key(|(_, count)| **count).map(|(class, _)| *class);
        (classes.values().sum(), most)
    }

    /// Requests that were given up or never sent.
    pub(super) fn given_up(&self) -> usize {
        self.missed.values().filter(|miss| **miss == Miss::GivenUp).count()
    }

    /// Requests that are over.
    pub(super) fn over(&self) -> u64 {
        self.completed + self.missed.len() as u64
    }
}
