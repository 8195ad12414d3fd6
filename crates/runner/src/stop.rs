//! Being asked to stop.

use tokio_util::sync::CancellationToken;

/// A request to stop, in two steps. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    sending: CancellationToken,
    waiting: CancellationToken,
    asked: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Send nothing more; what is in flight may end within the grace period. The run is interrupted.
    pub fn sending(&self) {
        self.asked.store(true, std::sync::atomic::Ordering::Relaxed);
        self.sending.cancel();
    }

    /// Give up what is in flight, too.
    pub fn waiting(&self) {
        self.sending();
        self.waiting.cancel();
    }

    /// Whether a user has asked.
    pub fn is_asked(&self) -> bool {
        self.asked.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Whether what is in flight is given up, too.
    pub fn is_given_up(&self) -> bool {
        self.waiting.is_cancelled()
    }

    /// Ends sending without the run counting as interrupted: the budget is used up.
    pub(crate) fn enough(&self) {
        self.sending.cancel();
    }

    pub(crate) const fn no_more_sending(&self) -> &CancellationToken {
        &self.sending
    }

    pub(crate) const fn no_more_waiting(&self) -> &CancellationToken {
        &self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_budget_is_no_interruption() {
        let stop = Stop::new();
        stop.enough();
        assert!(stop.no_more_sending().is_cancelled() && !stop.is_asked());
    }

    #[test]
    fn giving_up_waiting_also_ends_sending() {
        let stop = Stop::new();
        stop.waiting();
        assert!(stop.is_asked() && stop.no_more_sending().is_cancelled() && stop.no_more_waiting().is_cancelled());
    }
}
