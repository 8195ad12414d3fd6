use proptest::prelude::*;

use super::*;

/// So many numbers, spread over the bits of `mask`.
fn numbers(count: usize, mask: u64) -> Vec<u64> {
    let next = |seed: &u64| Some(seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(7), next).map(|seed| (seed >> 7) & mask).take(count).collect()
}

#[track_caller]
fn check(values: &[f64]) {
    let mut expected = values.to_vec();
    expected.sort_by(f64::total_cmp);
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&ascending(values)), bits(&expected));
}

#[test]
fn few_and_many_numbers_are_sorted_alike() {
    for count in [0, 1, 2, FEW - 1, FEW, 3 * FEW + 1] {
        for mask in [0, 1, 0x7ff, 0x3ff_ffff, u64::MAX >> 20, u64::MAX] {
            let mut sorted = numbers(count, mask);
            let mut expected = sorted.clone();
            expected.sort_unstable();
            sort_by_key(&mut sorted, |number| number);
            assert_eq!(sorted, expected, "{count} numbers in {mask:x}");
        }
    }
}

#[test]
fn any_floats_are_sorted_as_total_cmp_does() {
    let odd = [0.0, -0.0, 1.0, -1.0, f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
    check(&odd);
    let any = numbers(2 * FEW, u64::MAX).into_iter().map(f64::from_bits);
    check(&any.chain(odd).collect::<Vec<_>>());
}

#[test]
fn equal_values_stay_in_the_order_of_their_places() {
    let values: Vec<f64> = numbers(2 * FEW, 0xff).into_iter().map(|number| number as f64).collect();
    let sorted = with_places(values.iter().copied());
    assert!(sorted.windows(2).all(|pair| pair[0].0 < pair[1].0 || (pair[0].0 <= pair[1].0 && pair[0].1 < pair[1].1)));
    assert!(sorted.iter().all(|(value, place)| values[*place as usize].to_bits() == value.to_bits()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn sorted_values_are_the_same_values(values in prop::collection::vec(any::<f64>(), FEW..FEW + 200)) {
        check(&values);
    }
}
