//! People: they ask, read and think, ask again, and stay away between sessions.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use schema::plan::Pause;
use schema::units::Nanos;

use crate::After;

/// Sets what people draw apart from what arrivals draw with the same seed.
const PEOPLE: u64 = 0x7065_6f70_6c65;

/// What all users of a load have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    pub(super) users: u32,
    pub(super) think: Pause,
    pub(super) session_requests: u32,
    pub(super) session_pause: Pause,
    pub(super) arrive_over: Nanos,
}

/// One of them. What they draw depends on seed, block and number alone, so a user pauses alike whoever is asked.
#[derive(Debug)]
pub(super) struct User {
    habits: Habits,
    arrives: Nanos,
    /// Requests of the session that ended.
    asked: u32,
    random: ChaCha12Rng,
}

impl User {
    pub(super) fn new(habits: Habits, number: u32, seed: u64, block: u32) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed ^ PEOPLE);
        random.set_stream(u64::from(block) << 32 | u64::from(number));
        let share = f64::from(number) / f64::from(habits.users.max(1));
        let arrives = Nanos::from_secs_f64(habits.arrive_over.as_secs_f64() * share);
        Self { habits, arrives, asked: 0, random }
    }

    /// When they ask first, counted from the beginning.
    pub(super) const fn arrives(&self) -> Nanos {
        self.arrives
    }

    /// How long they pause now that a request has ended.
    pub(super) fn pause(&mut self, after: After) -> Nanos {
        self.asked += 1;
        let session_is_over = after == After::SessionOver || self.asked >= self.habits.session_requests;
        if session_is_over {
            self.asked = 0;
        }
        let pause = if session_is_over { self.habits.session_pause } else { self.habits.think };
        Nanos::from_secs_f64(pause.0.draw(self.random.random(), self.random.random()) / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habits(think: &str, session_requests: u32, session_pause: &str) -> Habits {
        let (think, session_pause) = (think.parse().unwrap(), session_pause.parse().unwrap());
        Habits { users: 4, think, session_requests, session_pause, arrive_over: Nanos::from_secs(2) }
    }

    fn pauses(user: &mut User, count: usize) -> Vec<Nanos> {
        (0..count).map(|_| user.pause(After::SessionGoesOn)).collect()
    }

    #[test]
    fn users_arrive_evenly() {
        let arrivals = (0..4).map(|number| User::new(habits("1s", 1, "1s"), number, 1, 0).arrives());
        assert_eq!(arrivals.collect::<Vec<_>>(), [0, 500, 1000, 1500].map(Nanos::from_millis));
    }

    #[test]
    fn after_as_many_requests_as_a_session_has_its_pause_takes_the_thoughts_place() {
        let mut user = User::new(habits("1s", 3, "10s"), 0, 1, 0);
        assert_eq!(pauses(&mut user, 7), [1, 1, 10, 1, 1, 10, 1].map(Nanos::from_secs));
    }

    #[test]
    fn a_session_may_end_before() {
        let mut user = User::new(habits("1s", 3, "10s"), 0, 1, 0);
        assert_eq!(user.pause(After::SessionGoesOn), Nanos::from_secs(1));
        assert_eq!(user.pause(After::SessionOver), Nanos::from_secs(10));
        assert_eq!(pauses(&mut user, 3), [1, 1, 10].map(Nanos::from_secs));
    }

    #[test]
    fn each_user_and_block_pauses_in_its_own_way_but_always_in_that() {
        let drawn =
            |number, seed, block| pauses(&mut User::new(habits("exponential:1s", 9, "1s"), number, seed, block), 5);
        assert_eq!(drawn(1, 2, 3), drawn(1, 2, 3));
        for (number, seed, block) in [(2, 2, 3), (1, 3, 3), (1, 2, 4)] {
            assert_ne!(drawn(1, 2, 3), drawn(number, seed, block));
        }
    }

    /// The mean of 10,000 exponential pauses is known to 1 % (one standard error); five are allowed.
    #[test]
    fn thoughts_have_the_mean_they_should() {
        let mut user = User::new(habits("exponential:2s", u32::MAX, "0s"), 0, 1, 0);
        let mean = pauses(&mut user, 10_000).into_iter().map(Nanos::as_secs_f64).sum::<f64>() / 10_000.0;
        assert!((mean / 2.0 - 1.0).abs() < 0.05, "{mean}");
    }
}
