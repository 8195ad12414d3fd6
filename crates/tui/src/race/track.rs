//! One lane of one heat.

use std::sync::Arc;

use schema::record::{FinishReason, Failure, Record};
use schema::units::Moment;

/// What a lane does, in the order in which it does it.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Nothing was sent yet.
    Ready,
    /// A connection is being made.
    Connecting,
    /// The request is sent; nothing came back that was generated.
    Waiting,
    /// The answer comes.
    Generating,
    /// The answer came, and then nothing for much longer than is usual for it.
    Stalled {
        /// Arrival of the last piece.
        since: Moment,
    },
    /// All of it is there.
    Finished(FinishReason),
    /// It failed.
    Failed(Failure),
    /// It was given up by us.
    Cancelled,
    /// It found no free place and was never sent.
    NotSent,
}

/// What is known of one lane.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// Its record, once it is over.
    pub(super) record: Option<Arc<Record>>,
}

impl Track {
    pub(super) fn state(&self, _now: Moment) -> State {
        State::Ready
    }
}
