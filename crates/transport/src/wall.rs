//! The wall clock beside the monotonic one: how kernel stamps are placed, and what becomes of them when somebody (NTP,
//! an administrator, a leap second, sleep) sets the wall clock. Pure: the clocks are read elsewhere.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use schema::units::{Moment, Nanos};

/// Both clocks may differ so much more than before because a thread lost its core between reading one and the other.
const NOISE_NS: u64 = 50_000;

/// Being set by less than this is followed without a word: no stamp is off by more.
const STEP_NS: u64 = 1_000_000;

/// So long after a step, what the kernel stamped before it may still come up.
const SETTLING: Nanos = Nanos::from_secs(1);

/// Both clocks, read together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    /// The wall clock, in nanoseconds since 1970.
    pub(crate) wall_ns: u64,
    /// The run's clock.
    pub(crate) at: Moment,
}

impl Reading {
    /// What to add to the run's clock for the wall clock.
    const fn offset(self) -> i64 {
        self.wall_ns.wrapping_sub(self.at.0).cast_signed()
    }
}

/// That the wall clock was set while a run went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallSteps {
    /// How often.
    pub count: u32,
    /// The furthest it was set, either way.
    pub largest: Nanos,
}

impl std::fmt::Display for WallSteps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { count, largest } = self;
        let times = schema::times((*count).into());
        write!(
            f,
            "the machine's wall clock was set {times} while the run went on, by {largest} at most: arrivals in the second \
             after that are stamped in user space, and no other time depends on it"
        )
    }
}

/// What is known of the wall clock. The difference between both clocks changes only when the wall clock is set: what
/// slows or speeds the one up (NTP's slewing) does the same to the other. Shared by all threads, and all but never
/// written to.
#[derive(Debug)]
pub(crate) struct Wall {
    offset: AtomicI64,
    /// Stamps before this moment may be from before the latest step.
    settled: AtomicU64,
    count: AtomicU32,
    largest_ns: AtomicU64,
}

impl Wall {
    pub(crate) const fn new(careful: Reading) -> Self {
        Self {
            offset: AtomicI64::new(careful.offset()),
            settled: AtomicU64::new(0),
            count: AtomicU32::new(0),
            largest_ns: AtomicU64::new(0),
        }
    }

    /// Places a stamp of the kernel (nanoseconds since 1970) on the run's clock. `None` when that would be later than
    /// the `reading` taken after it, or when the wall clock was set less than a while before. `carefully` reads the
    /// clocks again: it is asked when they seem to disagree.
    pub(crate) fn place(&self, stamp_ns: u64, reading: Reading, carefully: impl FnOnce() -> Reading) -> Option<Moment> {
        // Whoever sees a new offset must see until when it is unsettled.
        let known = self.offset.load(Ordering::Acquire);
        let is_noise = reading.offset().abs_diff(known) <= NOISE_NS;
        let offset = if is_noise { known } else { self.look_again(known, carefully()) };
        let at = stamp_ns.checked_add_signed(offset.checked_neg()?).map(Moment)?;
        (at <= reading.at && at.0 >= self.settled.load(Ordering::Relaxed)).then_some(at)
    }

