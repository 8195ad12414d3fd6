use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A standard normal value.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, turn): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}

/// `n` normal values, each leaning on the one before by `phi`.
fn leaning(n: usize, phi: f64, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut state = normal(&mut random);
    let fresh = (1.0 - phi * phi).sqrt();
    let mut next = || {
        state = phi * state + fresh * normal(&mut random);
        state
    };
    (0..n).map(|_| next()).collect()
}

/// The median over seeds must be within `share` of n(1 − φ) ÷ (1 + φ), what such values are worth when they are many.
#[track_caller]
fn check(n: usize, phi: f64, share: f64) {
    let mut sizes: Vec<f64> = (0..51).map(|seed| effective_size(&leaning(n, phi, seed))).collect();
    sizes.sort_unstable_by(f64::total_cmp);
    let expected = (n as f64 * (1.0 - phi) / (1.0 + phi)).min(n as f64);
    let ratio = sizes[25] / expected;
    assert!((ratio - 1.0).abs() < share, "{} instead of {expected}", sizes[25]);
}

#[test]
fn independent_values_count_fully() {
    check(200, 0.0, 0.15);
    check(5_000, 0.0, 0.05);
    check(20_000, 0.0, 0.05);
}

#[test]
fn values_that_lean_on_the_one_before_count_for_fewer() {
    check(1_000, 0.5, 0.15);
    check(5_000, 0.5, 0.1);
    check(5_000, 0.9, 0.15);
    check(20_000, 0.95, 0.15);
}

#[test]
fn values_that_alternate_are_not_credited_with_more() {
    check(1_000, -0.6, 1e-9);
}

#[test]
fn a_series_without_an_end_to_its_memory_is_worth_a_few_values() {
    let rising: Vec<f64> = (0..100_000).map(f64::from).collect();
    assert!((1.0..10.0).contains(&effective_size(&rising)), "{}", effective_size(&rising));
}

#[test]
fn few_values_and_values_all_alike_count_fully() {
    for (values, expected) in [(&[][..], 0.0), (&[3.0], 1.0), (&[0.1; 7], 7.0)] {
        assert!((effective_size(values) - expected).abs() < 1e-12, "{values:?}");
    }
    let two = effective_size(&[1.0, 2.0]);
    assert!((1.0..=2.0).contains(&two), "{two}");
}
