//! Against SciPy 1.17.1 and numpy 2.4.6, by a script of their public functions: `stats.t.ppf`,
//! `stats.t.interval`, `stats.binom.cdf` and `sf`, `binomtest(…).proportion_ci(method="wilson")`.

use proptest::prelude::*;

use super::*;

const VALUES: [f64; 10] = [3.1, 4.7, 4.9, 5.2, 6.0, 6.3, 8.8, 9.1, 12.5, 40.0];

#[track_caller]
fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{got} is not {expected}");
}

#[track_caller]
fn near_all(got: Estimate, expected: [f64; 3]) {
    near(got.value, expected[0]);
    near(got.low.unwrap(), expected[1]);
    near(got.high.unwrap(), expected[2]);
}

#[test]
fn t_points_are_those_of_scipy() {
    for (freedom, expected) in [
        (1.0, 12.706_204_736_174_694),
        (2.0, 4.302_652_729_749_462),
        (5.0, 2.570_581_835_636_314_6),
        (9.0, 2.262_157_162_798_205),
        (19.0, 2.093_024_054_408_308_7),
        (99.0, 1.984_216_951_586_417_4),
        (999.0, 1.962_341_461_133_449_3),
        (1000.0, 1.962_339_080_826_408_3),
        (1001.0, 1.962_336_705_280_879_8),
        (5000.0, 1.960_438_551_706_507_3),
        (1e5, 1.959_987_707_534_609_5),
        (1e6, 1.959_966_356_814_107),
    ] {
        near(t_point(freedom), expected);
    }
}

#[test]
fn the_mean_has_the_interval_of_scipy() {
    near_all(mean(&VALUES), [10.06, 2.285_928_329_836_149_7, 17.834_071_670_163_848]);
    assert_eq!(mean(&[7.0]), Estimate { value: 7.0, low: None, high: None });
}

#[test]
fn the_standard_deviation_has_bonetts_interval() {
    // By his formula in numpy, with `scipy.stats.trim_mean`.
    near_all(sd(&VALUES).unwrap(), [10.867_402_838_049_413, 3.316_396_685_551_854_5, 44.292_180_936_728_45]);
    assert_eq!(sd(&[1.0]), None);
    assert_eq!(sd(&[2.0; 9]), Some(Estimate { value: 0.0, low: None, high: None }));
}

#[test]
fn a_ratio_of_sums_has_the_linearised_interval() {
    let pairs = [(12.0, 3.0), (15.0, 3.2), (9.0, 2.9), (14.0, 3.1), (11.0, 3.0)];
    near_all(ratio(&pairs), [4.013_157_894_736_842_5, 3.218_803_943_920_328_4, 4.807_511_845_553_357]);
    assert_eq!(ratio(&pairs[..2]).low, None);
}

#[test]
fn proportions_have_wilsons_interval() {
    for (hits, n, low, high) in [
        (0, 10, 0.0, 0.277_532_799_862_889_26),
        (10, 10, 0.722_467_200_137_110_7, 1.0),
        (8, 10, 0.490_162_471_536_641_8, 0.943_317_848_545_624_8),
        (190, 200, 0.910_421_851_861_224, 0.972_617_354_399_236_1),
        (1, 1000, 0.000_176_546_370_626_078_09, 0.005_642_558_597_957_935_5),
    ] {
        let got = wilson(hits, n);
        near(got.0, low);
        near(got.1, high);
    }
    assert_eq!(wilson(0, 0), (0.0, 1.0));
    // None and all are their own ends, without a remainder of rounding: people see one.
    assert!((1..500).all(|n| wilson(0, n).0 <= 0.0 && wilson(n, n).1 >= 1.0));
}

#[test]
fn ranks_are_those_of_the_binomial_distribution() {
    for (n, q, low, high) in [
        (20, 0.5, 6, 15),
        (36, 0.9, 29, 36),
        (72, 0.95, 64, 72),
        (100, 0.95, 90, 100),
        (368, 0.99, 360, 368),
        (1_000, 0.99, 983, 997),
        (10_000, 0.5, 4_902, 5_099),
        (100_000, 0.999, 99_880, 99_920),
        (1_000_000, 0.5, 499_020, 500_981),
        (1_000_000, 0.99, 989_805, 990_196),
    ] {
        assert_eq!(ranks(n, q), (Some(low), Some(high)), "{n} values at {q}");
    }
    assert_eq!(ranks(35, 0.9), (Some(28), None));
    assert_eq!(ranks(367, 0.99), (Some(359), None));
    assert_eq!(ranks(5, 0.5), (None, None));
    assert_eq!(ranks(0, 0.5), (None, None));
}

#[test]
fn a_percentile_is_given_from_the_first_number_that_carries_it() {
    for (q, needed) in [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.1, 36), (0.999, 3_688)] {
        assert_eq!(values_needed(q), needed, "at {q}");
        let values: Vec<f64> = (0..needed).map(|i| i as f64).collect();
        assert!(percentile(&values, q).known().is_some(), "{needed} values at {q}");
        let fewer = &values[1..];
        assert_eq!(percentile(fewer, q), Percentile::Withheld { needs_more: 1 }, "one less at {q}");
    }
    assert_eq!(percentile(&[1.0; 20], 0.95), Percentile::Withheld { needs_more: 52 });
}

#[test]
fn more_trials_are_asked_for_the_closer_it_is() {
    assert_eq!(trials_to_tell(0.98, 0.95), Some(203));
    assert_eq!(trials_to_tell(0.95, 0.95), None);
}

proptest! {
    #[test]
    fn a_percentile_lies_within_its_interval(
        mut values in prop::collection::vec(0.0..1e9f64, 1..600),
        q in 0.01..0.99f64,
    ) {
        values.sort_unstable_by(f64::total_cmp);
        match percentile(&values, q) {
            Percentile::Known(e) => {
                prop_assert!(e.low.unwrap() <= e.value && e.value <= e.high.unwrap());
                prop_assert!(values.len() as u64 >= values_needed(q));
            }
            Percentile::Withheld { needs_more } => {
                prop_assert_eq!(values.len() as u64 + needs_more, values_needed(q));
            }
        }
    }

    #[test]
    fn wilsons_interval_holds_the_share_and_stays_within_zero_and_one(n in 1u64..10_000, missed in 0u64..10_000) {
        let hits = n.saturating_sub(missed);
        let (low, high) = wilson(hits, n);
        let share = hits as f64 / n as f64;
        prop_assert!(0.0 <= low && low <= share + 1e-12 && share - 1e-12 <= high && high <= 1.0);
    }
}
