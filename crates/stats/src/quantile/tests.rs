//! Against numpy 2.4.6, `numpy.quantile` with its default method.

use proptest::prelude::*;

use super::quantile;

#[test]
fn quantiles_are_those_of_numpy() {
    let values = [3.1, 4.7, 4.9, 5.2, 6.0, 6.3, 8.8, 9.1, 12.5, 40.0];
    for (q, expected) in [
        (0.0, 3.1),
        (0.05, 3.82),
        (0.1, 4.54),
        (0.25, 4.975),
        (0.5, 6.15),
        (0.9, 15.25),
        (0.95, 27.625),
        (0.99, 37.525),
        (1.0, 40.0),
    ] {
        assert!((quantile(&values, q) - expected).abs() < 1e-9, "{q}");
    }
    assert!(quantile::<f64>(&[], 0.5).is_nan());
    assert!((quantile(&[7.0], 0.99) - 7.0).abs() < 1e-12);
}

proptest! {
    #[test]
    fn quantiles_are_ordered_and_within_the_values(
        mut values in prop::collection::vec(-1e9..1e9f64, 1..200),
        a in 0.0..=1.0f64,
        b in 0.0..=1.0f64,
    ) {
        values.sort_unstable_by(f64::total_cmp);
        let (low, high) = (quantile(&values, a.min(b)), quantile(&values, a.max(b)));
        prop_assert!(low <= high + 1e-3);
        prop_assert!(values[0] <= low && high <= values[values.len() - 1] + 1e-3);
    }
}
