//! Who is ahead: those that are finished by E2E, behind them those that generate by how much they have. What is over
//! without an answer has no place, and neither has a warm-up.

use std::cmp::Reverse;

use schema::units::{Moment, Nanos};

use super::heat::Heat;
use super::track::{Amount, State, Track};

/// How one lane of a heat stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Its target's place in [`RaceSetup::targets`](super::RaceSetup::targets).
    pub target: usize,
    /// Its rank, from 1: one more than the lanes that are surely ahead. Lanes that the measurement cannot tell apart
    /// share one. Absent while nothing speaks for it, when it failed, and in a warm-up.
    pub place: Option<u32>,
    /// What it does.
    pub state: State,
    /// First content − start.
    pub ttft: Option<Nanos>,
    /// Last content − start, once it is finished.
    pub e2e: Option<Nanos>,
    /// How far its E2E could be off: what was measured of this machine's own part in it.
    pub doubt: Option<Nanos>,
    /// What was generated so far.
    pub amount: Amount,
    /// Output speed so far, in what `amount` counts, per second.
    pub speed: Option<f64>,
}

impl Standing {
    fn of(target: usize, track: &Track, now: Moment) -> Self {
        Self {
            target,
            place: None,
            state: track.state(now),
            ttft: track.ttft(),
            e2e: track.e2e(),
            doubt: track.doubt(),
            amount: track.amount(),
            speed: track.speed(),
        }
    }

    /// What it is ordered by: what comes first is ahead.
    fn rank(&self) -> Rank {
        match self.state {
            State::Finished(_) => Rank::Finished(self.e2e),
            State::Generating | State::Stalled { .. } => Rank::Generating(Reverse(self.amount.count)),
            State::Ready | State::Connecting | State::Waiting => Rank::Coming,
            State::Failed(_) | State::Cancelled | State::NotSent => Rank::Out,
        }
    }

    /// Whether this one is ahead of `other` beyond doubt.
    fn is_ahead(&self, other: &Self) -> bool {
        match (self.rank(), other.rank()) {
            (Rank::Finished(Some(mine)), Rank::Finished(Some(others))) => mine + in_doubt(self, other) < others,
            (mine, others) => mine < others,
        }
    }
}

/// In the order of the ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Finished(Option<Nanos>),
    Generating(Reverse<u64>),
    Coming,
    Out,
}

/// How far the difference of two E2Es could be off.
fn in_doubt(one: &Standing, other: &Standing) -> Nanos {
    one.doubt.unwrap_or_default() + other.doubt.unwrap_or_default()
}

/// How the lanes of `heat` stand, best first; equals in the plan's order.
pub(super) fn standings(heat: &Heat, now: Moment) -> Vec<Standing> {
    let mut all: Vec<_> =
        heat.tracks.iter().enumerate().map(|(target, track)| Standing::of(target, track, now)).collect();
    all.sort_by_key(Standing::rank);
    if heat.is_warmup() {
        return all;
    }
    let place = |standing: &Standing| {
        let ahead = all.iter().filter(|other| other.is_ahead(standing)).count();
        (standing.rank() < Rank::Coming).then(|| u32::try_from(ahead + 1).unwrap_or(u32::MAX))
    };
    let places: Vec<_> = all.iter().map(place).collect();
    all.iter_mut().zip(places).for_each(|(standing, place)| standing.place = place);
    all
}

/// Two lanes at the front that cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoFinish {
    /// The target with the shorter E2E.
    pub first: usize,
    /// The target that comes next.
    pub second: usize,
    /// By how much.
    pub difference: Nanos,
    /// How far that could be off: at least as much.
    pub doubt: Nanos,
}

/// The photo finish of these standings, if it came to one: the first two are finished, and nearer to one another than
/// what is measured can tell.
pub(super) fn photo_finish(standings: &[Standing]) -> Option<PhotoFinish> {
    let [first, second, ..] = standings else { return None };
    let shared = first.place == Some(1) && second.place == Some(1);
    let difference = second.e2e?.saturating_sub(first.e2e?);
    let photo = PhotoFinish { first: first.target, second: second.target, difference, doubt: in_doubt(first, second) };
    shared.then_some(photo)
}
