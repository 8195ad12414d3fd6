//! Arrivals in operational time, of which one unit is one mean gap: how they are spaced, whatever the rate.

use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use schema::plan::Arrival;

use super::constant::Constant;
use super::gamma::Gamma;
use super::poisson::Poisson;

/// A process of rate 1. A rate, or rates that change, stretch it to real time.
#[derive(Debug, Clone)]
pub(super) enum Spacing {
    Constant(Constant),
    Poisson(Box<Poisson>),
    Gamma(Box<Gamma>),
}

impl Spacing {
    /// The process of `seed`; each `block` of a seed has gaps of its own.
    pub(super) fn new(arrival: Arrival, seed: u64, block: u32) -> Self {
        let random = || {
            let mut random = ChaCha12Rng::seed_from_u64(seed);
            random.set_stream(block.into());
            random
        };
        match arrival {
            Arrival::Constant => Self::Constant(Constant::default()),
            Arrival::Poisson => Self::Poisson(Box::new(Poisson::new(random()))),
            Arrival::Gamma(shape) => Self::Gamma(Box::new(Gamma::new(shape, random()))),
        }
    }

    /// When the next slot leaves, in mean gaps since the beginning. Never less than the one before.
    pub(super) fn next(&mut self) -> f64 {
        match self {
            Self::Constant(constant) => constant.next(),
            Self::Poisson(poisson) => poisson.next(),
            Self::Gamma(gamma) => gamma.next(),
        }
    }
}

#[cfg(test)]
mod tests;
