//! Races as they are told, step by step. Times are milliseconds of the run's clock.

use std::sync::Arc;

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::event::{Event, EventKind, Stamp};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{
    ConnectTimes, Failure, FailureClass, FinishReason, Outcome, Phase, Record, TokenCounts, TokenSource,
};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use super::super::{Lane, Race, RaceSetup};
use crate::testing::rows;
use crate::{Reaction, Screen as _};

/// When heats begin.
pub(super) const START: u64 = 1_000;

const WORDS: &str = "A lease is a promise with a date on it: whoever holds it may act until then, and nobody has to be \
    asked. When the date has passed, the promise is void, and whoever was silent has lost nothing but time. So the \
    price of a failure is bounded by the length of the lease, and the price of safety by how often it is renewed. ";

pub(super) fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

/// A race that is being told.
pub(super) struct Script {
    pub(super) race: Race,
    phase: Phase,
    block: u32,
    /// What was heard of each target's request.
    events: Vec<Vec<Event>>,
}

/// Names, and whether they are simulated.
const TARGETS: [(&str, bool); 6] = [
    ("groq", false),
    ("vllm-l40s", true),
    ("llamacpp-smollm2-instruct", false),
    ("ollama", true),
    ("tgi", true),
    ("cerebras", false),
];

pub(super) fn lane((name, simulated): (&str, bool)) -> Lane {
    let pair = |key: &str, value: &str| (key.to_owned(), Untrusted::from(value));
    Lane {
        name: name.parse().unwrap(),
        simulated,
        endpoint: format!("{name}.example:8000"),
        model: "smollm2-135m-instruct".to_owned(),
        about: vec![pair("version", "0.32.1"), pair("context", "8192"), pair("quantization", "Q8_0")],
    }
}

pub(super) fn setup(lanes: usize, runs: u32) -> RaceSetup {
    RaceSetup {
        prompt: Untrusted::from("Explain in plain words how a lease keeps two machines from doing the same work."),
        targets: TARGETS[..lanes].iter().copied().map(lane).collect(),
        runs,
        max_tokens: 256,
        blind: None,
    }
}

impl Script {
    pub(super) fn new(setup: RaceSetup) -> Self {
        let events = vec![Vec::new(); setup.targets.len()];
        Self { race: Race::new(setup), phase: Phase::Measured, block: 0, events }
    }

    pub(super) fn of(lanes: usize) -> Self {
        Self::new(setup(lanes, 1))
    }

    fn ticket(&self, target: usize) -> Ticket {
        Ticket {
            target: self.race.setup.targets[target].name.clone(),
            phase: self.phase,
            block: self.block,
            index: self.block.into(),
            attempt: 0,
            stream: 0,
        }
    }

    pub(super) fn warmed(&mut self, target: usize, micros: u64) {
        let opened = vec![ConnectTimes { dns_ns: None, tcp_ns: Nanos(micros * 1_000), tls_ns: None }];
        let target = self.race.setup.targets[target].name.clone();
        self.race.fold(&Progress::Warmed { target, opened });
    }

    /// Another heat begins.
    pub(super) fn heat(&mut self, phase: Phase, block: u32) {
        (self.phase, self.block) = (phase, block);
        self.events.iter_mut().for_each(Vec::clear);
        for lane in self.race.setup.targets.clone() {
            self.race.fold(&Progress::Block { target: lane.name, phase, block });
        }
    }

    pub(super) fn stage(&mut self, target: usize, at: u64, stage: Stage) {
        let ticket = self.ticket(target);
        self.race.fold(&Progress::Moved { ticket, at: ms(at), stage });
    }

    /// All are sent at one instant.
    pub(super) fn sent(&mut self) {
        for target in 0..self.events.len() {
            self.warmed(target, 120 + 40 * target as u64);
            self.stage(target, START, Stage::Sent);
        }
    }

    pub(super) fn heard(&mut self, target: usize, at: u64, kind: EventKind, tokens: u16, text: &str) {
        if self.events[target].is_empty() {
            self.stage(target, at, Stage::Answering { start: ms(START), status: 200 });
        }
        let stamp = Stamp::Kernel;
        self.events[target].push(Event {
            arrival: ms(at),
            lag_ns: 40_000,
            bytes: 180,
            tokens,
            kind,
            stamp,
            shared_read: false,
        });
        let text = Some(Untrusted::from(text));
        self.stage(target, at, Stage::Heard { kind, tokens, text });
    }

    /// So many words from `from` on, one each `every` milliseconds.
    pub(super) fn says(&mut self, target: usize, words: usize, (from, every): (u64, u64)) {
        for (number, word) in WORDS.split_inclusive(' ').cycle().take(words).enumerate() {
            self.heard(target, from + every * number as u64, EventKind::Text, 0, word);
        }
    }

    /// The record of what was heard so far, which ended at `at`.
    pub(super) fn record(&self, target: usize, at: u64, outcome: Outcome) -> Record {
        let events = &self.events[target];
        let count = events.len() as u64;
        let counted = TokenCounts { input: Some(20), output: count, source: TokenSource::ServerUsage };
        let ticket = self.ticket(target);
        Record {
            phase: ticket.phase,
            block: ticket.block,
            max_tokens: 256,
            start_ns: Some(ms(START)),
            sent_ns: Some(Moment(ms(START).0 + 30_000)),
            first_byte_ns: events.first().map(|event| event.arrival),
            headers_ns: events.first().map(|event| event.arrival),
            end_ns: Some(ms(at)),
            status: Some(200),
            request_bytes: 400,
            response_bytes: 180 * count,
            reads: u32::try_from(count).unwrap(),
            events: events.iter().copied().collect(),
            tokens: (count > 0).then_some(counted),
            outcome,
            ..Record::not_sent(ticket.target, ticket.index, ms(START))
        }
    }

    pub(super) fn recorded(&mut self, record: Record) {
        self.race.fold(&Progress::Recorded(Arc::new(record)));
    }

    pub(super) fn completes(&mut self, target: usize, at: u64) {
        self.recorded(self.record(target, at, Outcome::Complete { finish: FinishReason::Stop }));
    }

    pub(super) fn fails(&mut self, target: usize, at: u64, class: FailureClass, message: &str) {
        let failure = Failure { class, message: Untrusted::from(message), retry_after_ns: None };
        self.recorded(self.record(target, at, Outcome::Failed(failure)));
    }

    pub(super) fn press(&mut self, code: KeyCode) -> Reaction {
        self.race.press(KeyEvent::from(code))
    }

    /// The rows of a frame at `at`.
    pub(super) fn rows(&mut self, at: u64, size: (u16, u16)) -> Vec<String> {
        rows(&mut self.race, at, size)
    }

    /// A frame at `at`, row by row.
    pub(super) fn drawn(&mut self, at: u64, size: (u16, u16)) -> String {
        self.rows(at, size).iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
    }
}
