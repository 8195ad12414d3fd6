//! When content came, and when it did not.

use std::collections::VecDeque;

use schema::units::{Moment, Nanos};

/// Pauses that tell what is usual: the latest so many.
const REMEMBERED: usize = 64;

/// Pauses that it takes to say what is usual.
const ENOUGH: usize = 4;

/// So many times the usual pause is a stall.
const FACTOR: u64 = 8;

/// No pause below this is a stall: people would not see it.
const VISIBLE: Nanos = Nanos::from_millis(250);

/// While too little came to say what is usual, a pause that long is a stall.
const PATIENCE: Nanos = Nanos::from_secs(2);

/// The arrivals of an answer's content.
#[derive(Debug, Default)]
pub(super) struct Rhythm {
    beats: Vec<Beat>,
    stalls: Vec<(Moment, Moment)>,
    longest: Option<Nanos>,
    usual: Option<Nanos>,
    recent: VecDeque<Nanos>,
}

/// One arrival.
#[derive(Debug, Clone, Copy)]
struct Beat {
    at: Moment,
    /// Tokens until then, its own included; a piece that does not tell counts as one.
    total: u64,
}

impl Rhythm {
    /// Content arrived with so many tokens, 0 where that is not known.
    pub(super) fn add(&mut self, at: Moment, tokens: u64) {
        if let Some(before) = self.last() {
            self.pause(before, at);
        }
        let total = self.beats.last().map_or(0, |before| before.total) + tokens.max(1);
        self.beats.push(Beat { at, total });
    }

    fn pause(&mut self, from: Moment, to: Moment) {
        let pause = to - from;
        self.longest = self.longest.max(Some(pause));
        if self.is_long(pause) {
            self.stalls.push((from, to));
        }
        // Pieces that arrive together say nothing about the pauses between arrivals.
        if pause > Nanos::ZERO {
            if self.recent.len() == REMEMBERED {
                self.recent.pop_front();
            }
            self.recent.push_back(pause);
            let mut sorted: Vec<_> = self.recent.iter().copied().collect();
            sorted.sort_unstable();
            self.usual = (sorted.len() >= ENOUGH).then(|| sorted[sorted.len() / 2]);
        }
    }

    /// Whether a pause that long is a stall: eight times what is usual, and long enough to be seen.
    pub(super) fn is_long(&self, pause: Nanos) -> bool {
        pause >= self.usual.map_or(PATIENCE, |usual| VISIBLE.max(Nanos(usual.0.saturating_mul(FACTOR))))
    }

    /// The median of the latest pauses between arrivals; absent until there are a few.
    pub(super) const fn usual(&self) -> Option<Nanos> {
        self.usual
    }

    /// The longest gap between two pieces, which is what [`schema::metric::Metric::Stall`] is in the end.
    pub(super) const fn longest(&self) -> Option<Nanos> {
        self.longest
    }

    /// Pauses that were stalls: from one arrival to the next.
    pub(super) fn stalls(&self) -> &[(Moment, Moment)] {
        &self.stalls
    }

    /// Tokens that came before `at`; a piece that does not tell counts as one.
    pub(super) fn before(&self, at: Moment) -> u64 {
        let behind = self.beats.partition_point(|beat| beat.at < at);
        behind.checked_sub(1).map_or(0, |last| self.beats[last].total)
    }

    /// The first arrival.
    pub(super) fn first(&self) -> Option<Moment> {
        self.beats.first().map(|beat| beat.at)
    }

    /// The latest arrival.
    pub(super) fn last(&self) -> Option<Moment> {
        self.beats.last().map(|beat| beat.at)
    }

    /// Pieces with content.
    pub(super) const fn len(&self) -> usize {
        self.beats.len()
    }
}
