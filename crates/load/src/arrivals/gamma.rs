//! Gamma-distributed gaps: bursts below shape 1, more even above.

use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Gamma as Gaps};

/// Shapes that make sense: a coefficient of variation from 10 down to a hundredth.
const SHAPES: (f64, f64) = (0.01, 1e4);

/// Arrivals of a renewal process with gamma-distributed gaps. Of shape `k` their coefficient of variation is
/// `1 / √k`: 1 is Poisson. What vLLM's `bench serve` calls burstiness.
#[derive(Debug, Clone)]
pub(super) struct Gamma {
    gaps: Gaps<f64>,
    random: ChaCha12Rng,
    /// Mean gaps since the beginning.
    elapsed: f64,
}

impl Gamma {
    /// Gaps of `shape`, which is brought within what makes sense.
    pub(super) fn new(shape: f64, random: ChaCha12Rng) -> Self {
        // `max` and `min` also rid of what is not a number.
        let shape = shape.max(SHAPES.0).min(SHAPES.1);
        let gaps = Gaps::new(shape, 1.0 / shape).expect("shape and scale are above zero");
        Self { gaps, random, elapsed: 0.0 }
    }

    /// When the next slot leaves, in mean gaps since the beginning.
    pub(super) fn next(&mut self) -> f64 {
        self.elapsed += self.gaps.sample(&mut self.random);
        self.elapsed
    }
}
