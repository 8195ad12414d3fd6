//! Who is ahead.

use schema::units::{Moment, Nanos};

use super::heat::Heat;
use super::track::State;

/// How one lane of a heat stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its target's place in [`RaceSetup::targets`](super::RaceSetup::targets).
    pub target: usize,
    /// Its rank, from 1; absent while nothing speaks for it, and when it failed. Lanes that cannot be told apart
    /// share one.
    pub place: Option<u32>,
    /// What it does.
    pub state: State,
    /// First content − start.
    pub ttft: Option<Nanos>,
    /// Last content − start, once finished.
    pub e2e: Option<Nanos>,
    /// Tokens so far, or events where tokens are not known yet.
    pub tokens: u64,
}

pub(super) fn standings(heat: &Heat, now: Moment) -> Vec<Standing> {
    let of = |(target, track): (usize, &super::track::Track)| Standing {
        target,
        place: None,
        state: track.state(now),
        ttft: None,
        e2e: None,
        tokens: 0,
    };
    heat.tracks.iter().enumerate().map(of).collect()
}
