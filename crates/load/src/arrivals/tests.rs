use proptest::prelude::*;
use schema::plan::{Arrival, Stage, WhenFull};
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

#[test]
fn gamma_and_stages_keep_their_schedule_too() {
    let two = |load: &Load| {
        let slots = super::schedule(load, &Arc::default(), 42, 0, Moment::EPOCH, 0, Segment::WHOLE).unwrap();
        slots.take(2).map(|slot| slot.scheduled.0).collect::<Vec<_>>()
    };
    assert_eq!(two(&open(Arrival::Gamma(0.5), 10.0)), [72_988_168, 92_305_443]);
    assert_eq!(two(&rising(Arrival::Poisson)), [517_894_288, 799_403_919]);
}

fn rising(arrival: Arrival) -> Load {
    let stage = |from, to| Stage { name: String::new(), from, to, length_ns: Nanos::from_secs(20) };
    let stages = vec![stage(0.0, 100.0), stage(100.0, 100.0)];
    Load::RateStages { stages, arrival, max_concurrency: 1, when_full: WhenFull::NotSent }
}

/// Slots of a seed's schedule that are due in each quarter of 40 s.
fn quarters(arrival: Arrival, seed: u64) -> [u32; 4] {
    let mut counts = [0; 4];
    let slots = super::schedule(&rising(arrival), &Arc::default(), seed, 0, BEGIN, 0, Segment::WHOLE).unwrap();
    for slot in slots {
        counts[usize::try_from((slot.scheduled - BEGIN).0 / Nanos::from_secs(10).0).unwrap()] += 1;
    }
    counts
}

#[test]
fn constant_stages_hold_exactly_what_they_should() {
    assert_eq!(quarters(Arrival::Constant, 1), [250, 750, 1000, 1000]);
}

/// Counts of a Poisson process vary by their root: 250 ± 15.8, the mean of 100 of them by 1.58; those of gamma gaps
/// of shape `k` by that over `√k`. Five standard errors are allowed.
#[test]
fn random_stages_hold_on_average_what_they_should() {
    for (arrival, shape) in [(Arrival::Poisson, 1.0), (Arrival::Gamma(4.0), 4.0)] {
        let seeds = (0..100).map(|seed| quarters(arrival, seed));
        let sums = seeds.fold([0; 4], |sums: [u32; 4], counts| std::array::from_fn(|i| sums[i] + counts[i]));
        for (sum, expected) in sums.into_iter().zip([250.0, 750.0, 1000.0, 1000.0_f64]) {
            let off = (f64::from(sum) / 100.0 - expected).abs();
            assert!(off < 5.0 * (expected / shape / 100.0).sqrt() + 0.5, "{arrival}: {sums:?}");
        }
    }
}

#[test]
fn each_block_begins_at_the_beginning_of_its_waves_and_trace() {
    let offsets: Arc<[Nanos]> = [0, 5, 9].map(Nanos).into();
    for load in [crowd(2, 2, 7), replay(1.0)] {
        let slots = |block, begin, first| {
            let slots = super::schedule(&load, &offsets, 1, block, begin, first, Segment::WHOLE).unwrap();
            slots.map(|slot| (slot.index - first, slot.scheduled - begin)).collect::<Vec<_>>()
        };
        assert_eq!(slots(0, Moment(0), 0), slots(1, BEGIN, 1_000));
    }
}

#[test]
fn a_load_whose_answers_decide_has_no_schedule() {
    for load in [Load::Closed { concurrency: 3 }, Load::StreamStages { stages: Vec::new() }] {
        assert!(super::schedule(&load, &Arc::default(), 1, 0, BEGIN, 0, Segment::WHOLE).is_none());
    }
}

#[test]
fn a_schedule_that_is_over_stays_over() {
    let mut slots = super::schedule(&crowd(1, 1, 0), &Arc::default(), 1, 0, BEGIN, 0, Segment::WHOLE).unwrap();
    assert_eq!([slots.next().is_some(), slots.next().is_some(), slots.next().is_some()], [true, false, false]);
}

