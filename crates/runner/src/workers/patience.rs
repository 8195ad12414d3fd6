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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const GRACE: Duration = Duration::from_secs(30);

    /// How long until what is in flight is cancelled, for a turn of ten seconds to which `happens` after three.
    async fn wait(happens: impl FnOnce(&CancellationToken, &CancellationToken)) -> Duration {
        let run = CancellationToken::new();
        let target_ends = run.child_token();
        let (sending, no_more_waiting) = (target_ends.child_token(), CancellationToken::new());
        let cancel = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let patience = Patience {
            until: Some(began + Duration::from_secs(10)),
            sending: sending.clone(),
            target_ends,
            no_more_waiting,
            grace: GRACE.into(),
            cancel: Arc::clone(&cancel),
        };
        let waiting = tokio::spawn(patience.wait());
        tokio::time::sleep(Duration::from_secs(3)).await;
        happens(&sending, &run);
        waiting.await.unwrap();
        assert!(cancel.load(Ordering::Relaxed) && sending.is_cancelled());
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_in_flight_has_a_grace_period_unless_the_turn_was_cut_short() {
        assert_eq!(wait(|_, _| {}).await, Duration::from_secs(10) + GRACE);
        assert_eq!(wait(|_, run| run.cancel()).await, Duration::from_secs(3) + GRACE);
        assert_eq!(wait(|sending, _| sending.cancel()).await, Duration::from_secs(3));
    }
}
