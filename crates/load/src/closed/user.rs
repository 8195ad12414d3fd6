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
