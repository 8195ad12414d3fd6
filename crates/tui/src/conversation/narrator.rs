//! Conversations in sentences, for screen readers, pipes and logs: one a turn, and one for each verdict.

use std::collections::BTreeSet;

use schema::conversation::Turn;
use schema::counted;
use schema::progress::Progress;
use schema::record::{Outcome, Phase, Record};

use super::ConversationSetup;
use super::memory::in_words;
use super::seat::{Seat, Table};

/// Conversations as they are told.
pub struct Narrator {
    table: Table,
    warming: bool,
    /// Conversations whose beginning was told.
    begun: BTreeSet<(usize, u64)>,
}

impl Narrator {
    /// Nothing has been said yet.
    pub fn new(setup: ConversationSetup) -> Self {
        Self { table: Table::new(setup), warming: false, begun: BTreeSet::new() }
    }

    /// What is to be said of one step.
    pub fn fold(&mut self, progress: &Progress) -> Vec<String> {
        self.table.fold(progress);
        match progress {
            Progress::Began { .. } => vec![self.opening()],
            Progress::Block { phase: Phase::Warmup, .. } if !std::mem::replace(&mut self.warming, true) => {
                vec!["Warming up; this does not count.".to_owned()]
            }
            Progress::Recorded(record) if record.phase == Phase::Measured => self.recorded(record),
            Progress::Note(note) => vec![note.clone()],
            _ => Vec::new(),
        }
    }

    fn opening(&self) -> String {
        let names: Vec<String> = self.table.seats().iter().map(name).collect();
        let conversations = self.table.conversations();
        let each =
            if conversations == 1 { "One conversation".to_owned() } else { format!("{conversations} conversations") };
        format!("{each} of {} turns with each of {}: {}.", self.table.turns(), names.len(), names.join(", "))
    }

    fn recorded(&mut self, record: &Record) -> Vec<String> {
        let found = self.table.seats().iter().enumerate().find(|(_, seat)| seat.target.name == record.target);
        let (Some((number, seat)), Some(place)) = (found, record.conversation) else { return Vec::new() };
        let at = (place.conversation, place.turn);
        let mut told = Vec::new();
        if self.begun.insert((number, place.conversation)) {
            told.push(format!("{}: {}.", name(seat), self.table.conversation_in_words(at.0)));
        }
        let came_to = self.table.at_hand(seat);
        let turn = came_to.iter().flat_map(|all| &all.turns).find(|turn| (turn.conversation, turn.turn) == at);
        told.extend(turn.map(|turn| sentence(seat, turn, record, self.table.turns())));
        let mut evidence = came_to.iter().flat_map(|all| &all.retention.evidence);
        let verdict = evidence.find(|one| (one.conversation, one.asked_in) == at);
        told.extend(verdict.map(|one| format!("{} was asked for {}", name(seat), in_words(one))));
        told
    }
}

/// Its name, and the mark where no model speaks.
fn name(seat: &Seat) -> String {
    let mark = if seat.target.simulated { " (SIMULATED)" } else { "" };
    format!("{}{mark}", seat.target.name)
}

fn sentence(seat: &Seat, turn: &Turn, record: &Record, turns: u32) -> String {
    let about = if turn.estimated { "about " } else { "" };
    let cached = turn.cached_tokens.map(|cached| format!(", {cached} of them cached")).unwrap_or_default();
    let context = turn.context_tokens.map(|tokens| format!(" {about}{} of context{cached};", counted(tokens, "token")));
    let came = match (&record.outcome, turn.ttft_ns) {
        (Outcome::Failed(failure), _) => format!(" failed: {}: {}", failure.class, failure.message),
        (Outcome::Complete { .. }, Some(ttft)) => {
            let output = turn.output_tokens.map(|tokens| format!(", {}", counted(tokens, "token"))).unwrap_or_default();
            format!(" TTFT {ttft}{output}")
        }
        _ => " not finished".to_owned(),
    };
    let (number, purpose) = (turn.turn + 1, turn.purpose.in_words());
    format!("{}, turn {number} of {turns} {purpose}:{}{came}.", name(seat), context.unwrap_or_default())
}
