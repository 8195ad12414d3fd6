//! The run's clock: monotonic, in nanoseconds since the run's epoch. The kernel stamps by the wall clock, which may be
//! set while a run goes on; [`Wall`] notices.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use schema::manifest::Epoch;
use schema::units::{Moment, Nanos};
use tokio::time::Instant;

use crate::wall::{Reading, Wall, WallSteps};

/// One run's clock. Copies share its zero.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    zero: Instant,
    epoch: Epoch,
    wall: &'static Wall,
}

impl Clock {
    /// A clock that begins now. A few dozen bytes of it stay for the life of the process, so that clocks can be copied
    /// freely.
    pub fn start() -> Self {
        let zero = Instant::now();
        let epoch = Epoch { monotonic_ns: monotonic_ns(), wall: wall() };
        Self { zero, epoch, wall: Box::leak(Box::new(Wall::new(careful_reading(zero)))) }
    }

    /// Its zero, for drivers that share it.
    pub const fn zero(&self) -> Instant {
        self.zero
    }

    /// Its zero on the machine's own clocks.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Now.
    pub fn now(&self) -> Moment {
        since(self.zero)
    }

    /// The instant at `moment`, for timers.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.zero + std::time::Duration::from_nanos(moment.0)
    }

    /// How the wall clock was set while kernel stamps were read by this clock; `None` when it was not.
    pub fn wall_steps(&self) -> Option<WallSteps> {
        self.wall.steps()
    }

    /// Now, and a wall-clock stamp of the kernel (nanoseconds since 1970) placed on this clock. The latter is `None`
    /// when the wall clock was set about then, or the stamp lies in the future or before `not_before`.
    pub(crate) fn place(&self, stamp_ns: u64, not_before: Moment) -> (Moment, Option<Moment>) {
        let reading = Reading { wall_ns: realtime_ns(), at: self.now() };
        let placed = self.wall.place(stamp_ns, reading, || careful_reading(self.zero));
        (reading.at, placed.filter(|at| *at >= not_before))
    }
}

fn since(zero: Instant) -> Moment {
    Moment(Nanos::from(zero.elapsed()).0)
}

/// Both clocks at one instant, as nearly as can be told: of a few tries the one in which least time passed, so that a
/// thread losing its core in between does not look like a clock that was set.
fn careful_reading(zero: Instant) -> Reading {
    let tries = (0..5).map(|_| {
        let before = since(zero);
        let wall_ns = realtime_ns();
        let passed = since(zero) - before;
        (passed, Reading { wall_ns, at: before + Nanos(passed.0 / 2) })
    });
    let nearest = tries.min_by_key(|(passed, _)| *passed);
    nearest.expect("five tries have a smallest").1
}

fn wall() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn realtime_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::from(since).0
}

#[cfg(target_os = "linux")]
fn monotonic_ns() -> u64 {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(0, |t| Nanos::from(std::time::Duration::from(t)).0)
}

#[cfg(not(target_os = "linux"))]
fn monotonic_ns() -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_from_the_future_or_before_its_bound_is_not_placed() {
        let clock = Clock::start();
        let wall = realtime_ns();
        assert!(clock.place(wall + 5_000_000_000, Moment(0)).1.is_none());
        assert!(clock.place(wall - 1_000_000_000, clock.now()).1.is_none());
    }

    #[test]
    fn a_fresh_stamp_lands_between_two_readings() {
        let clock = Clock::start();
        let before = clock.now();
        let (now, placed) = clock.place(realtime_ns(), before - Nanos(1_000_000));
        assert!(placed.is_some_and(|at| at <= now && at + Nanos(1_000_000) >= before));
    }

    #[test]
    fn a_clock_that_nobody_sets_has_no_steps() {
        let clock = Clock::start();
        for _ in 0..10_000 {
            assert!(clock.place(realtime_ns(), Moment::EPOCH).1.is_some());
        }
        assert_eq!(clock.wall_steps(), None);
    }
}
