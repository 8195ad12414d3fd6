//! Runs whose truth is known.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use schema::figure::{At, Figure};
use schema::gate::Bound;
use schema::metric::Metric;
use schema::units::Quantile;

use crate::gate::{Reading, Readings};
use crate::inference::Mean;
use crate::interval;

/// How values come about: ln x = a normal AR(1) series · `sd`, on `level`; one in twenty is `stall` times as long.
#[derive(Debug, Clone, Copy)]
pub(super) struct World {
    pub(super) requests: usize,
    /// How much of its neighbour's departure a request has.
    pub(super) correlation: f64,
    pub(super) sd: f64,
    pub(super) stall: f64,
    /// Standard deviation of the logarithm of whole runs.
    pub(super) between: f64,
    /// Share of requests that fail.
    pub(super) failing: f64,
}

/// Skewed, serially correlated, with stalls.
pub(super) const ROUGH: World =
    World { requests: 48, correlation: 0.3, sd: 0.35, stall: 3.0, between: 0.0, failing: 0.01 };

pub(super) struct Dice(ChaCha12Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// By Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let (u, v): (f64, f64) = (self.0.random(), self.0.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn values(&mut self, world: &World, level: f64) -> Vec<f64> {
        let (phi, mut departure) = (world.correlation, self.normal());
        let fresh = (1.0 - phi * phi).sqrt();
        (0..world.requests)
            .map(|_| {
                departure = phi * departure + fresh * self.normal();
                let stall = if self.0.random::<f64>() < 0.05 { world.stall } else { 1.0 };
                level * stall * (world.sd * departure).exp()
            })
            .collect()
    }

    /// What one run has to show by [`BOUNDS`], everything `slower` times as long and `failing` more often.
    pub(super) fn run(&mut self, world: &World, slower: f64) -> Vec<Readings> {
        let level = slower * (world.between * self.normal()).exp();
        vec![self.target("a", world, level)]
    }

    fn target(&mut self, name: &str, world: &World, level: f64) -> Readings {
        let ttft = self.values(world, 50e6 * level);
        let requests = world.requests as u64;
        let failed = (0..requests).filter(|_| self.0.random::<f64>() < world.failing).count() as u64;
        let rate = 400.0 / level;
        let blocks: Vec<(f64, f64)> = (0..10).map(|_| (rate * (1.0 + 0.03 * self.normal()), 1.0)).collect();
        let seen = interval::ratio(&blocks);
        let error = (seen.high.unwrap() - seen.value) / interval::t_point(9.0);
        let success = Reading::Share { hits: requests - failed, of: requests, worth: requests as f64 };
        Readings {
            target: name.parse().unwrap(),
            simulated: false,
            attempted: requests,
            completed: requests - failed,
            success: success.clone(),
            figures: vec![
                of_values(&ttft, Quantile::P50),
                success,
                Reading::Rate { rate: Mean { value: seen.value, error, freedom: 9.0 }, requests },
            ],
            slos: Vec::new(),
        }
    }
}

pub(super) fn of_values(values: &[f64], q: Quantile) -> Reading {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Reading::Values {
        values: values.to_vec(),
        blocks: vec![0; values.len()],
        shown: interval::percentile(&sorted, q.get()),
        requests: values.len() as u64,
    }
}

/// The bounds on what [`Dice::run`] shows, each of so much.
pub(super) fn bounds(worse: f64) -> Vec<Bound> {
    let figures =
        [Figure::Metric(Metric::Ttft, At::Quantile(Quantile::P50)), Figure::SuccessRate, Figure::OutputTokensPerS];
    figures.map(|figure| Bound { figure, worse }).to_vec()
}
