//! What happens while a run is carried out, for those who watch. Viewers may miss some of it.

use std::sync::Arc;

use crate::event::EventKind;
use crate::plan::Axis;
use crate::record::{ConnectTimes, Phase, Record};
use crate::server::ServerSample;
use crate::target::TargetName;
use crate::text::Untrusted;
use crate::units::{Moment, Nanos};

/// How closely those who watch want to follow a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Follow {
    /// Requests that are over, and how many are in flight.
    #[default]
    Records,
    /// And how far each request has come: its first content, but not what follows it.
    Stages,
    /// And every piece of every answer, with its text. Costs an allocation an event.
    Text,
}

/// A request, as those who watch know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// Whose.
    pub target: TargetName,
    /// What it counts for.
    pub phase: Phase,
    /// Its block.
    pub block: u32,
    /// Its number within target and phase.
    pub index: u64,
    /// Which attempt at it.
    pub attempt: u32,
    /// Which stream, or user, of the load sends it; 0 in an open loop.
    pub stream: u32,
}

/// How far a request has come. Its end is told by its record.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// No kept connection is free: one is being made.
    Connecting,
    /// It has been handed to a ready connection and waits for its answer.
    Sent,
    /// The head of the answer is there.
    Answering {
        /// When the request's first byte left, as the record will say.
        start: Moment,
        /// The HTTP status.
        status: u16,
    },
    /// A piece of the answer arrived.
    Heard {
        /// What it carried.
        kind: EventKind,
        /// Tokens in it, where the server said so; 0 = not known.
        tokens: u16,
        /// Its text, where texts are followed.
        text: Option<Untrusted>,
    },
}

/// One step of a run.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Measuring is about to begin.
    Began {
        /// Requests that will be sent in all, warm-up included, where that is known beforehand.
        requests: Option<u64>,
        /// Time the load will take, where that is known beforehand.
        duration: Option<Nanos>,
    },
    /// A target's block began.
    Block {
        /// Whose.
        target: TargetName,
        /// What it counts for.
        phase: Phase,
        /// Its number.
        block: u32,
    },
    /// A search holds a target at a level of load.
    Step {
        /// Whose.
        target: TargetName,
        /// Its number.
        step: u32,
        /// What is varied.
        axis: Axis,
        /// Requests per second, or streams.
        level: f64,
    },
    /// Connections were opened ahead.
    Warmed {
        /// To whom.
        target: TargetName,
        /// What each took; a TCP handshake is one round trip.
        opened: Vec<ConnectTimes>,
    },
    /// A request came a step further.
    Moved {
        /// Which.
        ticket: Ticket,
        /// When, on the run's clock; of a piece, its arrival.
        at: Moment,
        /// How far.
        stage: Stage,
    },
    /// A few times a second: how many requests are in flight.
    Pulse {
        /// When, on the run's clock.
        at: Moment,
        /// Requests in flight at each target, in the plan's order.
        in_flight: Vec<u32>,
    },
    /// A target's own metrics were read.
    Sampled(TargetName, Arc<ServerSample>),
    /// A request is over and recorded.
    Recorded(Arc<Record>),
    /// Something worth a line on stderr.
    Note(String),
}