fn crowd(users: u32, waves: u32, every_ns: u64) -> Load {
    Load::Crowd { users, waves, every_ns: Nanos(every_ns) }
}

fn replay(speed: f64) -> Load {
    Load::Replay { trace: "trace.csv".into(), speed, max_concurrency: 1, when_full: WhenFull::NotSent }
}

fn any_arrival() -> impl Strategy<Value = Arrival> {
    prop_oneof![Just(Arrival::Constant), Just(Arrival::Poisson), (0.05_f64..50.0).prop_map(Arrival::Gamma)]
}

prop_compose! {
    fn any_stage()(from in 0.0_f64..20.0, to in 0.0_f64..20.0, ms in 1_u64..5_000) -> Stage {
        Stage { name: String::new(), from, to, length_ns: Nanos::from_millis(ms) }
    }
}

/// Every kind that has a schedule.
fn any_open() -> impl Strategy<Value = Load> {
    let when_full = WhenFull::NotSent;
    prop_oneof![
        (any_arrival(), 1e-3_f64..1e7).prop_map(|(arrival, per_second)| open(arrival, per_second)),
        (any_arrival(), prop::collection::vec(any_stage(), 0..5)).prop_map(move |(arrival, stages)| Load::RateStages {
            stages,
            arrival,
            max_concurrency: 1,
            when_full
        }),
        (0_u32..20, 0_u32..8, 0_u64..1_000).prop_map(|(users, waves, every)| crowd(users, waves, every)),
        (0.01_f64..100.0).prop_map(replay),
    ]
}

fn any_trace() -> impl Strategy<Value = Arc<[Nanos]>> {
    prop::collection::vec(0_u64..1_000_000_000, 0..100).prop_map(|mut offsets| {
        offsets.sort_unstable();
        offsets.into_iter().map(Nanos).collect()
    })
}

proptest! {
    #[test]
    fn segments_together_are_the_whole_schedule(
        load in any_open(), trace in any_trace(), seed: u64, block: u32, of in 1_u32..9, count in 1_usize..300,
    ) {
        let slots = |segment| super::schedule(&load, &trace, seed, block, BEGIN, 100, segment).unwrap();
        let whole: Vec<Slot> = slots(Segment::WHOLE).take(count).collect();
        let mut parts: Vec<Slot> = Segment::all(of)
            .flat_map(|segment| slots(segment).take_while(|slot| slot.index < 100 + count as u64))
            .collect();
        parts.sort_unstable_by_key(|slot| slot.index);
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn slots_are_numbered_in_the_order_of_their_moments(load in any_open(), trace in any_trace(), seed: u64) {
        let slots = super::schedule(&load, &trace, seed, 0, BEGIN, 7, Segment::WHOLE).unwrap();
        let slots: Vec<Slot> = slots.take(100).collect();
        prop_assert!(slots.is_sorted_by_key(|slot| slot.scheduled));
        prop_assert!(slots.iter().zip(7..).all(|(slot, number)| slot.index == number));
        prop_assert!(slots.iter().all(|slot| slot.scheduled >= BEGIN));
    }
}

#[test]
fn a_fitted_schedule_holds_just_as_many_slots_as_its_rate_says() {
    let length = Nanos::from_secs(5);
    for arrival in [Arrival::Constant, Arrival::Poisson, Arrival::Gamma(0.3)] {
        for (seed, rate) in [(1, 0.4), (2, 20.0), (3, 101.9)] {
            let load = Load::Open {
                rate_per_s: Rate::per_second(rate).unwrap(),
                arrival,
                max_concurrency: 1,
                when_full: schema::plan::WhenFull::NotSent,
            };
            let fitted = fitted(&load, seed, 7, length);
            let slots = super::schedule(&fitted, &Arc::from([]), seed, 7, Moment::EPOCH, 0, Segment::WHOLE).unwrap();
            let within = slots.take_while(|slot| slot.scheduled - Moment::EPOCH < length).count();
            assert!((within as f64 - (rate * 5.0).round()).abs() < 0.5, "{arrival} {rate}: {within}");
        }
    }
}
