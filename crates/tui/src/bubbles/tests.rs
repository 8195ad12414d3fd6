use ratatui::layout::Rect;
use schema::event::{Event, EventKind, Stamp};
use schema::progress::Ticket;
use schema::projection::WaitsFor;
use schema::record::{Failure, FailureClass, FinishReason, InConversation, Outcome, Record, TokenCounts, TokenSource};
use schema::units::{Moment, Nanos};
use std::sync::Arc;

use super::*;
use crate::testing::{SIZES, drawn};

const START: u64 = 1_000;

const WORDS: &str = "Thank you for writing, and I am sorry about the wait. A replacement can be collected tonight at our \
    shop in the station, until ten. Please keep the other parcel when it comes: a label for sending it back is on its way to you. ";

fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

fn scene() -> Scene {
    Scene {
        title: "Customer support".to_owned(),
        person: "The customer".to_owned(),
        setting: "A parcel has not come, and the chat window of the shop is open on a telephone at a bus stop.".into(),
        waits_for: WaitsFor::FirstWords,
        messages: vec![
            "My tent was to arrive on Tuesday and it is Friday. The tracking page has said \"in transit\" for three \
             days, and we leave tomorrow morning at seven. What can you do for me?"
                .to_owned(),
            "Can I pick one up tonight?".to_owned(),
        ],
    }
}

fn lane(name: &str) -> Lane {
    Lane {
        name: name.parse().unwrap(),
        simulated: name.ends_with("sim"),
        endpoint: "127.0.0.1:8000".to_owned(),
        model: "m".to_owned(),
        about: Vec::new(),
    }
}

/// A scene as it is told; times are milliseconds.
struct Script {
    screen: Bubbles,
    turn: u32,
    events: Vec<Vec<(Event, Untrusted)>>,
}

impl Script {
    fn new() -> Self {
        let lanes = vec![lane("vllm-sim"), lane("groq"), lane("ollama-sim")];
        Self { events: vec![Vec::new(); lanes.len()], screen: Bubbles::new(scene(), lanes), turn: 0 }
    }

    fn moved(&mut self, target: usize, at: u64, stage: Stage) {
        let ticket = Ticket {
            target: self.screen.lanes[target].name.clone(),
            phase: Phase::Measured,
            block: self.turn,
            index: self.turn.into(),
            attempt: 0,
            stream: 0,
        };
        self.screen.fold(&Progress::Moved { ticket, at: ms(at), stage });
    }

    fn sent(&mut self) {
        for target in 0..self.events.len() {
            self.moved(target, START, Stage::Sent);
        }
    }

    fn hears(&mut self, target: usize, at: u64, kind: EventKind, text: &str) {
        let event = Event {
            arrival: ms(at),
            lag_ns: 40_000,
            bytes: 90,
            tokens: 1,
            kind,
            stamp: Stamp::Kernel,
            shared_read: false,
        };
        self.events[target].push((event, text.into()));
        self.moved(target, at, Stage::Heard { kind, tokens: 1, text: Some(text.into()) });
    }

    fn says(&mut self, target: usize, words: usize, from: u64, every: u64) {
        for (number, word) in WORDS.split_inclusive(' ').cycle().take(words).enumerate() {
            self.hears(target, from + every * number as u64, EventKind::Text, word);
        }
    }

    /// A message without an answer ends its conversation.
    fn place(&self, target: usize) -> InConversation {
        let failed = |turn: &usize| self.screen.turns[*turn][target].has_failed();
        let turns = 0..usize::try_from(self.turn).unwrap();
        let turn = turns.clone().rev().take_while(|turn| !failed(turn)).count();
        let conversation = turns.filter(failed).count() as u64;
        InConversation { conversation, turn: u32::try_from(turn).unwrap() }
    }

    fn recorded(&mut self, target: usize, outcome: Outcome) {
        let heard = std::mem::take(&mut self.events[target]);
        let output = heard.len() as u64;
        let (events, texts): (Vec<Event>, Vec<Untrusted>) = heard.into_iter().unzip();
        let record = Record {
            block: self.turn,
            conversation: Some(self.place(target)),
            max_tokens: 256,
            start_ns: Some(ms(START)),
            end_ns: events.last().map(|event| event.arrival),
            status: Some(200),
            request_bytes: 300,
            response_bytes: 3_000,
            reads: 10,
            events: events.into(),
            tokens: Some(TokenCounts { input: Some(40), output, source: TokenSource::ServerUsage }),
            output: Some(texts),
            outcome,
            ..Record::not_sent(self.screen.lanes[target].name.clone(), self.turn.into(), ms(START))
        };
        self.screen.fold(&Progress::Recorded(Arc::new(record)));
    }

    fn completes(&mut self, target: usize) {
        self.recorded(target, Outcome::Complete { finish: FinishReason::Stop });
    }

    #[track_caller]
    fn check(&mut self, name: &str, at: u64) {
        for size in SIZES {
            insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), drawn(&mut self.screen, at, size));
        }
    }
}

#[test]
fn before_it_begins() {
    Script::new().check("before", 0);
}

#[test]
fn all_are_typing_as_their_pieces_arrive() {
    let mut script = Script::new();
    script.sent();
    script.says(0, 50, START + 60, 20);
    script.says(1, 12, START + 340, 60);
    script.check("typing", START + 1_080);
}

