//! Who is talked with, and how far that has come.

use schema::conversation::{Conversations, Evidence, Script};
use schema::event::EventKind;
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{Outcome, Phase, Record};
use schema::target::Target;
use schema::text::Untrusted;
use schema::units::Moment;

use super::ConversationSetup;
use crate::text::Flow;

/// Records up to which every new one is judged at once; of more, only as many new ones as are this part of all.
const FEW: usize = 400;
const PART: usize = 16;

/// All who are talked with.
pub(super) struct Table {
    seats: Vec<Seat>,
    conversations: u32,
    turns: u32,
    script: Box<dyn Fn(u64) -> Option<Script> + Send>,
}

/// One of them.
pub(super) struct Seat {
    pub(super) target: Target,
    /// Of measured requests.
    records: Vec<Record>,
    /// What they came to, as far as they were judged.
    pub(super) came_to: Option<Conversations>,
    judged: usize,
    /// The conversation and the turn that is on, or comes next.
    place: (u64, u32),
    /// Its conversation as it is to go.
    pub(super) script: Option<Script>,
    pub(super) turn: TurnAtHand,
    /// When something happened there last.
    pub(super) moved: Moment,
}

/// The turn that is on, or was last.
#[derive(Default)]
pub(super) struct TurnAtHand {
    pub(super) warming: bool,
    /// Its number in the conversation, once it was begun.
    pub(super) number: Option<u32>,
    pub(super) index: u64,
    pub(super) start: Option<Moment>,
    pub(super) first: Option<Moment>,
    pub(super) pieces: u64,
    pub(super) said: Flow,
    /// How it ended.
    pub(super) end: Option<Outcome>,
}

impl Table {
    pub(super) fn new(setup: ConversationSetup) -> Self {
        let seat = |target: &Target| Seat {
            target: target.clone(),
            records: Vec::new(),
            came_to: None,
            judged: 0,
            place: (0, 0),
            script: (setup.script)(0),
            turn: TurnAtHand::default(),
            moved: Moment::EPOCH,
        };
        let seats = setup.targets.iter().map(seat).collect();
        Self { seats, conversations: setup.conversations, turns: setup.turns, script: setup.script }
    }

    pub(super) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    pub(super) fn seats_mut(&mut self) -> &mut [Seat] {
        &mut self.seats
    }

    pub(super) const fn conversations(&self) -> u32 {
        self.conversations
    }

    /// `conversation 2 of 3`. One that breaks off makes room for another, so there may be more than were meant.
    pub(super) fn conversation_in_words(&self, number: u64) -> String {
        let (number, all) = (number + 1, u64::from(self.conversations));
        if number > all {
            format!("conversation {number}, in place of one that broke off")
        } else {
            format!("conversation {number} of {all}")
        }
    }

    pub(super) const fn turns(&self) -> u32 {
        self.turns
    }

    pub(super) fn fold(&mut self, progress: &Progress) {
        match progress {
            Progress::Moved { ticket, at, stage } => {
                if let Some(seat) = self.seats.iter_mut().find(|seat| seat.target.name == ticket.target) {
                    seat.moved(ticket, *at, stage, &self.script);
                }
            }
            Progress::Recorded(record) => {
                let turns = self.turns;
                if let Some(seat) = self.seats.iter_mut().find(|seat| seat.target.name == record.target) {
                    seat.recorded(record, turns);
                }
            }
            _ => {}
        }
    }

    /// Whether everybody has answered the last turn of all. One that failed may be tried again.
    pub(super) fn is_over(&self) -> bool {
        let asked = u64::from(self.conversations) * u64::from(self.turns);
        let is_last = |record: &Record| record.index + 1 >= asked && record.outcome.is_complete();
        self.seats.iter().all(|seat| seat.records.last().is_some_and(is_last))
    }

    /// Judges what was recorded since.
    pub(super) fn judge(&mut self, all: bool) {
        for seat in &mut self.seats {
            let new = seat.records.len() - seat.judged;
            if new > 0 && (all || seat.records.len() <= FEW || new >= seat.records.len() / PART) {
                seat.came_to = stats::conversations(&seat.target, &seat.records, &self.script);
                seat.judged = seat.records.len();
            }
        }
    }
}

