//! How far a statistic is off, from what each cell adds to it.

use crate::inference::memory::long_run;
use crate::inference::tails::t_point;
use crate::moments;

use super::runs;

/// The error of a statistic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    /// Cells that are resampled together.
    pub(super) run: usize,
    /// Its variance, serial correlation included.
    variance: f64,
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
        Self::by_runs_of(runs::length(&centred(influence)), influence)
    }

    /// With runs of a given length.
    pub(super) fn by_runs_of(run: usize, influence: &[f64]) -> Self {
        let k = influence.len() as f64;
        let series = centred(influence);
        let sums = sums_of_runs(&series, run);
        let power = |exponent: i32| sums.iter().map(|sum| sum.powi(exponent)).sum::<f64>() / run as f64;
        let long_run = long_run(&series);
        Self {
            run,
            variance: k * long_run.variance,
            drawn: power(2),
            cubes: power(3),
            freedom: freedom(&series, long_run.freedom),
        }
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

fn centred(influence: &[f64]) -> Vec<f64> {
    let centre = moments::mean(influence);
    influence.iter().map(|x| x - centre).collect()
}

/// Degrees of freedom of a variance whose own variance is 2σ⁴/freedom + (κ − 3) σ⁴/n, κ being the kurtosis: those of the
/// χ² with the same mean and variance (F. E. Satterthwaite, *Biometrics Bulletin* 2, 1946, 110–114). So the error of the
/// variance of values with rare large ones, or of rare events such as being beyond a p95, is not taken for less than it is.
fn freedom(series: &[f64], normal: f64) -> f64 {
    let n = series.len() as f64;
    let power = |exponent: i32| series.iter().map(|x| x.powi(exponent)).sum::<f64>() / n;
    let excess = power(4) / power(2).powi(2) - 3.0;
    let inverse = 1.0 / normal + excess / (2.0 * n);
    if inverse.is_finite() { 1.0 / inverse.clamp(1e-9, 1.0) } else { normal }
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
