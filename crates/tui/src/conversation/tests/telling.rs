//! Conversations as they are told to the screen, step by step. Times are milliseconds of the run's clock.

use std::sync::Arc;

use schema::conversation::{Fact, FactKind, Line, Purpose, Script};
use schema::event::{Event, EventKind, Stamp};
use schema::progress::{Progress, Stage, Ticket};
use schema::record::{
    Failure, FailureClass, FinishReason, InConversation, Outcome, Phase, Record, TokenCounts, TokenSource, Usage,
};
use schema::text::Untrusted;
use schema::units::Moment;

use super::super::{Conversation, ConversationSetup, Narrator};
use crate::Screen as _;
use crate::testing::{rows, target};

const TURNS: u32 = 12;

const TARGETS: [(&str, bool); 6] = [
    ("vllm-sim", true),
    ("llamacpp-smollm2-instruct", false),
    ("groq", false),
    ("a-name-that-is-too-long-for-most-places-where-it-is-shown", false),
    ("tgi", true),
    ("cerebras", false),
];

const FACTS: [(FactKind, &str, &str); 6] = [
    (FactKind::Code, "the code of the bicycle shed", "KT-4821"),
    (FactKind::Number, "the number of bees in the smaller hive", "4317"),
    (FactKind::Name, "the name of the carpenter", "Greta Oakes"),
    (FactKind::Place, "the village where we meet", "Dunmere"),
    (FactKind::Code, "the label of the spare key", "RW-9034"),
    (FactKind::Number, "the number of jars in the cellar", "2750"),
];

/// Told in three turns; asked for, in another order, between three passages.
pub(super) fn script() -> Script {
    let facts: Vec<Fact> = (0..)
        .zip(FACTS)
        .map(|(n, (kind, subject, value))| Fact { kind, subject: subject.into(), value: value.into(), told_in: n / 2 })
        .collect();
    let line = |text: String, purpose, asks| Line { text, tokens: 40, purpose, asks };
    let mut lines: Vec<Line> = facts
        .chunks(2)
        .map(|told| {
            let told: Vec<String> = told.iter().map(|fact| format!("{} is {}.", fact.subject, fact.value)).collect();
            line(
                format!("Please remember this for later. {} Just say that you have got it.", told.join(" ")),
                Purpose::Tells,
                None,
            )
        })
        .collect();
    let passage =
        "The dredger is the oldest of them, and its crew of five spends more days mending the chain than digging. ";
    for asked in [[3, 0], [5, 2], [1, 4]] {
        let text = format!("Read this, please. {}\n\nSum this up in two sentences.", passage.repeat(6));
        lines.push(line(text, Purpose::Distracts, None));
        lines.extend(asked.map(|fact| {
            let text = format!("Earlier I told you {}. What is it? Answer with it alone.", facts[fact].subject);
            line(text, Purpose::Asks, Some(fact))
        }));
    }
    Script { facts, lines }
}

pub(super) fn setup(targets: usize) -> ConversationSetup {
    ConversationSetup {
        targets: TARGETS[..targets].iter().map(|(name, simulated)| target(name, *simulated)).collect(),
        conversations: 3,
        turns: TURNS,
        script: Box::new(|_| Some(script())),
    }
}

/// Conversations that are being told, to a screen and in sentences.
pub(super) struct Telling {
    pub(super) screen: Conversation,
    narrator: Narrator,
    pub(super) told: Vec<String>,
    now: u64,
}

impl Telling {
    pub(super) fn of(targets: usize) -> Self {
        let (screen, narrator) = (Conversation::new(setup(targets)), Narrator::new(setup(targets)));
        let mut telling = Self { screen, narrator, told: Vec::new(), now: 1_000 };
        telling.fold(&Progress::Began { requests: Some(72), duration: None });
        telling
    }

    fn fold(&mut self, progress: &Progress) {
        self.screen.fold(progress);
        self.told.extend(self.narrator.fold(progress));
    }

    pub(super) fn warms_up(&mut self) {
        let target = TARGETS[0].0.parse().unwrap();
        self.fold(&Progress::Block { target, phase: Phase::Warmup, block: 0 });
        self.step(0, Phase::Warmup, 0, Stage::Sent);
    }

    fn step(&mut self, target: usize, phase: Phase, index: u64, stage: Stage) {
        let name = TARGETS[target].0.parse().unwrap();
        let ticket = Ticket { target: name, phase, block: 0, index, attempt: 0, stream: 0 };
        self.fold(&Progress::Moved { ticket, at: ms(self.now), stage });
    }

