use rand::RngExt as _;
use serde_json::Value;

use super::*;
use crate::inference::tails::normal_point;
use crate::quantile::quantile;

/// `n` values, skewed, each leaning on the one before by `by`.
fn values(n: usize, by: f64, seed: u64) -> Vec<f64> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut normal = || {
        let (radius, turn): (f64, f64) = (random.random(), random.random());
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
    };
    let mut state = normal();
    let mut next = || {
        state = by * state + (1.0 - by * by).sqrt() * normal();
        (0.5 * state).exp()
    };
    (0..n).map(|_| next()).collect()
}

fn side<'a>(values: &'a [f64], blocks: &'a [u32]) -> Side<'a> {
    Side { values, blocks }
}

/// Blocks of ten.
fn blocks(n: usize) -> Vec<u32> {
    (0_u32..).take(n).map(|i| i / 10).collect()
}

/// High end less low.
#[track_caller]
fn width(estimate: Option<Estimate>) -> f64 {
    let Estimate { low, high, .. } = estimate.unwrap();
    high.unwrap() - low.unwrap()
}

#[test]
fn bca_ends_of_given_resamples_are_those_of_scipy_bootstrap() {
    let vectors: Value = serde_json::from_str(include_str!("../../../reference/vectors.json")).unwrap();
    for case in vectors["bootstraps"].as_array().unwrap() {
        let numbers =
            |key: &str| -> Vec<f64> { case[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
        let mut drawn = numbers("resampled");
        drawn.sort_unstable_by(f64::total_cmp);
        let cells = Cells::of_values(&numbers("values"), Statistic::Mean).unwrap();
        let acceleration = Spread::by_runs_of(1, &cells.influence).acceleration();
        let (low, high) = bca::ends(&drawn, cells.estimate, acceleration, normal_point(0.975));
        for (got, expected) in [low, high].into_iter().zip(numbers("bootstrap_bca")) {
            assert!((got - expected).abs() <= 1e-9 * expected.abs(), "{got} is not {expected} in {}", case["name"]);
        }
    }
}

#[test]
fn a_resample_has_the_statistic_of_its_values_written_out() {
    let (values, q) = (values(1_300, 0.5, 3), 0.9);
    let mut random = ChaCha12Rng::seed_from_u64(4);
    let (mut weights, blocks) = (Vec::new(), blocks(1_300));
    for cells in [
        |values: &[f64], _: &[u32], statistic| Cells::of_values(values, statistic),
        |values: &[f64], blocks: &[u32], statistic| {
            let all: Vec<u32> = (0..130).collect();
            Cells::of_blocks(&side(values, blocks), &all, statistic)
        },
    ] {
        let (mean, order) = (
            cells(&values, &blocks, Statistic::Mean).unwrap(),
            cells(&values, &blocks, Statistic::Quantile(q)).unwrap(),
        );
        let together = values.len().div_ceil(mean.count());
        for _ in 0..20 {
            runs::draw(&mut random, mean.count(), 7, &mut weights);
            let times = |i: usize| weights[i / together] as usize;
            let mut written: Vec<f64> =
                values.iter().enumerate().flat_map(|(i, x)| std::iter::repeat_n(*x, times(i))).collect();
            written.sort_unstable_by(f64::total_cmp);
            assert!((mean.value(&weights) - crate::moments::mean(&written)).abs() < 1e-9);
            assert!((order.value(&weights) - quantile(&written, q)).abs() < 1e-12);
        }
    }
}

#[test]
fn a_resample_is_as_large_as_the_sample_and_made_of_runs() {
    let mut random = ChaCha12Rng::seed_from_u64(1);
    let mut weights = Vec::new();
    for (cells, run) in [(10, 1), (10, 3), (7, 7), (100, 9)] {
        runs::draw(&mut random, cells, run, &mut weights);
        assert_eq!(weights.iter().sum::<u32>() as usize, cells);
        let jumps = (0..cells).filter(|&i| weights[i] != weights[(i + 1) % cells]).count();
        assert!(jumps <= 2 * cells.div_ceil(run), "{jumps} ends of runs of {run} in {cells}");
    }
}

#[test]
fn runs_are_single_where_values_are_independent_and_grow_as_they_lean() {
    let length = |by: f64| {
        let mut lengths: Vec<usize> = (0..21)
            .map(|seed| runs::length(&Cells::of_values(&values(400, by, seed), Statistic::Mean).unwrap().influence))
            .collect();
        lengths.sort_unstable();
        lengths[10]
    };
    let lengths = [0.0, 0.5, 0.8].map(length);
    assert!(lengths[0] <= 2 && lengths[0] < lengths[1] && lengths[1] < lengths[2], "{lengths:?}");
}

#[test]
fn an_interval_is_wider_where_values_lean_on_each_other() {
    let of = |by: f64| {
        (0..9).map(|seed| width(interval(side(&values(500, by, seed), &[]), Statistic::Mean, 0.95, 1))).sum::<f64>()
    };
    // √3 of the error of independent values is what leaning by a half makes.
    let ratio = of(0.5) / of(0.0);
    assert!((1.4..2.2).contains(&ratio), "{ratio}");
}

#[test]
fn the_same_seed_gives_the_same_interval_and_another_nearly_the_same() {
    let values = values(300, 0.3, 8);
    for statistic in [Statistic::Mean, Statistic::Quantile(0.5), Statistic::Quantile(0.95)] {
        let by = |seed| interval(side(&values, &[]), statistic, 0.95, seed).unwrap();
        assert_eq!(by(1), by(1));
        let all: Vec<Estimate> = (0..8).map(by).collect();
        for other in &all {
            let moved = (other.high.unwrap() - all[0].high.unwrap()).abs() / width(Some(all[0]));
            assert!(moved < 0.25, "{statistic:?} moved by {moved}");
        }
    }
}

#[test]
fn more_confidence_is_wider() {
    let values = values(300, 0.0, 5);
    let of = |confidence| width(interval(side(&values, &[]), Statistic::Quantile(0.5), confidence, 1));
    assert!(of(0.8) < of(0.95) && of(0.95) < of(0.99));
}

#[test]
fn troubles_that_blocks_share_cancel_where_they_are_paired() {
    let (n, blocks) = (200, blocks(200));
    let troubles = values(20, 0.0, 1);
    let of = |seed| -> Vec<f64> {
        values(n, 0.0, seed).iter().enumerate().map(|(i, x)| x * troubles[i / 10].powi(2)).collect()
    };
    let (a, b) = (of(2), of(3));
    let by = |design| width(difference(side(&a, &blocks), side(&b, &blocks), Statistic::Mean, design, 0.95, 1));
    assert!(by(Design::Paired) < 0.8 * by(Design::Independent));
}

#[test]
fn few_blocks_are_not_paired() {
    let blocks: Vec<u32> = (0..70).map(|i| i / 10).collect();
    let (a, b) = (values(70, 0.0, 1), values(70, 0.0, 2));
    let by = |design| difference(side(&a, &blocks), side(&b, &blocks), Statistic::Mean, design, 0.95, 1);
    assert_eq!(by(Design::Paired), by(Design::Independent));
}

#[test]
fn a_ratio_and_a_difference_agree_on_who_is_larger() {
    let a = values(400, 0.0, 1);
    let b: Vec<f64> = values(400, 0.0, 2).iter().map(|x| x * 1.5).collect();
    let (a, b) = (side(&a, &[]), side(&b, &[]));
    let by = difference(a, b, Statistic::Quantile(0.5), Design::Independent, 0.95, 1).unwrap();
    let of = ratio(a, b, Statistic::Quantile(0.5), Design::Independent, 0.95, 1).unwrap();
    assert!(by.high.unwrap() < 0.0 && of.high.unwrap() < 1.0, "{by:?} {of:?}");
    assert!((0.55..0.8).contains(&of.value), "{of:?}");
}

#[test]
fn a_sample_that_does_not_carry_an_interval_gets_none() {
    let of = |n, statistic| interval(side(&values(n, 0.0, 1), &[]), statistic, 0.95, 1);
    for (n, statistic, given) in [
        (0, Statistic::Mean, false),
        (4, Statistic::Mean, false),
        (14, Statistic::Mean, false),
        (30, Statistic::Mean, true),
        (5, Statistic::Quantile(0.5), false),
        (70, Statistic::Quantile(0.95), false),
        (100, Statistic::Quantile(0.95), true),
        (360, Statistic::Quantile(0.99), false),
        (500, Statistic::Quantile(0.99), true),
    ] {
        assert_eq!(of(n, statistic).is_some(), given, "{n} {statistic:?}");
    }
    assert_eq!(interval(side(&[1.0, f64::NAN, 2.0, 3.0, 1.0, 2.0], &[]), Statistic::Mean, 0.95, 1), None);
    let zeros = [0.0; 20];
    let (a, b) = (side(&zeros, &[]), side(&zeros, &[]));
    assert_eq!(ratio(a, b, Statistic::Mean, Design::Independent, 0.95, 1), None);
}

#[test]
fn values_all_alike_have_an_interval_of_no_width() {
    for statistic in [Statistic::Mean, Statistic::Quantile(0.5)] {
        let found = interval(side(&[3.0; 50], &[]), statistic, 0.95, 1);
        assert_eq!(found, Some(Estimate { value: 3.0, low: Some(3.0), high: Some(3.0) }));
    }
}
