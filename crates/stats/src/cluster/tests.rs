//! What clustering changes, and whether the intervals cover what they claim to.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;

use super::*;

fn clusters(groups: &[Vec<f64>]) -> (Clusters<f64>, Vec<f64>) {
    let clusters = Clusters::of(0, groups.iter().map(|group| group.iter().copied().map(Some))).unwrap();
    let mut sorted = clusters.values().to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    (clusters, sorted)
}

/// Requests of 16 to 64 gaps, each with its own pace between 5 and 15 and gaps up to twice that.
fn requests(rng: &mut ChaCha12Rng, n: usize) -> Vec<Vec<f64>> {
    let one = |rng: &mut ChaCha12Rng| {
        let (pace, gaps) = (rng.random_range(5.0..15.0), rng.random_range(16..=64));
        (0..gaps).map(|_| pace * rng.random_range(0.0..2.0)).collect()
    };
    (0..n).map(|_| one(rng)).collect()
}

#[test]
fn gaps_that_resemble_each_other_count_for_less() {
    let alike: Vec<Vec<f64>> = (0..40).map(|i| vec![f64::from(i); 50]).collect();
    let mixed: Vec<Vec<f64>> = (0..50).map(|_| (0..40).map(f64::from).collect()).collect();
    let width = |groups: &[Vec<f64>]| {
        let (clusters, sorted) = clusters(groups);
        let p50 = clusters.percentile(&sorted, 0.5);
        let p50 = p50.known().unwrap();
        p50.high.unwrap() - p50.low.unwrap()
    };
    // The same two thousand values: forty requests' worth, or two thousand.
    assert!(width(&alike) >= 12.0, "{}", width(&alike));
    assert!(width(&mixed) <= 3.0, "{}", width(&mixed));
}

#[test]
fn a_percentile_waits_for_enough_requests_however_many_gaps_they_have() {
    for (requests, q, expected) in
        [(5, 0.5, false), (6, 0.5, true), (35, 0.9, false), (36, 0.9, true), (36, 0.99, true)]
    {
        let groups: Vec<Vec<f64>> = (0..requests).map(|_| (0..1_000).map(f64::from).collect()).collect();
        let (clusters, sorted) = clusters(&groups);
        let percentile = clusters.percentile(&sorted, q);
        assert_eq!(percentile.known().is_some(), expected, "{requests} requests at {q}");
        if !expected {
            assert_eq!(percentile, Percentile::Withheld { needs_more: 1_000 });
        }
    }
}

#[test]
fn one_request_alone_has_no_interval() {
    let (clusters, sorted) = clusters(&[vec![1.0, 2.0, 3.0]]);
    assert!(clusters.percentile(&sorted, 0.5).known().is_none());
    assert_eq!(clusters.mean().low, None);
    assert_eq!(clusters.sd().unwrap().low, None);
}

#[test]
fn requests_without_gaps_are_no_clusters() {
    let (clusters, _) = clusters(&[vec![1.0], Vec::new(), vec![2.0]]);
    assert_eq!(clusters.count(), 2);
    assert!(clusters.are_single());
}

/// 400 samples of 60 requests each: 95 % intervals hold the truth about 380 times. Taking the gaps
/// for independent values, they would hold it far less often.
#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let mut rng = ChaCha12Rng::seed_from_u64(7);
    let (all, all_sorted) = clusters(&requests(&mut rng, 5_000));
    let truths = [all.mean().value, all.sd().unwrap().value, quantile(&all_sorted, 0.5), quantile(&all_sorted, 0.95)];
    let (mut held, mut held_if_independent) = ([0; 4], 0);
    let holds = |e: &Estimate, truth| i32::from(e.low.unwrap() <= truth && truth <= e.high.unwrap());
    for _ in 0..400 {
        let (sample, sorted) = clusters(&requests(&mut rng, 60));
        let known = |q| *sample.percentile(&sorted, q).known().unwrap();
        let estimates = [sample.mean(), sample.sd().unwrap(), known(0.5), known(0.95)];
        for ((held, estimate), truth) in held.iter_mut().zip(estimates).zip(truths) {
            *held += holds(&estimate, truth);
        }
        held_if_independent += holds(crate::interval::percentile(&sorted, 0.5).known().unwrap(), truths[2]);
    }
    for (held, what) in held.iter().zip(["mean", "sd", "p50", "p95"]) {
        assert!((365..=398).contains(held), "{what}: {held} of 400");
    }
    assert!(held_if_independent < 320, "{held_if_independent} of 400");
}

/// Against the formulas written out in numpy 2.4.6 with `scipy.stats` 1.17.1.
#[test]
fn intervals_are_those_of_a_second_implementation() {
    let gap = |i: u32, j: u32| 10.0 + f64::from(i * 7 % 11) + 0.5 * f64::from(j) + f64::from(i * j % 3);
    let groups: Vec<Vec<f64>> = (1..=40).map(|i| (0..5 + i % 10).map(|j| gap(i, j)).collect()).collect();
    let (clusters, sorted) = clusters(&groups);
    let known = |q| *clusters.percentile(&sorted, q).known().unwrap();
    for (got, expected) in [
        (clusters.mean(), [18.257_894_736_842_104, 17.189_448_225_443_69, 19.326_341_248_240_517]),
        (clusters.sd().unwrap(), [3.657_401_616_612_058_4, 3.202_636_911_432_301_2, 4.052_886_242_745_269]),
        (known(0.5), [18.0, 16.5, 20.0]),
        (known(0.9), [23.0, 22.0, 24.5]),
        (known(0.95), [24.025, 23.5, 26.0]),
    ] {
        for (got, expected) in [got.value, got.low.unwrap(), got.high.unwrap()].into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
        }
    }
}
