//! How far a statistic is off, from what each cell adds to it.

use crate::inference::tails::t_point;

use super::runs::{self, Memory};

/// The error of a statistic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// Cells that are resampled together.
    pub(super) run: usize,
    /// Its variance, serial correlation included.
    pub(super) variance: f64,
    /// The variance that resampling runs gives it.
    drawn: f64,
    /// The sum over runs of their influence cubed.
    cubes: f64,
    /// Degrees of freedom behind the variance.
    freedom: f64,
}

impl Spread {
    /// From the influence of each cell, in order of time.
    pub(super) fn of(influence: &[f64]) -> Self {
        let k = influence.len() as f64;
        let centre = influence.iter().sum::<f64>() / k;
        let series: Vec<f64> = influence.iter().map(|x| x - centre).collect();
        let Memory { bandwidth, variance, run } = runs::memory(&series);
        let sums = sums_of_runs(&series, run);
        let times = k / run as f64;
        let power = |exponent: i32| times * sums.iter().map(|sum| sum.powi(exponent)).sum::<f64>() / k;
        let drawn = power(2);
        let freedom = (k / (1.0 + bandwidth as f64)).max(2.0) - 1.0;
        let variance = (variance * k).max(drawn) * k / (k - 1.0);
        Self { run, variance, drawn, cubes: power(3), freedom }
    }

    /// Of the sum of two statistics that know nothing of each other.
    pub(super) fn with(&self, other: &Self) -> Self {
        let variance = self.variance + other.variance;
        let share = |one: &Self| one.variance.powi(2) / one.freedom;
        Self {
            run: self.run,
            variance,
            drawn: self.drawn + other.drawn,
            cubes: self.cubes + other.cubes,
            freedom: if variance > 0.0 { variance.powi(2) / (share(self) + share(other)) } else { self.freedom },
        }
    }

    /// As it was before its influence was multiplied by `scale`.
    pub(super) fn unscaled(&self, scale: f64) -> Self {
        Self { variance: self.variance / scale.powi(2), ..*self }
    }

    /// Efron's a: a sixth of the skewness of the statistic, by the jackknife over runs, ΣU³ / (6 (ΣU²)^1.5).
    pub(super) fn acceleration(&self) -> f64 {
        if self.drawn > 0.0 { self.cubes / (6.0 * self.drawn.powf(1.5)) } else { 0.0 }
    }

    /// How many of resampling's own standard deviations an end lies from the estimate.
    pub(super) fn reach(&self, confidence: f64) -> f64 {
        let widened = if self.drawn > 0.0 { (self.variance / self.drawn).sqrt() } else { 1.0 };
        widened * t_point(f64::midpoint(1.0, confidence), self.freedom)
    }
}

/// Of every run of that length in a circle.
fn sums_of_runs(series: &[f64], run: usize) -> Vec<f64> {
    let mut sum: f64 = series.iter().take(run).sum();
    let ends = series.iter().cycle().skip(run);
    let mut moved = |(leaves, joins): (&f64, &f64)| {
        sum += joins - leaves;
        sum
    };
    series.iter().zip(ends).map(&mut moved).collect()
}
