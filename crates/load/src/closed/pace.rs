//! When a stream's next request is wanted: pure, one kind of closed loop a variant.

use std::rc::Rc;

use schema::plan::Stage;
use schema::units::Nanos;

use super::activity::next_activity;
use super::user::User;
use crate::After;

/// How one stream goes on.
#[derive(Debug)]
pub(super) enum Pace {
    /// At once.
    Always,
    /// While the stages want so many streams.
    Stages(Rc<[Stage]>),
    /// As a person does.
    User(Box<User>),
}

impl Pace {
    /// When the stream's first request is wanted, counted from the beginning; `None` when none ever is.
    pub(super) fn first(&self, stream: u32) -> Option<Nanos> {
        match self {
            Self::Always => Some(Nanos::ZERO),
            Self::Stages(stages) => next_activity(stages, stream, Nanos::ZERO),
            Self::User(user) => Some(user.arrives()),
        }
    }

    /// When its next is wanted, after the one before ended at `free`.
    pub(super) fn next(&mut self, stream: u32, free: Nanos, after: After) -> Option<Nanos> {
        match self {
            Self::Always => Some(free),
            Self::Stages(stages) => next_activity(stages, stream, free),
            Self::User(user) => Some(free + user.pause(after)),
        }
    }
}