#[test]
fn what_the_wait_meant_is_told_when_an_answer_is_there() {
    let mut script = Script::new();
    script.sent();
    script.says(0, 60, START + 60, 20);
    script.completes(0);
    script.says(1, 30, START + 1_340, 60);
    script.completes(1);
    let failure = Failure { class: FailureClass::Overloaded, message: "\u{1b}[2Jbusy".into(), retry_after_ns: None };
    script.recorded(2, Outcome::Failed(failure));
    script.check("meanings", START + 4_000);
    assert!(!script.screen.is_over(), "another message follows");
}

#[test]
fn the_second_message_takes_the_place_of_the_first_which_can_be_looked_at() {
    let mut script = Script::new();
    script.sent();
    for target in 0..3 {
        script.says(target, 20, START + 60, 20);
        script.completes(target);
    }
    script.turn = 1;
    script.sent();
    for target in 0..3 {
        script.says(target, 40, START + 100, 15);
        script.completes(target);
    }
    assert!(script.screen.is_over());
    script.check("second", START + 9_000);
    script.screen.press(KeyEvent::from(KeyCode::Left));
    assert!(drawn(&mut script.screen, 0, (120, 40)).contains("message 1 of 2"));
    script.screen.press(KeyEvent::from(KeyCode::Right));
    assert!(drawn(&mut script.screen, 0, (120, 40)).contains("message 2 of 2"));
    assert_eq!(script.screen.press(KeyEvent::from(KeyCode::Enter)), Reaction::Leave);
}

#[test]
fn what_got_no_answer_is_asked_again_and_is_not_taken_for_the_message_after_it() {
    let mut script = Script::new();
    script.sent();
    let failure = Failure { class: FailureClass::Overloaded, message: "busy".into(), retry_after_ns: None };
    script.recorded(0, Outcome::Failed(failure));
    for target in 1..3 {
        script.says(target, 20, START + 60, 20);
        script.completes(target);
    }
    script.turn = 1;
    script.sent();
    for target in 0..3 {
        script.says(target, 40, START + 100, 15);
    }
    let said = "message 1 again";
    let typing = drawn(&mut script.screen, START + 500, (120, 40));
    assert_eq!(typing.matches(said).count(), 1, "{typing}");
    for target in 0..3 {
        script.completes(target);
    }
    let over = drawn(&mut script.screen, START + 9_000, (120, 40));
    assert_eq!(over.matches(said).count(), 2, "in the bubble and in what it means:\n{over}");
    script.check("again", START + 9_000);
}

#[test]
fn hostile_answers_stay_in_their_bubbles() {
    let mut script = Script::new();
    script.sent();
    for piece in
        ["\u{1b}[2J\u{1b}[H", "\u{202e}gnorw", "日本語 🏁👨‍👩‍👧 ", "\r\n\tx", &"w".repeat(300), "\u{200b}\u{feff}e\u{301}"]
    {
        script.hears(1, START + 100, EventKind::Text, piece);
    }
    script.check("hostile", START + 500);
}

#[test]
fn thinking_is_no_answer_yet() {
    let mut script = Script::new();
    script.sent();
    script.hears(0, START + 100, EventKind::Reasoning, "hm");
    assert!(drawn(&mut script.screen, START + 2_400, (120, 40)).contains("thinks · 2.4 s"));
}

#[test]
fn a_viewer_that_missed_everything_still_shows_the_answer() {
    let mut script = Script::new();
    let event = |at| Event {
        arrival: ms(at),
        lag_ns: 0,
        bytes: 9,
        tokens: 1,
        kind: EventKind::Text,
        stamp: Stamp::Kernel,
        shared_read: false,
    };
    script.events[0] = vec![(event(START + 60), "All ".into()), (event(START + 90), "of it.".into())];
    script.completes(0);
    assert!(drawn(&mut script.screen, START + 100, (120, 40)).contains("All of it."));
}

#[test]
fn until_it_is_over_enter_does_nothing_and_q_gives_up() {
    let mut script = Script::new();
    assert_eq!(script.screen.press(KeyEvent::from(KeyCode::Enter)), Reaction::Stay);
    assert_eq!(script.screen.press(KeyEvent::from(KeyCode::Char('q'))), Reaction::Abort);
    script.screen.close();
    for key in [KeyCode::Enter, KeyCode::Char('q'), KeyCode::Esc] {
        assert_eq!(script.screen.press(KeyEvent::from(key)), Reaction::Leave, "nothing is left to be given up");
    }
}

#[test]
fn nothing_is_drawn_over_something_else_at_any_size() {
    for width in (1_u16..130).step_by(4) {
        // Every height, each at some widths.
        for height in (1 + width % 5..45).step_by(5) {
            let area = Rect::new(0, 0, width, height);
            let Places { head, setting, message, bubbles, meaning, foot } = layout::places(area, 4, (6, 8));
            let mut all = vec![head, setting, message, meaning, foot];
            all.extend(bubbles);
            for (number, one) in all.iter().enumerate() {
                assert!(area.union(*one) == area, "{one} leaves {area}");
                for other in &all[number + 1..] {
                    let shared = one.intersection(*other);
                    assert!(shared.is_empty(), "{one} and {other} at {width}×{height}");
                }
            }
        }
    }
}

#[test]
fn no_size_is_too_small() {
    let mut script = Script::new();
    script.sent();
    script.says(0, 20, START + 60, 20);
    script.completes(0);
    for size in [(1, 1), (3, 2), (8, 4), (20, 7), (30, 12)] {
        drawn(&mut script.screen, START + 900, size);
    }
    assert_eq!(
        script.screen.turns[0][0]
            .meaning(&scene(), true)
            .unwrap()
            .matches(Nanos::from_millis(60).to_string().as_str())
            .count(),
        1
    );
}
