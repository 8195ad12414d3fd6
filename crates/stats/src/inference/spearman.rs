//! Whether two quantities rise and fall together.

use schema::summary::Estimate;

use super::order::ranks;
use super::tails::{normal_point, student_both_tails};
use crate::moments;

/// Most lags that are looked at for serial correlation.
const LAGS: usize = 1_000;

/// A rank correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Spearman's ρ, −1 to 1, with its 95 % interval.
    pub rho: Estimate,
    /// Two-sided p-value of its being zero.
    pub p: f64,
}

/// Spearman's rank correlation of `x` and `y`, of one length, pairs taken as independent (C. Spearman, *American
/// Journal of Psychology* 15, 1904, 72–101; equal values share the mean of their ranks). p by Student's t of ρ with
/// n − 2 degrees of freedom, as SciPy's `spearmanr`. The interval is Fisher's z ± 1.96 √((1 + ρ²/2)/(n − 3))
/// (D. G. Bonett & T. A. Wright, *Psychometrika* 65, 2000, 23–28). `None` below four pairs or where either does not vary.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<Correlation> {
    let (x, y) = (ranks(x), ranks(y));
    correlation(&x, &y, x.len() as f64)
}

/// As [`spearman`], for pairs in order of time: n is replaced by the number of independent pairs that would give ρ the
/// same variance, 1/n' = 1/n + 2/n Σ (1 − k/n) rₓ(k) rᵧ(k), of the ranks' autocorrelations, summed while both are
/// positive (G. V. Bayley & J. M. Hammersley, *Supplement to the Journal of the Royal Statistical Society* 8, 1946,
/// 184–197).
pub fn spearman_in_time(x: &[f64], y: &[f64]) -> Option<Correlation> {
    let (x, y) = (ranks(x), ranks(y));
    correlation(&x, &y, independent_pairs(&x, &y))
}

fn correlation(x: &[f64], y: &[f64], n: f64) -> Option<Correlation> {
    if n < 4.0 || x.len() != y.len() {
        return None;
    }
    let rho = pearson(x, y)?;
    let error = ((1.0 + rho * rho / 2.0) / (n - 3.0)).sqrt();
    let end = |sign: f64| Some((rho.atanh() + sign * normal_point(0.975) * error).tanh());
    let student = rho.abs() * ((n - 2.0) / ((1.0 + rho) * (1.0 - rho)).max(0.0)).sqrt();
    let p = if student.is_finite() { student_both_tails(student, n - 2.0) } else { 0.0 };
    Some(Correlation { rho: Estimate { value: rho, low: end(-1.0), high: end(1.0) }, p })
}

fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mean_x, mean_y) = (moments::mean(x), moments::mean(y));
    let sum =
        |term: &dyn Fn(f64, f64) -> f64| -> f64 { x.iter().zip(y).map(|(x, y)| term(x - mean_x, y - mean_y)).sum() };
    let (own, other) = (sum(&|x, _| x * x), sum(&|_, y| y * y));
    (own > 0.0 && other > 0.0).then(|| (sum(&|x, y| x * y) / (own * other).sqrt()).clamp(-1.0, 1.0))
}

fn independent_pairs(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (x, y) = (Lagged::of(x), Lagged::of(y));
    let both = (1..x.departures.len().min(LAGS)).map(|lag| (lag, x.at(lag), y.at(lag)));
    let shared: f64 =
        both.take_while(|(_, x, y)| *x > 0.0 && *y > 0.0).map(|(lag, x, y)| (1.0 - lag as f64 / n) * x * y).sum();
    n / (1.0 + 2.0 * shared)
}

/// A series about its mean.
struct Lagged {
    departures: Vec<f64>,
    squares: f64,
}

impl Lagged {
    fn of(values: &[f64]) -> Self {
        let mean = moments::mean(values);
        let departures: Vec<f64> = values.iter().map(|x| x - mean).collect();
        let squares = departures.iter().map(|x| x * x).sum();
        Self { departures, squares }
    }

    /// Autocorrelation; zero where nothing varies.
    fn at(&self, lag: usize) -> f64 {
        let products: f64 = self.departures.iter().zip(&self.departures[lag..]).map(|(a, b)| a * b).sum();
        if self.squares > 0.0 { products / self.squares } else { 0.0 }
    }
}
