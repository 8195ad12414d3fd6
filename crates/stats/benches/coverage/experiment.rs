//! Simulated experiments whose truth is known: every value is a quantile function at the normal share of a hidden normal
//! series. So its distribution is known exactly, and neighbours lean on each other as the hidden series makes them.

use std::ops::Range;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use statrs::distribution::{ContinuousCDF, Normal};
use stats::inference::{self, Design, Side, Statistic};

/// The second side is this much slower.
const SLOWER: f64 = 1.1;

/// Values of one interleaving block.
const BLOCK: u32 = 10;

/// How values are distributed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Lognormal, σ 0.5: as TTFT usually is.
    Skewed,
    /// Lognormal, σ 1: the 99th percentile is ten times the median.
    VerySkewed,
    /// 70 % about 50, 30 % about 200: a cache that is hit or missed.
    Bimodal,
}

impl Shape {
    /// The quantile function at the normal share of `z`.
    fn at(self, z: f64) -> f64 {
        match self {
            Self::Skewed => 100.0 * (0.5 * z).exp(),
            Self::VerySkewed => 100.0 * z.exp(),
            Self::Bimodal => {
                let normal = Normal::standard();
                let share = normal.cdf(z);
                if share < 0.7 {
                    50.0 * (0.15 * normal.inverse_cdf(share / 0.7)).exp()
                } else {
                    200.0 * (0.15 * normal.inverse_cdf(((share - 0.7) / 0.3).min(1.0 - 1e-12))).exp()
                }
            }
        }
    }

    fn truth(self, statistic: Statistic) -> f64 {
        let normal = Normal::standard();
        match statistic {
            Statistic::Quantile(q) => self.at(normal.inverse_cdf(q)),
            Statistic::Mean => {
                let steps = 200_000;
                let at = |i: u32| self.at(normal.inverse_cdf((f64::from(i) + 0.5) / f64::from(steps)));
                (0..steps).map(at).sum::<f64>() / f64::from(steps)
            }
        }
    }
}

/// How a value depends on others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Memory {
    /// Not at all.
    None,
    /// On the one before: the first autocorrelation of the hidden series.
    Leaning(f64),
    /// This share of its variance is common to an interleaving block, on both sides.
    Shared(f64),
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    Interval,
    Difference(Design),
    Ratio(Design),
}

/// One cell of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Experiment {
    pub(crate) shape: Shape,
    pub(crate) memory: Memory,
    pub(crate) n: usize,
    pub(crate) question: Question,
    pub(crate) statistic: Statistic,
}

/// What came of so many experiments.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    /// Intervals that could be given.
    pub(crate) given: u64,
    /// Of these, those that held the truth.
    pub(crate) true_ones: u64,
    /// Those that lay below it.
    pub(crate) below: u64,
    /// Those that lay above it.
    pub(crate) above: u64,
}

impl Held {
    pub(crate) const fn with(self, other: Self) -> Self {
        Self {
            given: self.given + other.given,
            true_ones: self.true_ones + other.true_ones,
            below: self.below + other.below,
            above: self.above + other.above,
        }
    }
}

impl Experiment {
    /// As many experiments as there are seeds.
    pub(crate) fn run(&self, seeds: Range<u64>) -> Held {
        let one = self.shape.truth(self.statistic);
        let truth = match self.question {
            Question::Interval => one,
            Question::Difference(_) => one - SLOWER * one,
            Question::Ratio(_) => 1.0 / SLOWER,
        };
        let mut all = Held::default();
        for seed in seeds {
            let Some(estimate) = self.once(seed) else { continue };
            let (below, above) = (estimate.high < Some(truth), estimate.low > Some(truth));
            all = all.with(Held {
                given: 1,
                true_ones: u64::from(!below && !above),
                below: u64::from(below),
                above: u64::from(above),
            });
        }
        all
    }

    fn once(&self, seed: u64) -> Option<schema::summary::Estimate> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let troubles: Vec<f64> = (0..self.n.div_ceil(BLOCK as usize)).map(|_| normal(&mut random)).collect();
        let blocks: Vec<u32> = (0_u32..).take(self.n).map(|i| i / BLOCK).collect();
        let first = self.series(&mut random, &troubles);
        let second: Vec<f64> = self.series(&mut random, &troubles).into_iter().map(|x| x * SLOWER).collect();
        let (a, b) = (Side { values: &first, blocks: &blocks }, Side { values: &second, blocks: &blocks });
        match self.question {
            Question::Interval => inference::interval(a, self.statistic, 0.95, seed),
            Question::Difference(design) => inference::difference(a, b, self.statistic, design, 0.95, seed),
            Question::Ratio(design) => inference::ratio(a, b, self.statistic, design, 0.95, seed),
        }
    }

    fn series(&self, random: &mut ChaCha12Rng, troubles: &[f64]) -> Vec<f64> {
        let mut state = normal(random);
        let mut hidden = |i: usize| {
            let fresh = normal(random);
            match self.memory {
                Memory::None => fresh,
                Memory::Leaning(by) => {
                    state = by * state + (1.0 - by * by).sqrt() * fresh;
                    state
                }
                Memory::Shared(share) => share.sqrt() * troubles[i / BLOCK as usize] + (1.0 - share).sqrt() * fresh,
            }
        };
        (0..self.n).map(|i| self.shape.at(hidden(i))).collect()
    }
}

/// A standard normal value.
fn normal(random: &mut ChaCha12Rng) -> f64 {
    let (radius, turn): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}
