//! Equal gaps.

use schema::units::{Nanos, Rate};

/// Slot `k` leaves `k / rate` after the beginning.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    rate: Rate,
}

impl Constant {
    pub(super) const fn new(rate: Rate) -> Self {
        Self { rate }
    }

    /// When slot `position` leaves, counted from the beginning. Computed afresh from the position:
    /// summing rounded gaps would drift.
    pub(super) fn offset(&self, position: u64) -> Nanos {
        Nanos::from_secs_f64(position as f64 / self.rate.get())
    }
}