    /// The request of that turn is sent.
    pub(super) fn begins(&mut self, target: usize, conversation: u64, turn: u32) {
        let index = conversation * u64::from(TURNS) + u64::from(turn);
        self.step(target, Phase::Measured, index, Stage::Sent);
        self.now += 120;
    }

    pub(super) fn hears(&mut self, target: usize, text: &str) {
        let text = Some(Untrusted::bounded(text, usize::MAX));
        let index = self.screen.table.seats()[target].turn.index;
        self.step(target, Phase::Measured, index, Stage::Heard { kind: EventKind::Text, tokens: 1, text });
    }

    /// So many turns of that conversation, each to its end. The first target remembers, the second does not.
    pub(super) fn talks(&mut self, target: usize, conversation: u64, turns: u32) {
        (0..turns).for_each(|turn| self.answers(target, conversation, turn));
    }

    /// That turn, to its end.
    pub(super) fn answers(&mut self, target: usize, conversation: u64, turn: u32) {
        let Script { facts, lines } = script();
        let value = lines[turn as usize].asks.map(|fact| facts[fact].value.clone());
        let answer = match (value, target) {
            (None, _) => "I have got it, and I shall keep it in mind until you come back to it.".to_owned(),
            (Some(value), 0) => format!("It is {value}."),
            (Some(_), _) if turn % 3 == 1 => "I do not know.".to_owned(),
            (Some(_), _) if turn % 3 == 2 => "It is RW-9034, I believe.".to_owned(),
            (Some(_), _) => "The harbour lies at the mouth of a slow river.".to_owned(),
        };
        self.begins(target, conversation, turn);
        self.hears(target, &answer);
        let record = record(target, (conversation, turn), self.now, &answer);
        self.now += 300;
        self.fold(&Progress::Recorded(Arc::new(record)));
    }

    /// What failed is tried again.
    pub(super) fn begins_again(&mut self, target: usize, conversation: u64, turn: u32) {
        let name = TARGETS[target].0.parse().unwrap();
        let index = conversation * u64::from(TURNS) + u64::from(turn);
        let ticket = Ticket { target: name, phase: Phase::Measured, block: 0, index, attempt: 1, stream: 0 };
        self.fold(&Progress::Moved { ticket, at: ms(self.now), stage: Stage::Sent });
    }

    pub(super) fn fails(&mut self, target: usize, conversation: u64, turn: u32, class: FailureClass, message: &str) {
        self.begins(target, conversation, turn);
        let failure = Failure { class, message: message.into(), retry_after_ns: None };
        let failed = Record {
            outcome: Outcome::Failed(failure),
            events: Vec::new().into(),
            output: None,
            tokens: None,
            usage: None,
            ..record(target, (conversation, turn), self.now, "")
        };
        self.fold(&Progress::Recorded(Arc::new(failed)));
    }

    /// The rows of a frame half a second later.
    pub(super) fn rows(&mut self, size: (u16, u16)) -> Vec<String> {
        rows(&mut self.screen, self.now + 500, size)
    }

    pub(super) fn drawn(&mut self, size: (u16, u16)) -> String {
        self.rows(size).iter().map(|row| row.trim_end()).collect::<Vec<_>>().join("\n")
    }
}

fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

/// A turn that was answered at `end`. The first target has a cache, and TTFT grows little; the second has none.
fn record(target: usize, (conversation, turn): (u64, u32), end: u64, answer: &str) -> Record {
    let context = 60 + 210 * u64::from(turn);
    let ttft = if target == 0 { 30 + u64::from(turn) } else { 50 + context / 4 };
    let start = end - 100;
    let event = |after: u64| Event {
        arrival: ms(start + after),
        lag_ns: 20_000,
        bytes: 250,
        tokens: 1,
        kind: EventKind::Text,
        stamp: Stamp::Kernel,
        shared_read: false,
    };
    let usage = Usage {
        input_tokens: Some(context),
        output_tokens: Some(24),
        cached_input_tokens: (target == 0).then_some(context - 60),
        ..Usage::default()
    };
    Record {
        conversation: Some(InConversation { conversation, turn }),
        max_tokens: 128,
        start_ns: Some(ms(start)),
        end_ns: Some(ms(end)),
        status: Some(200),
        request_bytes: 400,
        response_bytes: 800,
        reads: 2,
        events: vec![event(ttft), event(ttft + 40)].into(),
        usage: Some(usage),
        tokens: Some(TokenCounts { input: Some(context), output: 24, source: TokenSource::ServerUsage }),
        output: Some(vec![answer.into(), "".into()]),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent(
            TARGETS[target].0.parse().unwrap(),
            conversation * u64::from(TURNS) + u64::from(turn),
            ms(start),
        )
    }
}
