//! Exponential gaps, as from many independent users.

use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Exp1};

/// Arrivals of a Poisson process: gaps are independent and exponential.
#[derive(Debug, Clone)]
pub(super) struct Poisson {
    random: ChaCha12Rng,
    /// Mean gaps since the beginning. A double keeps a day to 15 ps, so the sum does not drift.
    elapsed: f64,
}

impl Poisson {
    pub(super) const fn new(random: ChaCha12Rng) -> Self {
        Self { random, elapsed: 0.0 }
    }

    /// When the next slot leaves, in mean gaps since the beginning.
    pub(super) fn next(&mut self) -> f64 {
        let gap: f64 = Exp1.sample(&mut self.random);
        self.elapsed += gap;
        self.elapsed
    }
}