impl Table {
    /// What the conversation of the latest record has come to so far; others make no difference to it.
    pub(super) fn at_hand(&self, seat: &Seat) -> Option<Conversations> {
        let number = |record: &Record| record.conversation.map(|place| place.conversation);
        let latest = seat.records.last().and_then(number)?;
        let own = seat.records.iter().rev().take_while(|record| number(record) == Some(latest));
        stats::conversations(&seat.target, own, &self.script)
    }
}

impl Seat {
    /// Which conversation is on, from 0.
    pub(super) const fn conversation(&self) -> u64 {
        self.place.0
    }

    /// The turn that comes next, or is on.
    pub(super) const fn next_turn(&self) -> u32 {
        self.place.1
    }

    /// Questions that were answered, of all conversations.
    pub(super) fn evidence(&self) -> &[Evidence] {
        self.came_to.as_ref().map_or(&[], |all| &all.retention.evidence)
    }

    fn moved(&mut self, ticket: &Ticket, at: Moment, stage: &Stage, script: &dyn Fn(u64) -> Option<Script>) {
        self.moved = at;
        let warming = ticket.phase == Phase::Warmup;
        let is_new = self.turn.index != ticket.index || self.turn.warming != warming || self.turn.end.is_some();
        if is_new || self.turn.number.is_none() {
            self.begin(ticket, warming, script);
        }
        let turn = &mut self.turn;
        match stage {
            Stage::Connecting => {}
            Stage::Sent => turn.start = Some(at),
            Stage::Answering { start, .. } => turn.start = Some(*start),
            Stage::Heard { kind, text, .. } => {
                if kind.is_content() {
                    turn.first.get_or_insert(at);
                    turn.pieces += 1;
                }
                if let Some(text) = text.as_ref().filter(|_| *kind == EventKind::Text) {
                    turn.said.push(text);
                }
            }
        }
    }

    fn begin(&mut self, ticket: &Ticket, warming: bool, script: &dyn Fn(u64) -> Option<Script>) {
        let index = ticket.index;
        // Another attempt is at the same turn of the same conversation, which has not broken off after all.
        let again = self.turn.number.filter(|_| ticket.attempt > 0 && !warming);
        let number = again.unwrap_or(if warming { 0 } else { self.place.1 });
        if again.is_none() && !warming && number == 0 {
            self.script = script(self.place.0);
        }
        self.turn = TurnAtHand { warming, number: Some(number), index, ..TurnAtHand::default() };
    }

    fn recorded(&mut self, record: &Record, turns: u32) {
        self.moved = record.end_ns.unwrap_or(self.moved);
        let Some(place) = record.conversation.filter(|_| record.phase == Phase::Measured) else { return };
        let (conversation, turn) = (place.conversation, place.turn);
        self.turn.end = Some(record.outcome.clone());
        self.turn.number = Some(turn);
        // A turn without an answer is the last of its conversation.
        let goes_on = record.outcome.is_complete() && turn + 1 < turns;
        self.place = if goes_on { (conversation, turn + 1) } else { (conversation + 1, 0) };
        self.records.push(record.clone());
    }

    /// What was said on both sides in the turns before the one at hand, the latest first.
    pub(super) fn before(&self) -> impl Iterator<Item = (Untrusted, Untrusted)> + '_ {
        let (last, at_hand) = (self.records.last().and_then(|record| record.conversation), self.turn.number);
        let script = self.script.as_ref();
        self.records.iter().rev().filter_map(move |record| {
            let (place, last) = (record.conversation?, last?);
            let same = place.conversation == last.conversation && place.turn < at_hand? && !self.turn.warming;
            let line = script.filter(|_| same)?.lines.get(place.turn as usize)?;
            Some((line.text.as_str().into(), Untrusted::bounded(stats::answer_of(record), usize::MAX)))
        })
    }

    /// What the user says in the turn at hand.
    pub(super) fn asked(&self) -> Option<Untrusted> {
        let line = self.script.as_ref()?.lines.get(self.turn.number? as usize)?;
        Some(Untrusted::bounded(line.text.as_str(), usize::MAX))
    }
}
