//! The whole engine stands still for a while, as a paused process does.
//!
//! Every thread that serves connections stops at once: nothing is accepted, read, written or generated
//! until the stall is over. Connections served by [`crate::serve_connection`] run on their caller's
//! threads and are spared.

use std::str::FromStr;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use schema::units::Nanos;
use tokio::sync::Notify;

/// A stall of the whole engine, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// From the first request to generate until it begins.
    pub after: Nanos,
    /// How long it lasts.
    pub length: Nanos,
}

/// Text that is no stall.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is no stall")]
#[diagnostic(
    code(sim::stall),
    help("write how long and when, like `2s@10s`: two seconds, ten after the first request")
)]
pub struct StallError(pub String);

impl FromStr for Stall {
    type Err = StallError;

    /// Reads `2s@10s`: two seconds, ten seconds after the first request.
    fn from_str(text: &str) -> Result<Self, StallError> {
        let read = || {
            let (length, after) = text.split_once('@')?;
            let stall = Self { length: length.trim().parse().ok()?, after: after.trim().parse().ok()? };
            (stall.length > Nanos::ZERO).then_some(stall)
        };
        read().ok_or_else(|| StallError(text.chars().take(80).collect()))
    }
}

/// The stall of a running engine, shared by its threads.
#[derive(Debug, Default)]
pub(crate) struct Freezer {
    /// When the first request to generate came.
    first: OnceLock<Instant>,
    came: Notify,
    over: Mutex<bool>,
    stopping: Condvar,
}

impl Freezer {
    /// The engine was asked to generate.
    pub(crate) fn asked(&self) {
        if self.first.get().is_none() && self.first.set(Instant::now()).is_ok() {
            self.came.notify_waiters();
        }
    }

    /// Waits for the moment of the stall, then holds this thread until it is over: how long that was.
    pub(crate) async fn freeze(&self, stall: Stall) -> Nanos {
        let begins = self.first().await + Duration::from(stall.after);
        tokio::time::sleep_until(begins.into()).await;
        let begun = Instant::now();
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let rest = (begins + Duration::from(stall.length)).saturating_duration_since(begun);
        // Whether by time or by the end of everything, it is over.
        drop(self.stopping.wait_timeout_while(over, rest, |over| !*over));
        begun.elapsed().into()
    }

    async fn first(&self) -> Instant {
        let mut came = std::pin::pin!(self.came.notified());
        came.as_mut().enable();
        if self.first.get().is_none() {
            came.await;
        }
        self.first.get().copied().unwrap_or_else(Instant::now)
    }

    /// Ends a stall that is under way, for good.
    pub(crate) fn thaw(&self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopping.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_a_length_at_a_time() {
        assert_eq!("2s@10s".parse(), Ok(Stall { after: Nanos::from_secs(10), length: Nanos::from_secs(2) }));
        for wrong in ["", "2s", "2@10", "0s@1s", "@1s"] {
            assert!(wrong.parse::<Stall>().is_err(), "{wrong}");
        }
    }
}
