//! The clocks of the ground truth: one place where this room reads them.

use jiff::Timestamp;
use schema::units::Moment;

/// Nanoseconds of the system's monotonic clock (`CLOCK_MONOTONIC`, the one `Instant` reads on Linux).
#[cfg(target_os = "linux")]
pub(crate) fn now_ns() -> u64 {
    read(nix::time::ClockId::CLOCK_MONOTONIC)
}

/// Nanoseconds since this process first asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn now_ns() -> u64 {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// [`now_ns`] as a [`Moment`] on the monotonic clock's own axis.
pub(crate) fn now() -> Moment {
    Moment(now_ns())
}

/// The wall clock, for the dates that answers carry.
pub(crate) fn wall() -> Timestamp {
    Timestamp::now()
}

/// The second of the wall clock, seconds since 1970: by the kernel's tick, which is read for less and lags a few milliseconds.
#[cfg(target_os = "linux")]
pub(crate) fn second() -> i64 {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_REALTIME_COARSE)
        .expect("this clock always exists on Linux")
        .tv_sec()
}

/// The second of the wall clock, seconds since 1970.
#[cfg(not(target_os = "linux"))]
pub(crate) fn second() -> i64 {
    wall().as_second()
}

/// The monotonic time of a kernel stamp, by its age: both clocks are read now, so that only a step of
/// the wall clock within that age could mislead. `None` for a stamp from the future.
#[cfg(target_os = "linux")]
pub(crate) fn monotonic_of_realtime(stamp_ns: u64) -> Option<u64> {
    let age = read(nix::time::ClockId::CLOCK_REALTIME).checked_sub(stamp_ns)?;
    now_ns().checked_sub(age)
}

#[cfg(target_os = "linux")]
fn read(clock: nix::time::ClockId) -> u64 {
    let time = nix::time::clock_gettime(clock).expect("this clock always exists on Linux");
    nanos_of(time)
}

/// A kernel time as nanoseconds; zero before 1970.
#[cfg(target_os = "linux")]
pub(crate) fn nanos_of(time: nix::sys::time::TimeSpec) -> u64 {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let nanos = u64::try_from(time.tv_nsec()).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanos)
}
