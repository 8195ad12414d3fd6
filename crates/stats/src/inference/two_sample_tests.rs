//! Against SciPy 1.17.1 (`stats.mannwhitneyu(method="asymptotic")`, `ttest_ind_from_stats(equal_var=False)`,
//! `fisher_exact`) and statsmodels (`multipletests(method="holm")`), by a script of their public functions.

use proptest::prelude::*;

use super::{Mean, Share, fisher, holm, mann_whitney, welch};

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs(), "{got} is not {expected}");
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// `n` values with ties: i · `factor` mod `modulus` + `shift`.
fn spread(n: u32, factor: u32, modulus: u32, shift: u32) -> Vec<f64> {
    sorted((1..=n).map(|i| f64::from(i * factor % modulus + shift)).collect())
}

#[track_caller]
fn check(first: &[f64], second: &[f64], u: f64, p: f64) {
    let found = mann_whitney(first, second);
    near(found.first_larger, u / (first.len() * second.len()) as f64);
    near(found.p, p);
    let other = mann_whitney(second, first);
    near(other.first_larger, 1.0 - found.first_larger);
    near(other.p, p);
}

#[test]
fn mann_whitney_is_that_of_scipy() {
    let first = sorted(vec![12.0, 15.5, 9.1, 30.2, 11.0, 12.0, 18.4, 55.0]);
    let second = sorted(vec![14.0, 22.5, 12.0, 41.2, 19.0, 33.3, 28.4, 75.0, 16.0, 12.0]);
    check(&first, &second, 25.0, 0.195_300_019_234_353_92);
    check(&spread(40, 37, 101, 0), &spread(50, 53, 97, 9), 933.0, 0.589_178_045_729_279_7);
    check(&spread(400, 37, 101, 0), &spread(500, 53, 97, 19), 68_958.0, 1.139_743_017_172_096_9e-15);
}

#[test]
fn mann_whitney_knows_no_difference_where_all_is_equal_or_nothing_is_there() {
    near(mann_whitney(&[3.0; 9], &[3.0; 7]).p, 1.0);
    near(mann_whitney(&[3.0; 9], &[]).p, 1.0);
}

#[test]
fn welch_is_that_of_scipy() {
    let mean = |value, error, n: f64| Mean { value, error, freedom: n - 1.0 };
    near(welch(mean(384.8, 2.1, 5.0), mean(380.2, 4.0, 5.0)), 0.347_560_036_689_437);
    near(welch(mean(1.0, 0.1, 12.0), mean(1.3, 0.05, 400.0)), 0.015_624_839_970_138_102);
    near(welch(mean(10.0, 0.02, 20_000.0), mean(10.05, 0.03, 30_000.0)), 0.165_524_260_806_472_98);
    near(welch(mean(2.0, 0.0, 9.0), mean(2.0, 0.0, 9.0)), 1.0);
    near(welch(mean(2.0, 0.0, 9.0), mean(2.1, 0.0, 9.0)), 0.0);
}

#[test]
fn fisher_is_that_of_scipy() {
    let share = |hits: u64, misses: u64| Share { hits, of: hits + misses };
    for (first, second, p) in [
        ((95, 5), (88, 12), 0.126_178_861_263_690_43),
        ((20, 0), (14, 6), 0.020_196_020_196_020_202),
        ((398, 1), (20, 4), 3.885_598_083_219_325e-5),
        ((0, 24), (24, 0), 6.202_011_224_319_716e-14),
        ((9000, 1000), (8800, 1200), 6.800_024_223_808_414e-6),
        ((10, 0), (10, 0), 1.0),
    ] {
        near(fisher(share(first.0, first.1), share(second.0, second.1)), p);
        near(fisher(share(second.0, second.1), share(first.0, first.1)), p);
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    let adjusted = holm(&[0.01, 0.04, 0.03, 0.005, 0.5]);
    for (got, expected) in adjusted.into_iter().zip([0.04, 0.09, 0.09, 0.025, 0.5]) {
        near(got, expected);
    }
    assert_eq!(holm(&[]), Vec::<f64>::new());
}

proptest! {
    #[test]
    fn holm_never_makes_a_difference_more_certain(p in prop::collection::vec(0.0..=1.0, 0..20)) {
        for (raw, adjusted) in p.iter().zip(holm(&p)) {
            prop_assert!(adjusted >= *raw && adjusted <= 1.0);
        }
    }

    #[test]
    fn mann_whitney_counts_every_pair(
        first in prop::collection::vec(0u8..20, 1..30),
        second in prop::collection::vec(0u8..20, 1..30),
    ) {
        let float = |values: &[u8]| sorted(values.iter().copied().map(f64::from).collect());
        let score = |a: u8, b: u8| f64::midpoint(f64::from(u8::from(a > b)), f64::from(u8::from(a >= b)));
        let wins: f64 = first.iter().flat_map(|&a| second.iter().map(move |&b| score(a, b))).sum();
        let found = mann_whitney(&float(&first), &float(&second));
        let expected = wins / (first.len() * second.len()) as f64;
        prop_assert!((found.first_larger - expected).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&found.p));
    }
}
