//! How far the mean of a series is off when neighbours lean on each other.

use std::f64::consts::PI;

use super::order::ranks;

/// Waves that the variance is averaged over, at least.
const LEAST_WAVES: f64 = 4.0;

/// The variance of the mean of a series times its length, and how well that is known.
pub(super) struct LongRun {
    pub(super) variance: f64,
    /// Degrees of freedom of Student's t that go with it.
    pub(super) freedom: f64,
}

/// Of a series about zero. Where its first autocorrelation is within one standard error of none or negative, the plain
/// variance (n − 1). Otherwise its long-run variance, at least as large, by cosines of equal weight, 0.41 n^⅔ of them, which
/// go with Student's t of as many degrees of freedom (E. Lazarus, D. J. Lewis, J. H. Stock & M. W. Watson, *Journal of
/// Business & Economic Statistics* 36, 2018, 541–559): of what a first-order autoregression leaves, coloured
/// again (D. W. K. Andrews & J. C. Monahan, *Econometrica* 60, 1992, 953–966).
pub(super) fn long_run(series: &[f64]) -> LongRun {
    let n = series.len() as f64;
    let own = covariance(series, 0);
    let plain = LongRun { variance: own * n / (n - 1.0), freedom: n - 1.0 };
    let Some(by) = leaning(series) else { return plain };
    let left: Vec<f64> = series.windows(2).map(|pair| pair[1] - by * pair[0]).collect();
    let waves = (0.41 * n.powf(2.0 / 3.0)).floor().max(LEAST_WAVES);
    let variance = by_cosines(&left, waves) / (1.0 - by).powi(2);
    LongRun { variance: variance.max(plain.variance), freedom: waves }
}

/// By how much each value of a series about zero leans on the one before, corrected for bias (F. H. C. Marriott & J. A. Pope,
/// *Biometrika* 41, 1954, 390–402), 0 to 0.97; `None` where that is within one standard error of nothing.
fn leaning(series: &[f64]) -> Option<f64> {
    let n = series.len() as f64;
    let by = covariance(series, 1) / covariance(series, 0);
    let clear = by > 1.0 / n.sqrt() && n >= 2.0 * LEAST_WAVES;
    clear.then(|| ((n * by + 1.0) / (n - 3.0)).clamp(0.0, 0.97))
}

/// What `values`, in order of time, are worth in independent ones for saying whether they carry an interval: n where they do
/// not lean on each other, else ½ n (1 − φ)/(1 + φ) of the first autocorrelation φ of their ranks. That of the
/// ranks is at least that of being beyond a quantile, and known far better, so that it hardly depends on the error of
/// the very interval that is asked for.
pub(super) fn worth(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let middle = f64::midpoint(n, 1.0);
    let ranks: Vec<f64> = ranks(values).into_iter().map(|rank| rank - middle).collect();
    leaning(&ranks).map_or(n, |by| n * (1.0 - by) / (1.0 + by) / 2.0)
}

/// The mean square of the series' first cosine coefficients.
fn by_cosines(series: &[f64], waves: f64) -> f64 {
    let n = series.len() as f64;
    let coefficient = |wave: f64| -> f64 {
        let terms = series.iter().zip(0_u32..).map(|(x, t)| x * (PI * wave * (f64::from(t) + 0.5) / n).cos());
        (2.0 / n).sqrt() * terms.sum::<f64>()
    };
    let mut wave = 0.0;
    let mut sum = 0.0;
    while wave < waves {
        wave += 1.0;
        sum += coefficient(wave).powi(2);
    }
    sum / waves
}

/// The autocovariance at a lag, divided by n at each.
pub(super) fn covariance(series: &[f64], lag: usize) -> f64 {
    series.iter().zip(&series[lag..]).map(|(one, other)| one * other).sum::<f64>() / series.len() as f64
}
