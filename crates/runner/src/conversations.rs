//! Conversations of several turns: each stream of a closed load works through one after another, and later turns carry
//! the answers that were really received.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use load::After;
use schema::record::{InConversation, Phase};
use wire::Frame;

/// Text of answers that one conversation carries at most, in bytes: it ends there.
const MOST_CARRIED: usize = 1 << 20;

/// One conversation under way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Talk {
    number: u64,
    answers: Vec<String>,
}

impl Talk {
    /// Which conversation of its target and phase, from 0: all targets meet the same ones.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// The answers so far: as many as turns before the one at hand.
    pub(crate) fn answers(&self) -> &[String] {
        &self.answers
    }

    /// The turn at hand.
    pub(crate) fn place(&self) -> InConversation {
        let turn = u32::try_from(self.answers.len()).unwrap_or(u32::MAX);
        InConversation { conversation: self.number, turn }
    }

    fn carried(&self) -> usize {
        self.answers.iter().map(String::len).sum()
    }
}

/// The conversations of one target, shared by all threads. A conversation that a turn of the target breaks off goes
/// on in its next one, or no block would ever be long enough for the last turns.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    begun: AtomicU64,
    begun_warming: AtomicU64,
    /// By the stream that holds them.
    paused: Mutex<HashMap<(Phase, u32), Talk>>,
}

impl Conversations {
    /// What `stream` is to go on with, or begin.
    pub(crate) fn take(&self, phase: Phase, stream: u32) -> Talk {
        self.lock().remove(&(phase, stream)).unwrap_or_else(|| {
            let begun = match phase {
                Phase::Warmup => &self.begun_warming,
                Phase::Measured => &self.begun,
            };
            Talk { number: begun.fetch_add(1, Ordering::Relaxed), answers: Vec::new() }
        })
    }

    /// Keeps `talk` for its next turn after this answer, if it has one: a turn that got no answer is the last.
    pub(crate) fn put_back(
        &self,
        phase: Phase,
        stream: u32,
        mut talk: Talk,
        answer: Option<String>,
        turns: u32,
    ) -> After {
        let Some(answer) = answer else { return After::SessionOver };
        talk.answers.push(answer);
        if talk.place().turn >= turns || talk.carried() > MOST_CARRIED {
            return After::SessionOver;
        }
        self.lock().insert((phase, stream), talk);
        After::SessionGoesOn
    }

    /// Keeps `talk` as it is: its turn was not had.
    pub(crate) fn put_aside(&self, phase: Phase, stream: u32, talk: Talk) -> After {
        self.lock().insert((phase, stream), talk);
        After::SessionGoesOn
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(Phase, u32), Talk>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects what a model says, to carry it into the next turn.
#[derive(Debug, Default)]
pub(crate) struct Said {
    text: String,
    /// Calls of tools and reasoning: carried only where there is no text, so that the turn is not empty.
    beside: String,
}

impl Said {
    pub(crate) fn hear(&mut self, frame: &Frame<'_>) {
        push(&mut self.text, frame.text.as_deref());
        push(&mut self.beside, frame.reasoning.as_deref());
        push(&mut self.beside, frame.tool_call.as_deref());
    }

    pub(crate) fn answer(self) -> String {
        if self.text.is_empty() { self.beside } else { self.text }
    }
}

/// A text that is too long makes its conversation end; no more than that has to be seen of it.
fn push(text: &mut String, more: Option<&str>) {
    if text.len() <= MOST_CARRIED {
        text.push_str(more.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEASURED: Phase = Phase::Measured;

    /// Takes the next turn of `stream` and answers it.
    fn turn(conversations: &Conversations, stream: u32, answer: Option<&str>) -> (InConversation, After) {
        let talk = conversations.take(MEASURED, stream);
        let place = talk.place();
        (place, conversations.put_back(MEASURED, stream, talk, answer.map(str::to_owned), 3))
    }

    fn place(conversation: u64, turn: u32) -> InConversation {
        InConversation { conversation, turn }
    }

    #[test]
    fn a_stream_works_through_one_conversation_after_another() {
        let all = Conversations::default();
        assert_eq!(turn(&all, 0, Some("a")), (place(0, 0), After::SessionGoesOn));
        assert_eq!(turn(&all, 1, Some("a")), (place(1, 0), After::SessionGoesOn));
        assert_eq!(turn(&all, 0, Some("b")), (place(0, 1), After::SessionGoesOn));
        assert_eq!(turn(&all, 0, Some("c")), (place(0, 2), After::SessionOver));
        assert_eq!(turn(&all, 0, Some("a")), (place(2, 0), After::SessionGoesOn));
        assert_eq!(turn(&all, 1, Some("b")), (place(1, 1), After::SessionGoesOn));
    }

    #[test]
    fn a_turn_without_an_answer_ends_its_conversation() {
        let all = Conversations::default();
        assert_eq!(turn(&all, 0, None), (place(0, 0), After::SessionOver));
        assert_eq!(turn(&all, 0, Some("a")), (place(1, 0), After::SessionGoesOn));
    }

    #[test]
    fn a_conversation_that_carries_too_much_ends() {
        let all = Conversations::default();
        let half = "x".repeat(MOST_CARRIED / 2 + 1);
        assert_eq!(turn(&all, 0, Some(&half)).1, After::SessionGoesOn);
        assert_eq!(turn(&all, 0, Some(&half)), (place(0, 1), After::SessionOver));
    }

    #[test]
    fn warming_up_uses_up_no_measured_conversation() {
        let all = Conversations::default();
        assert_eq!(all.take(Phase::Warmup, 0).number(), 0);
        assert_eq!(all.take(Phase::Warmup, 1).number(), 1);
        assert_eq!(all.take(MEASURED, 0).number(), 0);
    }

    #[test]
    fn only_answer_text_is_carried_if_there_is_any() {
        let said = |frames: &[Frame<'_>]| {
            let mut said = Said::default();
            for frame in frames {
                said.hear(frame);
            }
            said.answer()
        };
        let thought = Frame { reasoning: Some("hm".into()), ..Frame::default() };
        let text = |text: &'static str| Frame { text: Some(text.into()), ..Frame::default() };
        assert_eq!(said(&[thought.clone(), text("yes"), text(", sir")]), "yes, sir");
        assert_eq!(said(&[thought]), "hm");
    }
}
