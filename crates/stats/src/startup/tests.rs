use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

/// A standard normal value.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (radius, turn): (f64, f64) = (random.random(), random.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
}

/// `n` log-normal values of that spread, each leaning on the one before by `phi`.
fn steady(n: usize, sigma: f64, phi: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut state = normal(random);
    let fresh = (1.0 - phi * phi).sqrt();
    let mut next = || {
        state = phi * state + fresh * normal(random);
        (state * sigma).exp() * 50e6
    };
    (0..n).map(|_| next()).collect()
}

/// Share of 400 seeded runs in which a start-up is believed in.
fn share(make: impl Fn(&mut ChaCha8Rng) -> Vec<f64>) -> f64 {
    let found = (0..400).filter(|&seed| startup(&make(&mut ChaCha8Rng::seed_from_u64(seed))).is_some());
    found.count() as f64 / 400.0
}

#[test]
fn values_that_are_alike_throughout_lose_none() {
    for (n, sigma, phi) in [
        (50, 0.3, 0.0),
        (100, 0.3, 0.0),
        (400, 0.1, 0.0),
        (400, 1.0, 0.0),
        (2_000, 0.5, 0.0),
        (100, 0.3, 0.5),
        (400, 0.3, 0.5),
        (2_000, 0.3, 0.5),
        (400, 0.3, 0.8),
    ] {
        let share = share(|random| steady(n, sigma, phi, random));
        assert!(share <= 0.05, "{share} of {n} values of spread {sigma}, autocorrelation {phi}");
    }
}

#[test]
fn a_burst_is_found_and_little_else_is_cut() {
    let with_burst = |random: &mut ChaCha8Rng| {
        let mut values = steady(200, 0.3, 0.2, random);
        for value in &mut values[..12] {
            *value *= 4.0;
        }
        values
    };
    assert!(share(with_burst) >= 0.9);
    let cut = startup(&with_burst(&mut ChaCha8Rng::seed_from_u64(7))).unwrap();
    assert!((10..=20).contains(&cut), "{cut}");
}

#[test]
fn a_beginning_in_an_empty_queue_is_one_too() {
    let filling = |random: &mut ChaCha8Rng| {
        let values = steady(400, 0.2, 0.2, random);
        values.iter().enumerate().map(|(i, x)| x * (1.0 - (-(i as f64 + 1.0) / 15.0).exp())).collect()
    };
    assert!(share(filling) >= 0.95);
}

#[test]
fn what_drifts_to_the_end_has_no_steady_part() {
    let drifting = |random: &mut ChaCha8Rng| {
        let values = steady(400, 0.2, 0.2, random);
        values.iter().enumerate().map(|(i, x)| x * (1.0 + i as f64 / 40.0)).collect()
    };
    assert!(share(drifting) <= 0.05);
}

#[test]
fn a_burst_longer_than_half_and_too_few_values_are_left_alone() {
    let long: Vec<f64> =
        (0..100).map(|i| if i < 60 { 9.0 + f64::from(i % 3) } else { 1.0 + f64::from(i % 2) }).collect();
    assert_eq!(startup(&long), None);
    assert_eq!(startup(&[9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0, 1.0, 1.0, 1.0]), None);
    assert_eq!(startup(&[1.0; 200]), None);
    assert_eq!(startup(&[]), None);
}

#[test]
fn the_cut_is_where_the_marginal_standard_error_is_least() {
    let batches = [9.0, 7.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0];
    let marginal = |cut: usize| {
        let rest = &batches[cut..];
        let mean = rest.iter().sum::<f64>() / rest.len() as f64;
        rest.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (rest.len() as f64).powi(2)
    };
    let least = (0..=7).min_by(|&a, &b| marginal(a).total_cmp(&marginal(b))).unwrap();
    assert_eq!(truncation(&batches), Some(least));
    assert_eq!(least, 2);
}
