//! Decides when requests leave, and calls the function it was handed at those moments.
//!
//! ```text
//!                       ┌▶ schedule ─▶ Slots ─▶ open ──┬─▶ send(slot), at its moment, or as soon as a place is free
//! Load, seed, Segment ──┤                              └─▶ not_sent(slot), when no place is free
//!                       └▶ Streams, Counter ──▶ closed ──▶ send(slot), when a place is free or a user has thought
//! ```
//!
//! Schedules are pure, and endless or as long as their stages, waves or trace ([`schedule`]). Where answers decide
//! when the next request leaves, its moment is a pure function of the one at which the last request ended. Drivers
//! add the clock, and nothing else.
//!
//! No HTTP, no request and no record here: a request is the future that `send` returns, and it is over when that
//! future is. The drivers run on a current-thread runtime inside a [`tokio::task::LocalSet`]; a load that needs
//! several cores runs one driver a core, each with its own [`Segment`]. They share one [`Counter`] of numbers in closed
//! loops, one of [`Places`] in open ones, and nothing else.
//!
//! Invariants: a slot's `scheduled` is a pure function of plan and seed (open), or the moment its place became free
//! and its user's pause was over (closed), and never moves because we, or the server, were late; lateness does not
//! add up; every slot that came due before the stop is sent or reported as not sent, exactly once; only the
//! monotonic clock is read.

mod alarms;
mod arrivals;
mod blocks;
mod closed;
mod open;
mod pacer;
mod places;
mod segment;

use schema::units::Moment;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use arrivals::{Schedule, fitted, schedule};
pub use blocks::{Turn, interleave, split};
pub use closed::{Counter, Streams, closed};
pub use open::open;
pub use pacer::Pacing;
pub use places::Places;
pub use segment::Segment;

/// One request's place in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Slot {
    /// Its number within the whole schedule, over all segments.
    pub index: u64,
    /// When the load model wants it to leave.
    pub scheduled: Moment,
    /// Which place of a closed loop, or which user, sends it: numbered over all segments. Zero in an open loop.
    pub stream: u32,
}

/// What follows a request of a closed loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum After {
    /// The user asks again after thinking, unless the session has its number of requests.
    SessionGoesOn,
    /// The user's session is over, however many requests it had.
    SessionOver,
}

/// What every driver of a run shares.
#[derive(Debug, Clone)]
pub struct Timing {
    /// The run's zero: [`Moment`]s count from here.
    pub epoch: Instant,
    /// How precisely to wait.
    pub pacing: Pacing,
    /// Once cancelled, no further slot is sent; what is under way is left to end.
    pub stop: CancellationToken,
}

impl Timing {
    /// Now, on the run's clock.
    pub fn now(&self) -> Moment {
        moment(self.epoch, Instant::now())
    }
}

/// `instant` on the clock that began at `epoch`; zero if it is earlier.
fn moment(epoch: Instant, instant: Instant) -> Moment {
    Moment::EPOCH + instant.saturating_duration_since(epoch).into()
}

/// A request that panicked is a bug: let it be seen. One that was cancelled has ended.
fn pass_on_panic<T>(ended: Result<T, tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}
