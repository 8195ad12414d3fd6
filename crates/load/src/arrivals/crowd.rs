//! Everybody at one instant, once or in waves.

use schema::units::Nanos;

/// `users` slots at each wave, `every` apart.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    users: u64,
    waves: u64,
    every: Nanos,
}

impl Crowd {
    pub(super) fn new(users: u32, waves: u32, every: Nanos) -> Self {
        Self { users: users.into(), waves: waves.into(), every }
    }

    /// When slot `position` leaves, counted from the beginning; `None` after the last wave.
    pub(super) fn offset(&self, position: u64) -> Option<Nanos> {
        let wave = position.checked_div(self.users).filter(|wave| *wave < self.waves)?;
        Some(Nanos(self.every.0.saturating_mul(wave)))
    }
}
