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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(users: u32, waves: u32, expected_ms: &[u64]) {
        let crowd = Crowd::new(users, waves, Nanos::from_millis(500));
        let offsets: Vec<_> = (0..).map_while(|position| crowd.offset(position)).map(|at| at.0 / 1_000_000).collect();
        assert_eq!(offsets, expected_ms);
    }

    #[test]
    fn a_crowd_comes_at_one_instant_and_again_at_each_wave() {
        check(3, 1, &[0, 0, 0]);
        check(2, 3, &[0, 0, 500, 500, 1000, 1000]);
        check(1, 2, &[0, 500]);
        check(0, 5, &[]);
        check(5, 0, &[]);
    }

    #[test]
    fn waves_beyond_the_clock_stay_at_its_end() {
        let crowd = Crowd::new(1, u32::MAX, Nanos(u64::MAX / 2));
        assert_eq!(crowd.offset(3), Some(Nanos(u64::MAX)));
    }
}
