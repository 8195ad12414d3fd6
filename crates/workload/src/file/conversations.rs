//! Conversations that people had with models, as ShareGPT's JSON and as OpenAI's fine-tuning files hold them.

use std::fmt;
use std::io::BufReader;
use std::io::Read;

use schema::plan::Prompt;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::objects::from_map;
use super::{Kept, Wanted};
use crate::bounded::Bounds;
use crate::error::{Spot, WorkloadError};

/// One conversation under either name; what else an entry says is of no use here.
#[derive(Deserialize)]
struct Conversation {
    #[serde(default)]
    conversations: Option<Vec<Turn>>,
    #[serde(default)]
    messages: Option<Vec<Turn>>,
}

/// What one side said: `from` and `value`, or `role` and `content`.
#[derive(Deserialize)]
struct Turn {
    #[serde(alias = "role")]
    from: String,
    #[serde(default, alias = "content", deserialize_with = "text_of")]
    value: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
    Nothing,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

/// The text of a message, whether it is in one piece or in parts. What is no text is left out.
fn text_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Content::deserialize(deserializer)? {
        Content::Text(text) => text,
        Content::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect::<Vec<_>>().join("\n"),
        Content::Nothing => String::new(),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    System,
    User,
    Model,
    Other,
}

impl Turn {
    fn side(&self) -> Side {
        match self.from.to_ascii_lowercase().as_str() {
            "system" | "developer" => Side::System,
            "human" | "user" => Side::User,
            "gpt" | "chatgpt" | "assistant" | "model" | "bot" | "bing" | "bard" => Side::Model,
            _ => Side::Other,
        }
    }
}

/// Whether a line of JSONL is a conversation.
pub(super) fn is_one(line: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(line)
        .is_ok_and(|object| object.contains_key("conversations") || object.contains_key("messages"))
}

/// Keeps the conversation of one line.
pub(super) fn read_line(spot: &Spot, text: &str, wanted: Wanted<'_>, kept: &mut Kept) -> Result<(), WorkloadError> {
    let conversation: Conversation =
        serde_json::from_str(text).map_err(|source| WorkloadError::NotAConversation { spot: spot.clone(), source })?;
    kept.are_conversations = true;
    keep(
        turns_of(conversation).map_err(|source| WorkloadError::NotAConversation { spot: spot.clone(), source })?,
        wanted,
        kept,
    );
    Ok(())
}

/// Keeps the entries of a JSON array, one after the other: no more than one is held beside what is kept.
pub(super) fn read_array(
    path: &str,
    reader: impl Read,
    wanted: Wanted<'_>,
    kept: &mut Kept,
) -> Result<(), WorkloadError> {
    let bounds = Bounds::new(kept.limits.file_bytes, kept.limits.line_bytes);
    let mut reader = BufReader::new(bounds.watch(reader));
    skip_mark(&mut reader);
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let mut entries = Entries { path, wanted, kept, bounds: &bounds, number: 1, problem: None };
    let read = deserializer.deserialize_seq(&mut entries);
    let Entries { number, problem, kept, .. } = entries;
    let spot = Spot::entry(path, number);
    match read.and_then(|()| deserializer.end()) {
        // What follows the last entry that has room is not looked at.
        Err(_) if kept.is_full => Ok(()),
        Err(source) => {
            Err(problem.or_else(|| bounds.exceeded(&spot)).unwrap_or(WorkloadError::NotAConversation { spot, source }))
        }
        Ok(()) => Ok(()),
    }
}

fn skip_mark(reader: &mut impl std::io::BufRead) {
    const MARK: &[u8] = "\u{FEFF}".as_bytes();
    if reader.fill_buf().is_ok_and(|bytes| bytes.starts_with(MARK)) {
        reader.consume(MARK.len());
    }
}

/// Goes through an array.
struct Entries<'a> {
    path: &'a str,
    wanted: Wanted<'a>,
    kept: &'a mut Kept,
    bounds: &'a Bounds,
    /// Of the entry that is read, from one.
    number: u64,
    /// Why it was given up, where that is no matter of JSON.
    problem: Option<WorkloadError>,
}

impl<'de> Visitor<'de> for &mut Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of conversations")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while !self.kept.is_full {
            self.bounds.next_entry();
            let there_was_one = match self.wanted.columns {
                None => self.conversation(&mut sequence)?,
                Some(_) => self.object(&mut sequence)?,
            };
            if !there_was_one {
                break;
            }
            self.number += 1;
        }
        Ok(())
    }
}

impl Entries<'_> {
    fn conversation<'de, A: SeqAccess<'de>>(&mut self, sequence: &mut A) -> Result<bool, A::Error> {
        let Some(conversation) = sequence.next_element::<Conversation>()? else { return Ok(false) };
        self.kept.are_conversations = true;
        keep(turns_of(conversation)?, self.wanted, self.kept);
        Ok(true)
    }

    fn object<'de, A: SeqAccess<'de>>(&mut self, sequence: &mut A) -> Result<bool, A::Error> {
        let Some(object) = sequence.next_element::<Map<String, Value>>()? else { return Ok(false) };
        let Some(columns) = self.wanted.columns else { return Ok(false) };
        match from_map(&Spot::entry(self.path, self.number), &object, columns) {
            Ok(prompt) => self.kept.keep(prompt, None),
            Err(problem) => {
                self.problem = Some(problem);
                return Err(A::Error::custom("no prompt"));
            }
        }
        Ok(true)
    }
}

fn turns_of<E: serde::de::Error>(conversation: Conversation) -> Result<Vec<Turn>, E> {
    let Conversation { conversations, messages } = conversation;
    conversations.or(messages).ok_or_else(|| E::custom("it has neither `conversations` nor `messages`"))
}

/// Keeps what the user asked: from the first question on, as many as are wanted, and the answer to the first.
fn keep(turns: Vec<Turn>, wanted: Wanted<'_>, kept: &mut Kept) {
    let mut turns = turns.into_iter().filter(|turn| !turn.value.trim().is_empty()).peekable();
    let mut system = None;
    let mut prompt = None;
    let mut answer = None;
    while let Some(turn) = turns.next() {
        match turn.side() {
            Side::System => system = Some(turn.value),
            Side::User => {
                prompt = Some(Prompt { system: system.take(), ..Prompt::of(turn.value) });
                answer = turns.next_if(|turn| wanted.answers && turn.side() == Side::Model).map(|turn| turn.value);
                break;
            }
            Side::Model | Side::Other => {}
        }
    }
    let Some(mut prompt) = prompt else {
        kept.skipped += 1;
        return;
    };
    let asked = turns.filter(|turn| turn.side() == Side::User).map(|turn| turn.value);
    prompt.followups = asked.take(wanted.turns.saturating_sub(1) as usize).collect();
    kept.keep(prompt, answer);
}
