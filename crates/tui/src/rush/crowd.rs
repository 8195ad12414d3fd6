//! What each user of one target's crowd is doing.

use std::collections::HashMap;

use schema::progress::{Stage, Ticket};
use schema::record::{Outcome, Record};

/// Looks at the queue that are remembered; when there are more, every other one is forgotten.
const LOOKS: usize = 1_024;

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing: has not asked yet, or was sent away.
    Idle,
    /// Making a connection.
    Connecting,
    /// Asked, and not answered yet.
    Waiting,
    /// Being answered.
    Generating,
    /// Answered, and not asking again yet.
    Finished,
    /// Let down, and not asking again yet.
    Failed,
}

impl Doing {
    pub(super) const ALL: [Self; 6] =
        [Self::Idle, Self::Connecting, Self::Waiting, Self::Generating, Self::Finished, Self::Failed];

    /// The letter of its cell.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Idle => '·',
            Self::Connecting => 'c',
            Self::Waiting => 'w',
            Self::Generating => 'g',
            Self::Finished => 'f',
            Self::Failed => 'x',
        }
    }

    /// As it is printed.
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Connecting => "connecting",
            Self::Waiting => "waiting",
            Self::Generating => "generating",
            Self::Finished => "finished",
            Self::Failed => "failed",
        }
    }
}

/// Whose request: its number, and which attempt at it.
type Asking = (u64, u32);

/// A user, as its cell shows it.
#[derive(Debug, Clone, Copy)]
struct User {
    doing: Doing,
    /// What it asked for last.
    asking: Option<Asking>,
}

/// The crowd at one target.
#[derive(Debug)]
pub(super) struct Crowd {
    users: Vec<User>,
    /// Whether requests are not users' own: then they are dealt out in order, and a cell shows the latest of its own.
    in_waves: bool,
    /// Requests in flight: whose, and how far.
    in_flight: HashMap<Asking, (usize, Doing)>,
    /// How many of these wait.
    queued: u32,
    waiting: Vec<u32>,
    /// Every so many looks one is kept.
    every: u32,
    looks: u32,
}

impl Crowd {
    pub(super) fn new(users: u32, in_waves: bool) -> Self {
        let users = vec![User { doing: Doing::Idle, asking: None }; users as usize];
        Self { users, in_waves, in_flight: HashMap::new(), queued: 0, waiting: Vec::new(), every: 1, looks: 0 }
    }

    /// A request came a step further.
    pub(super) fn step(&mut self, ticket: &Ticket, stage: &Stage) {
        let number = if self.in_waves { ticket.index % (self.users.len().max(1) as u64) } else { ticket.stream.into() };
        let Some(user) = usize::try_from(number).ok().filter(|user| *user < self.users.len()) else { return };
        let doing = match stage {
            Stage::Connecting => Doing::Connecting,
            Stage::Sent | Stage::Answering { .. } => Doing::Waiting,
            Stage::Heard { kind, .. } if kind.is_content() => Doing::Generating,
            Stage::Heard { .. } => return,
        };
        let asking = (ticket.index, ticket.attempt);
        // A user has one request at a time: the end of an earlier one was missed.
        let earlier = self.users[user].asking.filter(|earlier| !self.in_waves && *earlier != asking);
        if let Some(earlier) = earlier {
            self.forget(earlier);
        }
        self.forget(asking);
        self.queued += u32::from(doing == Doing::Waiting);
        self.in_flight.insert(asking, (user, doing));
        if !self.in_waves || self.users[user].asking.is_none_or(|latest| latest <= asking) {
            self.users[user] = User { doing, asking: Some(asking) };
        }
    }

    /// A request is over.
    pub(super) fn end(&mut self, record: &Record) {
        let asking = (record.index, record.attempt);
        let Some(user) = self.forget(asking) else { return };
        let user = &mut self.users[user];
        if user.asking == Some(asking) {
            user.doing = match &record.outcome {
                Outcome::Complete { .. } => Doing::Finished,
                Outcome::Failed(_) => Doing::Failed,
                Outcome::NotSent | Outcome::Cancelled | Outcome::Interrupted => Doing::Idle,
            };
        }
    }

    /// It is in flight no more; whose it was.
    fn forget(&mut self, asking: Asking) -> Option<usize> {
        let (user, doing) = self.in_flight.remove(&asking)?;
        self.queued -= u32::from(doing == Doing::Waiting);
        Some(user)
    }

    /// Nothing is in flight: what seems to be has an end that was missed.
    pub(super) fn rest(&mut self) {
        self.in_flight.clear();
        self.queued = 0;
    }

    /// Looks at how many wait.
    pub(super) fn look(&mut self) {
        if self.looks.is_multiple_of(self.every) {
            self.waiting.push(self.queued);
        }
        self.looks = self.looks.wrapping_add(1);
        if self.waiting.len() > LOOKS {
            let mut number = 0;
            self.waiting.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every = self.every.saturating_mul(2);
        }
    }

    pub(super) fn users(&self) -> impl ExactSizeIterator<Item = Doing> + '_ {
        self.users.iter().map(|user| user.doing)
    }

    /// How many cells show that.
    pub(super) fn count(&self, doing: Doing) -> u32 {
        u32::try_from(self.users().filter(|user| *user == doing).count()).unwrap_or(u32::MAX)
    }

    pub(super) const fn is_in_waves(&self) -> bool {
        self.in_waves
    }

    /// Requests that wait: in waves, of earlier ones too.
    pub(super) const fn queued(&self) -> u32 {
        self.queued
    }

    /// How many waited, over time.
    pub(super) fn waiting(&self) -> &[u32] {
        &self.waiting
    }
}
