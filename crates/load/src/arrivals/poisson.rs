//! Exponential gaps, as from many independent users.

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Exp1};
use schema::units::{Nanos, Rate};

/// Arrivals of a Poisson process: gaps are independent and exponential with mean `1 / rate`.
#[derive(Debug, Clone)]
pub(super) struct Poisson {
    mean_gap_s: f64,
    random: ChaCha12Rng,
    /// Seconds since the beginning. A double keeps a day to 15 ps, so the sum does not drift.
    elapsed_s: f64,
}

impl Poisson {
    /// The process of `seed`; each `stream` of a seed has gaps of its own.
    pub(super) fn new(rate: Rate, seed: u64, stream: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self { mean_gap_s: 1.0 / rate.get(), random, elapsed_s: 0.0 }
    }

    /// When the next slot leaves, counted from the beginning.
    pub(super) fn next_offset(&mut self) -> Nanos {
        let gap: f64 = Exp1.sample(&mut self.random);
        self.elapsed_s += gap * self.mean_gap_s;
        Nanos::from_secs_f64(self.elapsed_s)
    }
}
