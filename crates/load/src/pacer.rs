//! Waiting for a moment, more precisely than the runtime's timer.

#[cfg(target_os = "linux")]
mod timerfd;

use std::time::Duration;

use schema::units::Moment;
use tokio::time::Instant;

/// How precisely to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pacing {
    /// As precisely as the system can: a kernel timer on Linux, elsewhere the runtime's timer to
    /// shortly before and then polling.
    #[default]
    Precise,
    /// By the runtime's timer, which counts whole milliseconds: for tests in paused time.
    Tokio,
}

/// Waits for moments of one run's clock. Each driver has its own.
#[derive(Debug)]
pub(crate) struct Pacer {
    epoch: Instant,
    alarm: Alarm,
}

#[derive(Debug)]
enum Alarm {
    #[cfg(target_os = "linux")]
    TimerFd(timerfd::TimerFd),
    Polling,
    Tokio,
}

/// How long before a moment the runtime's timer is left for polling: its granularity, twice.
const POLLED: Duration = Duration::from_millis(2);

impl Pacer {
    /// A pacer for the clock that began at `epoch`. [`Pacing::Precise`] without a kernel timer (other
    /// systems, no file descriptor left) polls.
    ///
    /// # Panics
    /// Outside a runtime with its IO and time drivers enabled.
    pub(crate) fn new(epoch: Instant, pacing: Pacing) -> Self {
        let alarm = match pacing {
            Pacing::Precise => Alarm::precise(),
            Pacing::Tokio => Alarm::Tokio,
        };
        Self { epoch, alarm }
    }

    /// Whether `moment` has come.
    pub(crate) fn is_due(&self, moment: Moment) -> bool {
        crate::moment(self.epoch, Instant::now()) >= moment
    }

    /// Waits until `moment`; never returns before it. Lets other tasks run once even when it has
    /// come already. Cancel safe.
    pub(crate) async fn until(&mut self, moment: Moment) {
        let Some(deadline) = self.epoch.checked_add(Duration::from_nanos(moment.0)) else {
            return std::future::pending().await;
        };
        if deadline <= Instant::now() {
            return tokio::task::yield_now().await;
        }
        match &self.alarm {
            #[cfg(target_os = "linux")]
            Alarm::TimerFd(timer) => {
                if timer.sleep_until(deadline).await.is_err() {
                    poll_until(deadline).await;
                }
            }
            Alarm::Polling => poll_until(deadline).await,
            Alarm::Tokio => tokio::time::sleep_until(deadline).await,
        }
    }
}

impl Alarm {
    #[cfg(target_os = "linux")]
    fn precise() -> Self {
        timerfd::TimerFd::new().map_or(Self::Polling, Self::TimerFd)
    }

    #[cfg(not(target_os = "linux"))]
    fn precise() -> Self {
        Self::Polling
    }
}

/// Sleeps to shortly before `deadline`, then asks the clock again and again, letting other tasks run
/// in between.
async fn poll_until(deadline: Instant) {
    if let Some(nearly) = deadline.checked_sub(POLLED) {
        tokio::time::sleep_until(nearly).await;
    }
    while Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests;
