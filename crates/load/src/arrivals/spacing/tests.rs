use super::*;

const GAPS: usize = 40_000;

fn spacing(arrival: Arrival, seed: u64) -> Spacing {
    Spacing::new(arrival, seed, 100)
}

fn gaps(mut spacing: Spacing) -> Vec<f64> {
    let mut previous = 0.0;
    let gap = |_| {
        let at = spacing.next();
        let gap = at - previous;
        previous = at;
        gap
    };
    (0..GAPS).map(gap).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation ÷ mean.
fn variation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt() / mean
}

/// Of gamma-distributed gaps with mean 1 the standard deviation is `1 / √shape` and the excess kurtosis
/// `6 / shape`, which give the standard errors of both figures; five of each are allowed.
#[track_caller]
fn check_gamma(arrival: Arrival, shape: f64) {
    for seed in [1, 2, 3, u64::MAX] {
        let gaps = gaps(spacing(arrival, seed));
        let expected = 1.0 / shape.sqrt();
        let mean_error = expected / (GAPS as f64).sqrt();
        let variation_error = ((2.0 + 6.0 / shape) / GAPS as f64).sqrt() / 2.0 + mean_error;
        let (mean, variation) = (mean(&gaps), variation(&gaps));
        assert!((mean - 1.0).abs() < 5.0 * mean_error, "{arrival}, seed {seed}: mean {mean}");
        let off = (variation / expected - 1.0).abs();
        assert!(off < 5.0 * variation_error, "{arrival}, seed {seed}: coefficient of variation {variation}");
    }
}

#[test]
fn gaps_have_the_mean_and_the_variation_of_their_shape() {
    check_gamma(Arrival::Poisson, 1.0);
    check_gamma(Arrival::Gamma(1.0), 1.0);
    check_gamma(Arrival::Gamma(0.25), 0.25);
    check_gamma(Arrival::Gamma(0.5), 0.5);
    check_gamma(Arrival::Gamma(4.0), 4.0);
    check_gamma(Arrival::Gamma(100.0), 100.0);
}

/// One in `e` exponential gaps is longer than the mean; one standard error is 0.24 %, five are allowed.
#[test]
fn poisson_gaps_are_exponential() {
    for seed in [1, 2, 3, u64::MAX] {
        let gaps = gaps(spacing(Arrival::Poisson, seed));
        let longer_than_mean = gaps.iter().filter(|gap| **gap > 1.0).count() as f64 / gaps.len() as f64;
        assert!((longer_than_mean - (-1.0_f64).exp()).abs() < 0.0125, "seed {seed}: {longer_than_mean}");
    }
}

#[test]
fn neighbouring_gaps_know_nothing_of_each_other() {
    for arrival in [Arrival::Poisson, Arrival::Gamma(2.0)] {
        let gaps = gaps(spacing(arrival, 9));
        let products: f64 = gaps.windows(2).map(|pair| (pair[0] - 1.0) * (pair[1] - 1.0)).sum();
        assert!((products / gaps.len() as f64).abs() < 0.025, "{arrival}");
    }
}

#[test]
fn a_shape_beyond_what_makes_sense_is_brought_back() {
    for shape in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300] {
        let mut spacing = spacing(Arrival::Gamma(shape), 1);
        assert!((0..1000).all(|_| spacing.next().is_finite()), "{shape}");
    }
}
