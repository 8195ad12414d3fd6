//! Being asked to stop.

use tokio_util::sync::CancellationToken;

/// A request to stop, in two steps. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    sending: CancellationToken,
    waiting: CancellationToken,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Send nothing more; what is in flight may end within the grace period. The run is interrupted.
    pub fn sending(&self) {
        self.sending.cancel();
    }

    /// Give up what is in flight, too.
    pub fn waiting(&self) {
        self.sending();
        self.waiting.cancel();
    }

    /// Whether a user has asked.
    pub fn is_asked(&self) -> bool {
        self.sending.is_cancelled()
    }

    /// Whether what is in flight is given up, too.
    pub fn is_given_up(&self) -> bool {
        self.waiting.is_cancelled()
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
    fn giving_up_waiting_also_ends_sending() {
        let stop = Stop::new();
        stop.waiting();
        assert!(stop.is_asked() && stop.no_more_sending().is_cancelled() && stop.no_more_waiting().is_cancelled());
    }
}
