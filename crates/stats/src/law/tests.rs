use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::*;

const LEVELS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0];

fn law(lambda: f64, sigma: f64, kappa: f64, n: f64) -> f64 {
    lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
}

/// Points of a law, each off by about so much.
fn points(truth: [f64; 3], noise: f64, seed: u64) -> Vec<(f64, f64)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut off = || (0..12).map(|_| random.random::<f64>() - 0.5).sum::<f64>() * noise;
    LEVELS.iter().map(|&n| (n, law(truth[0], truth[1], truth[2], n) * (1.0 + off()))).collect()
}

fn holds(estimate: &Estimate, truth: f64) -> bool {
    estimate.low.is_none_or(|low| low <= truth) && estimate.high.is_none_or(|high| truth <= high)
}

/// Of 100 seeds, how many intervals hold the truth: λ, σ, κ, N* and X(N*).
fn held(truth: [f64; 3], noise: f64) -> [u32; 5] {
    let [lambda, sigma, kappa] = truth;
    let place = ((1.0 - sigma) / kappa).sqrt();
    let top = law(lambda, sigma, kappa, place);
    let mut held = [0; 5];
    for seed in 0..100 {
        let law = fit_law(&points(truth, noise, seed)).unwrap();
        let peak = |e: Option<Estimate>, truth: f64| e.is_none_or(|e| holds(&e, truth));
        let all = [
            holds(&law.lambda, lambda),
            holds(&law.contention, sigma),
            holds(&law.coherency, kappa),
            peak(law.peak_in_flight, place),
            peak(law.peak_requests_per_s, top),
        ];
        for (count, one) in held.iter_mut().zip(all) {
            *count += u32::from(one);
        }
    }
    held
}

#[test]
fn the_truth_lies_within_the_intervals_in_ninety_of_a_hundred_seeds() {
    for (truth, noise) in [
        ([2.0, 0.05, 0.001], 0.02),
        ([2.0, 0.05, 0.001], 0.10),
        ([0.5, 0.02, 0.0002], 0.03),
        ([30.0, 0.3, 0.01], 0.05),
        ([5.0, 0.0, 0.002], 0.03),
    ] {
        let held = held(truth, noise);
        assert!(held.iter().all(|&count| count >= 90), "{held:?} of {truth:?} with noise {noise}");
    }
}

#[test]
fn points_without_noise_give_the_parameters_back() {
    let fitted = fit_law(&points([2.0, 0.05, 0.001], 0.0, 1)).unwrap();
    let near = |got: f64, expected: f64| assert!((got / expected - 1.0).abs() < 1e-6, "{got} is not {expected}");
    near(fitted.lambda.value, 2.0);
    near(fitted.contention.value, 0.05);
    near(fitted.coherency.value, 0.001);
    near(fitted.peak_in_flight.unwrap().value, 950.0_f64.sqrt());
    near(fitted.peak_requests_per_s.unwrap().value, law(2.0, 0.05, 0.001, 950.0_f64.sqrt()));
    assert!(fitted.r_squared > 0.999_999 && fitted.warnings.is_empty(), "{:?}", fitted.warnings);
}

#[test]
fn below_one_in_flight_nothing_is_shared() {
    let truth = [2.0, 0.3, 0.01];
    let mut low_rates: Vec<(f64, f64)> = [0.1, 0.3, 0.6].iter().map(|&n| (n, 2.0 * n)).collect();
    low_rates.extend(points(truth, 0.0, 1));
    let fitted = fit_law(&low_rates).unwrap();
    for (got, expected) in [(fitted.lambda, 2.0), (fitted.contention, 0.3), (fitted.coherency, 0.01)] {
        assert!((got.value / expected - 1.0).abs() < 1e-6, "{fitted:?}");
    }
}

#[test]
fn a_curve_that_levels_off_has_a_limit_and_no_peak() {
    let flat: Vec<(f64, f64)> = LEVELS.iter().map(|&n| (n, law(2.0, 0.2, 0.0, n))).collect();
    let fitted = fit_law(&flat).unwrap();
    assert_eq!(fitted.peak_in_flight, None);
    assert!((fitted.peak_requests_per_s.unwrap().value - 10.0).abs() < 1e-6, "{fitted:?}");
}

#[test]
fn a_straight_line_is_said_never_to_bend() {
    let straight: Vec<(f64, f64)> = points([2.0, 0.0, 0.0], 0.02, 4);
    let fitted = fit_law(&straight).unwrap();
    assert!(fitted.warnings.iter().any(|w| w.contains("never certainly bends")), "{fitted:?}");
    assert!(fitted.peak_requests_per_s.is_none_or(|peak| peak.high.is_none()), "{fitted:?}");
}

#[test]
fn too_few_points_give_no_law_and_few_a_warning() {
    assert_eq!(fit_law(&[(1.0, 2.0), (2.0, 3.0)]), None);
    assert_eq!(fit_law(&[(1.0, 2.0), (1.0, 2.1), (2.0, 3.0)]), None);
    assert_eq!(fit_law(&[(1.0, 2.0), (0.0, 2.0), (f64::NAN, 3.0), (2.0, 0.0)]), None);
    let three = fit_law(&[(1.0, 2.0), (2.0, 3.7), (8.0, 9.0)]).unwrap();
    assert_eq!((three.lambda.low, three.points), (None, 3));
    assert!(three.warnings[0].contains("3 points only"), "{:?}", three.warnings);
}

#[test]
fn points_that_obey_no_law_are_said_to_fit_badly() {
    let wild = [(1.0, 5.0), (2.0, 1.0), (4.0, 9.0), (8.0, 2.0), (16.0, 7.0), (32.0, 1.0)];
    let fitted = fit_law(&wild).unwrap();
    assert!(fitted.warnings.iter().any(|w| w.starts_with("a bad fit")), "{fitted:?}");
}
