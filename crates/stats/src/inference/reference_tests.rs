//! Against SciPy 1.17.1 and numpy 2.4.6 on the vectors of `reference/make.py`, each named by the function that made it.

use serde_json::Value;

use super::*;
use crate::quantile::quantile;

fn vectors(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../../reference/vectors.json")).unwrap();
    all[name].clone()
}

fn cases(name: &str) -> Vec<Value> {
    vectors(name).as_array().unwrap().clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn sorted(value: &Value) -> Vec<f64> {
    let mut values = numbers(value);
    values.sort_unstable_by(f64::total_cmp);
    values
}

#[track_caller]
fn near(case: &Value, got: f64, expected: f64) {
    let name = &case["name"];
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1e-12), "{name}: {got} is not {expected}");
}

#[track_caller]
fn all_near(case: &Value, got: &[f64], expected: &Value) {
    let expected = numbers(expected);
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).for_each(|(got, expected)| near(case, *got, expected));
}

#[test]
fn quantiles_are_those_of_numpy() {
    let case = vectors("quantiles");
    let values = sorted(&case["values"]);
    let got: Vec<f64> = numbers(&case["shares"]).iter().map(|q| quantile(&values, *q)).collect();
    all_near(&case, &got, &case["numpy_quantile"]);
}

#[test]
fn mann_whitney_is_mannwhitneyu_asymptotic() {
    for case in cases("two_samples") {
        let (a, b) = (sorted(&case["a"]), sorted(&case["b"]));
        let found = mann_whitney(&a, &b);
        let u = found.first_larger * (a.len() * b.len()) as f64;
        all_near(&case, &[u, found.p], &case["mannwhitneyu_asymptotic"]);
    }
}

#[test]
fn welch_is_ttest_ind_with_unlike_variances() {
    let mean = |values: &[f64]| {
        let n = values.len() as f64;
        Mean {
            value: crate::moments::mean(values),
            error: crate::moments::sd(values).unwrap() / n.sqrt(),
            freedom: n - 1.0,
        }
    };
    for case in cases("two_samples") {
        let p = welch(mean(&numbers(&case["a"])), mean(&numbers(&case["b"])));
        near(&case, p, number(&case["ttest_ind_welch_p"]));
    }
}

#[test]
fn kolmogorov_smirnov_is_ks_2samp_exact() {
    for case in cases("two_samples") {
        let (d, p) = kolmogorov_smirnov(&numbers(&case["a"]), &numbers(&case["b"]));
        all_near(&case, &[d, p], &case["ks_2samp_exact"]);
    }
}

#[test]
fn kolmogorov_smirnov_of_many_is_kstwobign() {
    let by = |n: u32, factor: u32, modulus: u32, shift: u32| -> Vec<f64> {
        (1..=n).map(|i| f64::from(i * factor % modulus + shift)).collect()
    };
    let (d, p) = kolmogorov_smirnov(&by(2_000, 37, 2_003, 0), &by(1_500, 53, 1_999, 40));
    all_near(&Value::Null, &[d, p], &vectors("large_kolmogorov_smirnov"));
}

#[test]
fn fisher_is_fisher_exact() {
    for case in cases("fisher") {
        let row = |i: usize| {
            let [hits, misses] = [0, 1].map(|j| case["table"][i][j].as_u64().unwrap());
            Share { hits, of: hits + misses }
        };
        near(&case, fisher(row(0), row(1)), number(&case["fisher_exact_p"]));
    }
}

#[test]
fn cliffs_delta_is_that_over_all_pairs() {
    for case in cases("two_samples") {
        let got = cliffs_delta(&numbers(&case["a"]), &numbers(&case["b"]));
        all_near(&case, &[got.value, got.low.unwrap(), got.high.unwrap()], &case["cliffs_delta"]);
    }
}

#[test]
fn the_permutation_test_of_few_is_permutation_test_with_samples() {
    for case in cases("permutation") {
        let p = permutation(&numbers(&case["differences"]), 1);
        near(&case, p, number(&case["permutation_test_p"]));
    }
}

#[test]
fn spearman_is_spearmanr_with_the_interval_of_bonett_and_wright() {
    for case in cases("relations") {
        let found = spearman(&numbers(&case["x"]), &numbers(&case["y"])).unwrap();
        all_near(&case, &[found.rho.value, found.p], &case["spearmanr"]);
        all_near(&case, &[found.rho.low.unwrap(), found.rho.high.unwrap()], &case["bonett_wright"]);
    }
}

#[test]
fn theil_sen_is_theilslopes() {
    for case in cases("relations") {
        let found = theil_sen(&numbers(&case["x"]), &numbers(&case["y"])).unwrap();
        let slope = found.slope;
        let got = [slope.value, found.intercept, slope.low.unwrap(), slope.high.unwrap()];
        all_near(&case, &got, &case["theilslopes"]);
    }
}

#[test]
fn mann_kendall_is_kendalltau_of_time_and_the_correction_that_of_hamed_and_rao() {
    for case in cases("drifts") {
        let found = mann_kendall(&numbers(&case["y"])).unwrap();
        all_near(&case, &[found.tau, found.p, found.p_hamed_rao], &case["mann_kendall"]);
    }
}

/// To 1e-5: a simplex finds a summit no closer.
#[test]
fn bradley_terry_is_what_a_general_optimiser_finds() {
    let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    for case in cases("preferences") {
        let choice = |choice: &Value| Choice {
            shown: choice["shown"].as_array().unwrap().iter().map(index).collect(),
            preferred: (!choice["preferred"].is_null()).then(|| index(&choice["preferred"])),
        };
        let choices: Vec<Choice> = case["choices"].as_array().unwrap().iter().map(choice).collect();
        let found = bradley_terry(index(&case["contenders"]), &choices).unwrap();
        for expected in case["differences"].as_array().unwrap() {
            let (one, other) = (index(&expected["one"]), index(&expected["other"]));
            let got = found.difference(one, other);
            let got = [got.value, got.low.unwrap(), got.high.unwrap(), found.p(one, other)];
            let mut wanted = numbers(&expected["difference"]);
            wanted.push(number(&expected["p"]));
            for (got, wanted) in got.iter().zip(wanted) {
                assert!((got - wanted).abs() < 1e-5, "{}: {got} is not {wanted}", case["name"]);
            }
        }
    }
}
