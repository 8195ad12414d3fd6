//! Equal gaps.

/// Arrivals one mean gap apart; the first at once.
#[derive(Debug, Clone, Default)]
pub(super) struct Constant {
    next: u64,
}

impl Constant {
    /// When the next slot leaves, in mean gaps since the beginning. Computed afresh from its position: summing
    /// rounded gaps would drift.
    pub(super) const fn next(&mut self) -> f64 {
        let at = self.next as f64;
        self.next += 1;
        at
    }
}
