//! Made-up times of targets that take turns, block by block, in which the truth is known.

use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What disturbs the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// Each request for itself, a fifth up or down.
    Even,
    /// What slows one request slows those after it too, across turns and targets: AR(1) with φ = 0.9 in the order of time.
    Serial,
    /// Each turn is lucky or not as a whole, by a tenth, and each block for all targets alike, by a fifth.
    Lucky,
    /// Few requests are slow by far: lognormal with σ = 1.
    Skewed,
    /// A fifth take four times as long, as if a cache had missed.
    Bimodal,
}

/// A world as time goes on.
pub(crate) struct Ground {
    world: World,
    random: ChaCha8Rng,
    weather: f64,
}

impl Ground {
    /// Before anything was sent.
    pub(crate) fn new(world: World, seed: u64) -> Self {
        Self { world, random: ChaCha8Rng::seed_from_u64(seed), weather: 0.0 }
    }

    /// One block: `size` times of each target in random order of turns, each so many times the usual.
    pub(crate) fn block(&mut self, factors: &[f64], size: usize) -> Vec<Vec<f64>> {
        let mut order: Vec<usize> = (0..factors.len()).collect();
        order.shuffle(&mut self.random);
        let of_block = 0.2 * self.normal();
        let mut times = vec![Vec::new(); factors.len()];
        for target in order {
            let of_turn = 0.1 * self.normal();
            times[target] = (0..size).map(|_| 100e6 * factors[target] * self.one(of_block + of_turn)).collect();
        }
        times
    }

    fn one(&mut self, luck: f64) -> f64 {
        let noise = self.normal();
        match self.world {
            World::Even => (0.2 * noise).exp(),
            World::Serial => {
                self.weather = 0.9 * self.weather + (1.0_f64 - 0.81).sqrt() * noise;
                (0.2 * self.weather).exp()
            }
            World::Lucky => (0.2 * noise + luck).exp(),
            World::Skewed => noise.exp(),
            World::Bimodal => (0.1 * noise).exp() * if self.random.random_bool(0.2) { 4.0 } else { 1.0 },
        }
    }

    /// Standard normal, by Box & Muller.
    fn normal(&mut self) -> f64 {
        let (radius, turn): (f64, f64) = (self.random.random(), self.random.random());
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
    }
}
