//! Resampling of runs of neighbours, and how long they should be.

use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use crate::inference::memory::covariance;

/// How often each of so many cells is in one resample: runs of `run` neighbours from places drawn at random, in a circle,
/// until there are as many cells as before.
pub(super) fn draw(random: &mut ChaCha12Rng, cells: usize, run: usize, weights: &mut Vec<u32>) {
    weights.clear();
    weights.resize(cells, 0);
    let places = u32::try_from(cells).expect("some hundred cells");
    let mut left = cells;
    while left > 0 {
        let from = random.random_range(0..places) as usize;
        let length = run.min(left);
        let turn = length.min(cells - from);
        weights[from..from + turn].iter_mut().for_each(|weight| *weight += 1);
        weights[..length - turn].iter_mut().for_each(|weight| *weight += 1);
        left -= length;
    }
}

/// The length of runs of a series about zero under which resampling gets the variance of its mean best: the automatic
/// choice of D. N. Politis & H. White (*Econometric Reviews* 23, 2004, 53–70), for runs in a circle and with the correction
/// of A. Patton, D. N. Politis & H. White (*Econometric Reviews* 28, 2009, 372–375). The bandwidth is twice the least lag
/// after which max(5, √log₁₀ n) autocorrelations in a row are below 2 √(log₁₀ n / n), sums are taken under a flat-top
/// window, and the run is (2 G² / (4/3 g²))^⅓ n^⅓, at most min(3 √n, n/3).
pub(super) fn length(series: &[f64]) -> usize {
    let n = series.len() as f64;
    let own = covariance(series, 0);
    let bandwidth = 2 * last_lag(series, own);
    let window = |lag: usize| (2.0 * (1.0 - lag as f64 / bandwidth as f64)).min(1.0);
    let lags = 1..=bandwidth.min(series.len().saturating_sub(1));
    let terms = lags.map(|lag| (lag as f64, 2.0 * window(lag) * covariance(series, lag)));
    let (sum, weighed) = terms.fold((own, 0.0), |(sum, weighed), (lag, term)| (sum + term, weighed + lag * term));
    let ideal = (1.5 * (weighed / sum).powi(2) * n).cbrt();
    whole(ideal, (3.0 * n.sqrt()).min(n / 3.0))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
fn whole(ideal: f64, most: f64) -> usize {
    (ideal.ceil().min(most.ceil()) as usize).max(1)
}

/// The least lag after which a row of autocorrelations is negligible.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn last_lag(series: &[f64], own: f64) -> usize {
    let n = series.len() as f64;
    let row = (n.log10().sqrt().ceil() as usize).max(5);
    let bound = 2.0 * (n.log10() / n).sqrt() * own;
    let most = (n.sqrt().ceil() as usize + row).min(series.len().saturating_sub(1));
    let mut last = 0;
    for lag in 1..=most {
        if covariance(series, lag).abs() >= bound {
            last = lag;
        } else if lag - last >= row {
            break;
        }
    }
    last
}
