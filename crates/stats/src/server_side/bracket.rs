//! The readings around the measured time.

use schema::server::ServerSample;
use schema::units::{Moment, Nanos};

/// Two readings, and all between them.
#[derive(Debug)]
pub(super) struct Bracket<'a> {
    /// In order, two at least: the first is the last before the window, the last the first after it, where there
    /// are such.
    pub(super) readings: &'a [&'a ServerSample],
}

impl<'a> Bracket<'a> {
    /// The narrowest bracket around `begin` to `end` that `read` (in order) allows; `None` below two readings.
    pub(super) fn around(read: &'a [&'a ServerSample], begin: Moment, end: Moment) -> Option<Self> {
        // A page is of some instant between asking for it and its arrival.
        let first = read.iter().rposition(|sample| sample.at_ns <= begin).unwrap_or(0);
        let last = read.iter().position(|sample| asked(sample) >= end).unwrap_or(read.len().checked_sub(1)?);
        (first < last).then(|| Self { readings: &read[first..=last] })
    }

    pub(super) const fn before(&self) -> &'a ServerSample {
        self.readings[0]
    }

    pub(super) const fn after(&self) -> &'a ServerSample {
        self.readings[self.readings.len() - 1]
    }

    /// Whether an instant lies between the two.
    pub(super) fn holds(&self, begin: Moment, end: Moment) -> bool {
        self.before().at_ns <= begin && end <= asked(self.after())
    }

    /// What the bracket leaves out of the window.
    pub(super) fn incomplete(&self, begin: Moment, end: Moment) -> Option<String> {
        let late = self.before().at_ns - begin;
        let early = end - asked(self.after());
        let parts = [(late, "the first"), (early, "the last")];
        let parts: Vec<_> =
            parts.iter().filter(|(span, _)| *span > Nanos::ZERO).map(|(span, at)| format!("{at} {span}")).collect();
        let missing = parts.join(" and ");
        (!parts.is_empty())
            .then(|| format!("its metrics were not read in {missing} of the measured time: its counts lack that"))
    }
}

/// When a page was asked for.
fn asked(sample: &ServerSample) -> Moment {
    sample.at_ns - sample.took_ns
}
