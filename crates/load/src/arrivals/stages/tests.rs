use proptest::prelude::*;

use super::*;

fn stages(levels: &[(f64, f64, u64)]) -> Vec<Stage> {
    let stage = |&(from, to, ms)| Stage { name: String::new(), from, to, length_ns: Nanos::from_millis(ms) };
    levels.iter().map(stage).collect()
}

/// Offsets of slots at the whole numbers of the cumulative rate.
fn offsets(levels: &[(f64, f64, u64)]) -> Vec<Nanos> {
    let mut stages = Stages::new(&stages(levels));
    (0_u32..).map_while(|slots| stages.offset(slots.into())).collect()
}

#[track_caller]
fn check(levels: &[(f64, f64, u64)], expected_ms: &[u64]) {
    let rounded: Vec<u64> = offsets(levels).iter().map(|at| (at.0 + 500_000) / 1_000_000).collect();
    assert_eq!(rounded, expected_ms, "{levels:?}");
}

#[test]
fn slots_leave_when_the_area_under_the_rate_reaches_their_number() {
    check(&[(2.0, 2.0, 2000)], &[0, 500, 1000, 1500]);
    check(&[(2.0, 2.0, 1000), (4.0, 4.0, 1000)], &[0, 500, 1000, 1250, 1500, 1750]);
    // t² / 2 = k, and 2t − t² / 2 = k.
    check(&[(0.0, 2.0, 2000)], &[0, 1414]);
    check(&[(2.0, 0.0, 2000)], &[0, 586]);
    check(&[(0.0, 4.0, 2000), (4.0, 0.0, 2000)], &[0, 1000, 1414, 1732, 2000, 2268, 2586, 3000]);
}

#[test]
fn a_part_of_a_slot_is_carried_into_the_next_stage() {
    check(&[(1.5, 1.5, 1000), (1.5, 1.5, 1000)], &[0, 667, 1333]);
    check(&[(0.5, 0.5, 1000), (0.5, 0.5, 1000), (1.0, 1.0, 1000)], &[0, 2000]);
}

#[test]
fn nothing_leaves_at_rate_zero() {
    check(&[(2.0, 2.0, 1000), (0.0, 0.0, 1000), (2.0, 2.0, 1000)], &[0, 500, 2000, 2500]);
    check(&[(0.0, 0.0, 1000), (1.0, 1.0, 2000)], &[1000, 2000]);
    check(&[(1.0, 1.0, 1000), (0.0, 0.0, 1000)], &[0]);
    check(&[(0.0, 0.0, 1000)], &[]);
    check(&[], &[]);
}

#[test]
fn an_unlawful_level_counts_as_none() {
    check(&[(f64::NAN, f64::NEG_INFINITY, 1000), (-3.0, -3.0, 1000), (1.0, 1.0, 1000)], &[2000]);
    check(&[(5.0, 5.0, 0), (1.0, 1.0, 1000)], &[0]);
}

#[test]
fn a_rounding_error_is_no_slot_more() {
    for (tenths, seconds) in (1..60_u32).flat_map(|tenths| (1..60_u32).map(move |seconds| (tenths, seconds))) {
        let (level, length) = (f64::from(tenths) / 10.0, u64::from(seconds) * 1000);
        let expected = (tenths * seconds).div_ceil(10) as usize;
        assert_eq!(offsets(&[(level, level, length)]).len(), expected, "{level}/s for {seconds} s");
        let halved = (tenths * seconds).div_ceil(20) as usize;
        assert_eq!(offsets(&[(0.0, level, length)]).len(), halved, "0..{level}/s for {seconds} s");
        assert_eq!(offsets(&[(level, 0.0, length)]).len(), halved, "{level}..0/s for {seconds} s");
    }
}

#[test]
fn no_slot_leaves_at_the_end_however_near_it_is() {
    let last = offsets(&[(3e9, 3e9, 1)]).last().copied();
    assert_eq!(last, Some(Nanos(999_999)));
}

/// The area under the rate up to `until`, by the trapezoid rule, which is exact here.
fn area(levels: &[(f64, f64, u64)], until: Nanos) -> f64 {
    let mut begins = 0.0;
    let mut sum = 0.0;
    for &(from, to, ms) in levels {
        let length = ms as f64 / 1e3;
        let inside = (until.as_secs_f64() - begins).clamp(0.0, length);
        sum += inside * f64::midpoint(from, from + (to - from) * inside / length);
        begins += length;
    }
    sum
}

proptest! {
    #[test]
    fn as_many_slots_have_left_as_the_area_says(
        levels in prop::collection::vec((0.0_f64..50.0, 0.0_f64..50.0, 1_u64..5_000), 1..6),
    ) {
        let offsets = offsets(&levels);
        prop_assert!(offsets.is_sorted());
        for (k, at) in offsets.iter().enumerate() {
            let area = area(&levels, *at);
            prop_assert!((area - k as f64).abs() < 1e-6, "slot {k} at {at} of {levels:?}: {area}");
        }
        let end = Nanos::from_millis(levels.iter().map(|level| level.2).sum());
        prop_assert!(offsets.iter().all(|at| *at < end));
        prop_assert!((area(&levels, end) - offsets.len() as f64) < 1e-6);
    }
}
