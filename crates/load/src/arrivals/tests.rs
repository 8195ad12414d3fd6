use proptest::prelude::*;
use schema::plan::{Arrival, WhenFull};
use schema::units::{Moment, Nanos, Rate};

use super::*;

const BEGIN: Moment = Moment(5_000_000_000);

fn open(arrival: Arrival, per_second: f64) -> Load {
    let rate_per_s = Rate::per_second(per_second).unwrap();
    Load::Open { rate_per_s, arrival, max_concurrency: 1, when_full: WhenFull::NotSent }
}

fn schedule(arrival: Arrival, per_second: f64, seed: u64, segment: Segment) -> Schedule {
    super::schedule(&open(arrival, per_second), &Arc::default(), seed, 100, BEGIN, 100, segment).unwrap()
}

fn gaps_in_seconds(arrivals: Schedule, count: usize) -> Vec<f64> {
    let mut previous = BEGIN;
    arrivals
        .take(count)
        .map(|slot| {
            let gap = (slot.scheduled - previous).as_secs_f64();
            previous = slot.scheduled;
            gap
        })
        .collect()
}

#[test]
fn constant_slots_leave_at_equal_gaps_from_the_beginning() {
    let slots: Vec<Slot> = schedule(Arrival::Constant, 4.0, 1, Segment::WHOLE).take(3).collect();
    let quarter = Nanos::from_millis(250);
    assert_eq!(
        slots,
        [
            Slot { index: 100, scheduled: BEGIN, stream: 0 },
            Slot { index: 101, scheduled: BEGIN + quarter, stream: 0 },
            Slot { index: 102, scheduled: BEGIN + quarter + quarter, stream: 0 },
        ]
    );
}

#[test]
fn rounding_does_not_add_up() {
    let slot = schedule(Arrival::Constant, 3.0, 1, Segment::WHOLE).nth(3_000_000).unwrap();
    assert_eq!(slot.scheduled, BEGIN + Nanos::from_secs(1_000_000));
}

/// Exponential gaps of mean 1/8 have a standard deviation of 1/8. Over 40,000 gaps the mean is known
/// to 0.5 % and the variance to 1.4 % (one standard error); five of each are allowed.
#[test]
fn poisson_gaps_are_exponential_whatever_the_seed() {
    for seed in [1, 2, 3, u64::MAX] {
        let gaps = gaps_in_seconds(schedule(Arrival::Poisson, 8.0, seed, Segment::WHOLE), 40_000);
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        let longer_than_mean = gaps.iter().filter(|gap| **gap > 0.125).count() as f64 / gaps.len() as f64;
        assert!((mean * 8.0 - 1.0).abs() < 0.025, "seed {seed}: mean {mean}");
        assert!((variance * 64.0 - 1.0).abs() < 0.07, "seed {seed}: variance {variance}");
        assert!((longer_than_mean - (-1.0_f64).exp()).abs() < 0.0125, "seed {seed}: {longer_than_mean}");
    }
}

#[test]
fn neighbouring_poisson_gaps_know_nothing_of_each_other() {
    let gaps = gaps_in_seconds(schedule(Arrival::Poisson, 1.0, 9, Segment::WHOLE), 40_000);
    let products: f64 = gaps.windows(2).map(|pair| (pair[0] - 1.0) * (pair[1] - 1.0)).sum();
    assert!((products / gaps.len() as f64).abs() < 0.025);
}

#[test]
fn blocks_of_one_seed_have_gaps_of_their_own() {
    let load = open(Arrival::Poisson, 1.0);
    let whole = |block| super::schedule(&load, &Arc::default(), 7, block, BEGIN, 0, Segment::WHOLE).unwrap();
    let first = |block| whole(block).next().unwrap().scheduled;
    assert_ne!(first(0), first(1));
    assert_eq!(first(1), first(1));
}

/// Pinned: a plan's seed must give the same schedule in the next version too.
#[test]
fn a_seed_keeps_its_schedule() {
    let slots: Vec<u64> =
        schedule(Arrival::Poisson, 10.0, 42, Segment::WHOLE).take(3).map(|slot| slot.scheduled.0).collect();
    assert_eq!(slots, [5_124_497_569, 5_137_061_782, 5_339_665_403]);
}

proptest! {
    #[test]
    fn segments_together_are_the_whole_schedule(
        poisson: bool, seed: u64, per_second in 0.01_f64..100_000.0, of in 1_u32..9, count in 1_usize..300,
    ) {
        let arrival = if poisson { Arrival::Poisson } else { Arrival::Constant };
        let whole: Vec<Slot> = schedule(arrival, per_second, seed, Segment::WHOLE).take(count).collect();
        let mut parts: Vec<Slot> = Segment::all(of)
            .flat_map(|segment| {
                let share = usize::try_from(segment.share(count as u64)).unwrap();
                schedule(arrival, per_second, seed, segment).take(share)
            })
            .collect();
        parts.sort_unstable_by_key(|slot| slot.index);
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn slots_never_go_back_in_time(poisson: bool, seed: u64, per_second in 1e-6_f64..1e7) {
        let arrival = if poisson { Arrival::Poisson } else { Arrival::Constant };
        let slots: Vec<Slot> = schedule(arrival, per_second, seed, Segment::WHOLE).take(100).collect();
        prop_assert!(slots.is_sorted_by_key(|slot| slot.scheduled));
        prop_assert!(slots[0].scheduled >= BEGIN);
    }
}
