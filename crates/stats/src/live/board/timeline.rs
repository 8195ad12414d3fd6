//! What happened when, in a bounded number of stretches.

use std::collections::BTreeMap;

use schema::units::{Moment, Nanos};

/// Stretches at most; when there are more, two become one.
const MOST: usize = 256;

/// A stretch at first.
const FIRST: Nanos = Nanos::from_millis(250);

/// Times by how large they are, to within 2.5 %: small, and two of them can be added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sketch {
    counts: BTreeMap<u16, u32>,
    total: u64,
}

/// From one mark of a [`Sketch`] to the next.
const RATIO: f64 = 1.05;

impl Sketch {
    /// Counts one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a logarithm of 64 bits is small")]
    pub fn add(&mut self, span: Nanos) {
        let mark = ((span.0.max(1) as f64).ln() / RATIO.ln()).floor() as u16;
        let count = self.counts.entry(mark).or_default();
        *count = count.saturating_add(1);
        self.total += 1;
    }

    /// How many were counted.
    pub const fn len(&self) -> u64 {
        self.total
    }

    /// Whether none was.
    pub const fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// About that of which a share `q` is below; `None` of nothing.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    pub fn quantile(&self, q: f64) -> Option<Nanos> {
        let wanted = (q * self.total as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let mark = self.counts.iter().find_map(|(mark, count)| {
            below += u64::from(*count);
            (below >= wanted).then_some(*mark)
        })?;
        Some(Nanos::from_secs_f64(RATIO.powf(f64::from(mark) + 0.5) / 1e9))
    }

    fn take_in(&mut self, other: &Self) {
        for (mark, count) in &other.counts {
            let own = self.counts.entry(*mark).or_default();
            *own = own.saturating_add(*count);
        }
        self.total += other.total;
    }
}

/// What happened in one stretch of time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stretch {
    /// Requests that completed.
    pub completed: u64,
    /// Attempts that failed or were turned away.
    pub failed: u64,
    /// Output tokens that arrived, of requests that have completed by now: of the latest, more may come to be known.
    pub tokens: u64,
    /// TTFT of those that completed, by when their first content arrived.
    pub ttft: Sketch,
    /// The most requests in flight, where that was looked at.
    pub in_flight: Option<u32>,
}

impl Stretch {
    fn take_in(&mut self, other: &Self) {
        self.completed += other.completed;
        self.failed += other.failed;
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.ttft.take_in(&other.ttft);
        self.in_flight = self.in_flight.max(other.in_flight);
    }
}

/// A run in equally long stretches since the first thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    from: Option<Moment>,
    each: Nanos,
    stretches: Vec<Stretch>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { from: None, each: FIRST, stretches: Vec::new() }
    }
}

impl Timeline {
    /// How long each stretch is.
    pub const fn each(&self) -> Nanos {
        self.each
    }

    /// When the first begins.
    pub fn from(&self) -> Moment {
        self.from.unwrap_or_default()
    }

    /// All of them, the earliest first; the last one may not be over.
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// How many of them were over by `at`.
    pub fn over_by(&self, at: Moment) -> usize {
        self.number(at - self.from()).min(self.stretches.len())
    }

    /// The stretch that `at` falls into; what was before the first counts there.
    pub fn at(&mut self, at: Moment) -> &mut Stretch {
        let from = *self.from.get_or_insert(at);
        while self.number(at - from) >= MOST {
            self.double();
        }
        let number = self.number(at - from);
        if number >= self.stretches.len() {
            self.stretches.resize_with(number + 1, Stretch::default);
        }
        &mut self.stretches[number]
    }

    fn number(&self, since: Nanos) -> usize {
        usize::try_from(since.0 / self.each.0).unwrap_or(usize::MAX)
    }

    fn double(&mut self) {
        self.each = self.each + self.each;
        let halved = self.stretches.chunks(2).map(|pair| {
            let mut both = pair[0].clone();
            pair[1..].iter().for_each(|second| both.take_in(second));
            both
        });
        self.stretches = halved.collect();
    }
}
