//! Values that each stand for several of the same: a hundred thousand zeros take the room of one.

/// Values with how often each is there.
#[derive(Debug, Default)]
pub(super) struct Weighted {
    values: Vec<(f64, u64)>,
    total: u64,
}

impl Weighted {
    /// Adds a value `times` over.
    pub(super) fn push(&mut self, value: f64, times: u64) {
        if times > 0 {
            self.values.push((value, times));
            self.total = self.total.saturating_add(times);
        }
    }

    /// How many were added, each counted once.
    pub(super) fn added(&self) -> usize {
        self.values.len()
    }

    /// The mean; absent without values.
    pub(super) fn mean(&self) -> Option<f64> {
        let sum: f64 = self.values.iter().map(|&(value, times)| value * times as f64).sum();
        (self.total > 0).then(|| sum / self.total as f64)
    }

    /// Puts the values in order, as [`Weighted::quantile`] wants them.
    pub(super) fn sort(&mut self) {
        self.values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// The quantile `q` of sorted values as [`crate::quantile::quantile`] takes it, as if each stood there so often.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 ≤ position < total")]
    pub(super) fn quantile(&self, q: f64) -> Option<f64> {
        let position = q.clamp(0.0, 1.0) * self.total.checked_sub(1)? as f64;
        let below = position.floor() as u64;
        let (low, high) = (self.at(below)?, self.at((below + 1).min(self.total - 1))?);
        Some(low + (high - low) * (position - below as f64))
    }

    /// The value at an index into all of them.
    fn at(&self, index: u64) -> Option<f64> {
        let mut before = 0u64;
        let found = self.values.iter().find(|(_, times)| {
            before = before.saturating_add(*times);
            index < before
        });
        found.map(|&(value, _)| value)
    }
}
