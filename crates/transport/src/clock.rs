//! The run's clock: monotonic, in nanoseconds since the run's epoch.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use schema::manifest::Epoch;
use schema::units::{Moment, Nanos};
use tokio::time::Instant;

/// One run's clock. Copies share its zero.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    zero: Instant,
    epoch: Epoch,
}

impl Clock {
    /// A clock that begins now.
    pub fn start() -> Self {
        let zero = Instant::now();
        let epoch = Epoch { monotonic_ns: monotonic_ns(), wall: wall() };
        Self { zero, epoch }
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
        Moment(Nanos::from(self.zero.elapsed()).0)
    }

    /// The instant at `moment`, for timers.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.zero + std::time::Duration::from_nanos(moment.0)
    }

    /// Places a wall-clock stamp of the kernel (nanoseconds since 1970) on this clock, by its age: both
    /// clocks are read now, so only a step of the wall clock within that age can mislead. `None` when
    /// the stamp lies in the future or before `not_before`, which only such a step can cause.
    pub(crate) fn place(&self, stamp_ns: u64, not_before: Moment) -> (Moment, Option<Moment>) {
        let wall_ns = realtime_ns();
        let now = self.now();
        let placed = wall_ns.checked_sub(stamp_ns).and_then(|age| now.0.checked_sub(age)).map(Moment);
        (now, placed.filter(|at| *at >= not_before))
    }
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
}