    /// The difference between the clocks that `reading` shows in place of the one `known`, and what follows from that.
    #[cold]
    fn look_again(&self, known: i64, reading: Reading) -> i64 {
        let offset = reading.offset();
        let by = offset.abs_diff(known);
        let is_step = by > STEP_NS;
        if is_step {
            // Before the new offset is there for others to use.
            self.settled.fetch_max((reading.at + SETTLING).0, Ordering::AcqRel);
        }
        // Of threads that notice at once, one counts.
        let first = self.offset.compare_exchange(known, offset, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if is_step && first {
            self.largest_ns.fetch_max(by, Ordering::Relaxed);
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        offset
    }

    pub(crate) fn steps(&self) -> Option<WallSteps> {
        let count = self.count.load(Ordering::Relaxed);
        let largest = Nanos(self.largest_ns.load(Ordering::Relaxed));
        (count > 0).then_some(WallSteps { count, largest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the run began, by the wall clock.
    const BEGAN: u64 = 1_700_000_000_000_000_000;
    const MS: u64 = 1_000_000;

    /// Both clocks at `at_ms` of the run, the wall clock having been set by `set_ms` in all.
    fn reading(at_ms: u64, set_ms: i64) -> Reading {
        Reading { wall_ns: wall_ns(at_ms, set_ms), at: Moment(at_ms * MS) }
    }

    fn wall_ns(at_ms: u64, set_ms: i64) -> u64 {
        (BEGAN + at_ms * MS).checked_add_signed(set_ms * MS.cast_signed()).unwrap()
    }

    fn wall() -> Wall {
        Wall::new(reading(0, 0))
    }

    /// Places a stamp that the kernel took at `stamped` (moment, clock set by) and user space reads at `read`.
    fn place(wall: &Wall, stamped: (u64, i64), read: (u64, i64)) -> Option<u64> {
        let reading = reading(read.0, read.1);
        wall.place(wall_ns(stamped.0, stamped.1), reading, || reading).map(|at| at.0 / MS)
    }

    #[track_caller]
    fn check_steps(wall: &Wall, expected: Option<(u32, u64)>) {
        assert_eq!(wall.steps().map(|steps| (steps.count, steps.largest.0 / MS)), expected);
    }

    #[test]
    fn a_stamp_is_placed_where_it_was_taken() {
        let wall = wall();
        assert_eq!(place(&wall, (100, 0), (103, 0)), Some(100));
        assert_eq!(place(&wall, (104, 0), (103, 0)), None, "a stamp of the future");
        check_steps(&wall, None);
    }

    #[test]
    fn a_stamp_from_before_a_step_is_not_placed() {
        for step in [10, -10, 3_600_000, -3_600_000] {
            let wall = wall();
            assert_eq!(place(&wall, (5_000, 0), (5_020, step)), None, "set by {step} ms");
            check_steps(&wall, Some((1, step.unsigned_abs())));
        }
    }

    #[test]
    fn what_comes_up_shortly_after_a_step_is_not_placed_either() {
        for step in [10, -10, 3_600_000, -3_600_000] {
            let wall = wall();
            place(&wall, (5_000, step), (5_000, step));
            assert_eq!(place(&wall, (4_999, 0), (5_050, step)), None, "taken before it was set by {step} ms");
            assert_eq!(place(&wall, (5_040, step), (5_050, step)), None);
            assert_eq!(place(&wall, (6_001, step), (6_002, step)), Some(6_001));
            check_steps(&wall, Some((1, step.unsigned_abs())));
        }
    }

    #[test]
    fn each_step_counts_once_and_the_furthest_is_told() {
        let wall = wall();
        place(&wall, (100, 7), (100, 7));
        place(&wall, (101, 7), (101, 7));
        place(&wall, (200, -30), (200, -30));
        place(&wall, (300, -28), (300, -28));
        check_steps(&wall, Some((3, 37)));
    }

    #[test]
    fn threads_that_notice_together_count_one_step() {
        let wall = wall();
        let known = wall.offset.load(Ordering::Relaxed);
        wall.look_again(known, reading(50, 9));
        wall.look_again(known, reading(51, 9));
        check_steps(&wall, Some((1, 9)));
    }

    #[test]
    fn losing_the_core_between_two_readings_is_no_step() {
        let wall = wall();
        let torn = Reading { wall_ns: wall_ns(100, 0), at: Moment(180 * MS) };
        assert_eq!(wall.place(wall_ns(99, 0), torn, || reading(181, 0)), Some(Moment(99 * MS)));
        check_steps(&wall, None);
    }

    #[test]
    fn a_set_too_small_to_matter_is_followed_without_a_word() {
        let wall = wall();
        let set = |reading: Reading| Reading { wall_ns: reading.wall_ns + 400_000, ..reading };
        let (stamp, later) = (wall_ns(99, 0) + 400_000, set(reading(100, 0)));
        assert_eq!(wall.place(stamp, later, || later), Some(Moment(99 * MS)));
        check_steps(&wall, None);
    }

    #[test]
    fn a_wall_clock_before_1970_places_nothing() {
        let wall = Wall::new(Reading { wall_ns: 0, at: Moment(u64::MAX / 2) });
        assert_eq!(wall.place(u64::MAX, Reading { wall_ns: 0, at: Moment(5) }, || reading(1, 0)), None);
    }

    #[test]
    fn steps_are_told_with_what_they_mean() {
        let told = |count, millis| WallSteps { count, largest: Nanos::from_millis(millis) }.to_string();
        assert_eq!(
            told(1, 3_250),
            "the machine's wall clock was set once while the run went on, by 3.25 s at most: arrivals in the second \
             after that are stamped in user space, and no other time depends on it"
        );
        assert!(told(2, 40).contains("set 2 times while the run went on, by 40.0 ms at most"));
    }
}
