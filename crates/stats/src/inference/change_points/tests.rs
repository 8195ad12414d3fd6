use rand::RngExt as _;

use super::*;

/// Skewed values, each leaning on the one before by `by`, half as much again from each of `steps` on.
fn series(n: usize, by: f64, steps: &[usize], seed: u64) -> Vec<f64> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut state = 0.0;
    let mut next = |i: usize| {
        let noise = 3.0_f64.sqrt() * (2.0 * random.random::<f64>() - 1.0);
        state = by * state + (1.0 - by * by).sqrt() * noise;
        let level = steps.iter().filter(|step| i >= **step).fold(1.0, |level, _| level * 1.5);
        level * (0.3 * state).exp()
    };
    (0..n).map(&mut next).collect()
}

#[test]
fn steps_are_found_where_they_are_with_the_medians_about_them() {
    for seed in 0..5 {
        let found = change_points(&series(150, 0.0, &[50, 100], seed), seed);
        let near = |at: usize| found.iter().any(|point| point.index.abs_diff(at) <= 8);
        assert!(found.len() <= 3 && near(50) && near(100), "{found:?}");
        assert!(found.iter().all(|point| point.p <= SIGNIFICANCE));
        assert!(found[0].before < 1.2 && found[0].after > 1.2, "{found:?}");
    }
}

#[test]
fn a_wandering_series_is_seldom_called_changed() {
    let called =
        |n: usize, by: f64| (0..60).filter(|&seed| !change_points(&series(n, by, &[], seed), seed).is_empty()).count();
    for (n, by, most) in [(60, 0.0, 8), (120, 0.5, 14)] {
        let called = called(n, by);
        assert!(called <= most, "{called} of 60 with {n} values leaning by {by}");
    }
}

#[test]
fn a_long_series_is_looked_at_in_medians_of_neighbours() {
    let found = change_points(&series(20_000, 0.3, &[12_000], 1), 1);
    let [point] = found[..] else { panic!("{found:?}") };
    assert!(point.index.abs_diff(12_000) <= 200, "{point:?}");
}

#[test]
fn nothing_is_found_in_few_values_or_values_all_alike() {
    for values in [vec![], vec![1.0, 9.0, 1.0], vec![2.0; 40]] {
        assert_eq!(change_points(&values, 1), []);
    }
}
