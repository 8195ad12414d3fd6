//! How long a turn waits for what it has in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use schema::units::Nanos;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a turn waits for what it has in flight.
pub(super) struct Patience {
    /// When sending ends, if by time.
    pub(super) until: Option<Instant>,
    /// Cancelled when sending ends before that.
    pub(super) sending: CancellationToken,
    /// Cancelled when nothing more is to be sent to the target.
    pub(super) target_ends: CancellationToken,
    /// Cancelled when nobody wants to wait.
    pub(super) no_more_waiting: CancellationToken,
    pub(super) grace: Nanos,
    /// Set at the end.
    pub(super) cancel: Arc<AtomicBool>,
}

impl Patience {
    /// Sets `cancel` once patience is at its end: a grace period after sending ended by time or with its target, at
    /// once when the turn was cut short or nobody wants to wait. What still waits for a place then is not sent.
    pub(super) async fn wait(self) {
        tokio::select! {
            () = self.grace_is_over() => {}
            () = self.no_more_waiting.cancelled() => {}
        }
        self.cancel.store(true, Ordering::Relaxed);
        self.sending.cancel();
    }

    async fn grace_is_over(&self) {
        match self.until {
            Some(until) => {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.sending.cancelled() => {}
                }
            }
            None => self.sending.cancelled().await,
        }
        let is_cut_short = self.sending.is_cancelled() && !self.target_ends.is_cancelled();
        if !is_cut_short {
            tokio::time::sleep(self.grace.into()).await;
        }
    }
}
