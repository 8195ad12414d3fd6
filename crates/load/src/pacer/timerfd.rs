//! Linux's timer as a file descriptor: the runtime's own poll wakes for it, to the microsecond,
//! where the runtime's timer wheel turns in milliseconds.

use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd as Descriptor, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// One timer, registered with the runtime it was made in.
#[derive(Debug)]
pub(super) struct TimerFd(AsyncFd<Raw>);

/// `nix`'s descriptor as `AsyncFd` wants it.
#[derive(Debug)]
struct Raw(Descriptor);

impl AsRawFd for Raw {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl TimerFd {
    #[expect(
        deprecated,
        reason = "its successor is `unsafe` for the sake of types whose descriptor changes; `Raw` owns one and keeps it"
    )]
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let descriptor = Descriptor::new(ClockId::CLOCK_MONOTONIC, flags)?;
        AsyncFd::with_interest(Raw(descriptor), Interest::READABLE).map(Self)
    }

    /// Waits until `deadline`. The timer is set by the time left, as an `Instant` does not show its
    /// clock; the loop covers what passes between reading the clock and setting the timer.
    pub(super) async fn sleep_until(&self, deadline: Instant) -> io::Result<()> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.sleep(left).await?;
        }
    }

    /// Waits for `span`, which is not zero: zero would disarm the timer. Setting it forgets an
    /// expiry that an earlier, cancelled wait left unread.
    async fn sleep(&self, span: Duration) -> io::Result<()> {
        self.0.get_ref().0.set(Expiration::OneShot(span.into()), TimerSetTimeFlags::empty())?;
        loop {
            let mut ready = self.0.readable().await?;
            match self.0.get_ref().0.wait() {
                Ok(()) => return Ok(()),
                Err(Errno::EAGAIN) => ready.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
