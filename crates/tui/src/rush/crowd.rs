//! What each user of one target's crowd is doing.

use std::collections::HashMap;

use schema::progress::{Stage, Ticket};
use schema::record::Record;
use schema::units::Moment;

/// Looks at the queue that are remembered; when there are more, every other one is forgotten.
const LOOKS: usize = 1_024;

/// What a user is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Nothing yet.
    Idle,
    /// Making a connection.
    Connecting,
    /// Asked, and not answered yet.
    Waiting,
    /// Being answered.
    Generating,
    /// Answered, and not asking again.
    Finished,
    /// Let down, and not asking again.
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

/// The crowd at one target.
#[derive(Debug)]
pub(super) struct Crowd {
    users: Vec<Doing>,
    /// Whether requests are not users' own: then they are dealt out in order.
    in_waves: bool,
    /// Who sent what is in flight.
    senders: HashMap<(u64, u32), usize>,
    waiting: Vec<(Moment, u32)>,
    /// Every so many looks one is kept.
    every: u32,
    looks: u32,
}

impl Crowd {
    pub(super) fn new(users: u32, in_waves: bool) -> Self {
        let users = vec![Doing::Idle; users as usize];
        Self { users, in_waves, senders: HashMap::new(), waiting: Vec::new(), every: 1, looks: 0 }
    }

    /// A request came a step further.
    pub(super) fn step(&mut self, ticket: &Ticket, _at: Moment, stage: &Stage) {
        let user = if self.in_waves { ticket.index % (self.users.len().max(1) as u64) } else { ticket.stream.into() };
        let Some(user) = usize::try_from(user).ok().filter(|user| *user < self.users.len()) else { return };
        self.senders.insert((ticket.index, ticket.attempt), user);
        self.users[user] = match stage {
            Stage::Connecting => Doing::Connecting,
            Stage::Sent | Stage::Answering { .. } => Doing::Waiting,
            Stage::Heard { kind, .. } if kind.is_content() => Doing::Generating,
            Stage::Heard { .. } => return,
        };
    }

    /// A request is over.
    pub(super) fn end(&mut self, record: &Record) {
        let Some(user) = self.senders.remove(&(record.index, record.attempt)) else { return };
        self.users[user] = if record.outcome.is_complete() { Doing::Finished } else { Doing::Failed };
    }

    /// Looks at how many wait.
    pub(super) fn look(&mut self, at: Moment) {
        if self.looks.is_multiple_of(self.every) {
            self.waiting.push((at, self.count(Doing::Waiting)));
        }
        self.looks += 1;
        if self.waiting.len() > LOOKS {
            let mut number = 0;
            self.waiting.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every *= 2;
        }
    }

    pub(super) fn users(&self) -> &[Doing] {
        &self.users
    }

    /// How many are doing that.
    pub(super) fn count(&self, doing: Doing) -> u32 {
        u32::try_from(self.users.iter().filter(|user| **user == doing).count()).unwrap_or(u32::MAX)
    }

    /// How many waited, over time.
    pub(super) fn waiting(&self) -> &[(Moment, u32)] {
        &self.waiting
    }
}
