//! Reading one target's records back, the interrupted ones included.

use std::collections::{BTreeMap, HashSet, btree_map};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use schema::plan::Plan;
use schema::record::{Outcome, Partial, Phase, Record};
use schema::target::{Target, TargetName};
use schema::text::Untrusted;
use serde::de::DeserializeOwned;

use crate::lines::{Line, Lines};
use crate::{IN_FLIGHT, REQUESTS, StoreError, disk};

/// Events of interrupted requests kept in memory at most: about a gigabyte.
const INTERRUPTED_EVENTS: usize = 40_000_000;

/// What a request without events takes up in memory, in events.
const REQUEST_WEIGHT: usize = 20;

/// Bad lines described one by one; further ones are counted.
const DESCRIBED: usize = 20;

/// What tells requests of one target apart: warm-up before measured, then the number.
type Key = (bool, u64);

/// The records of one target in the order they were written, one in memory at a time; then those
/// requests that were in flight when the process died, as far as they had come, as
/// [`Outcome::Interrupted`].
///
/// A line that cannot be read is passed over and told by [`Records::problems`]; an item is an error
/// only when the file itself cannot be read, and is then the last.
#[derive(Debug)]
pub struct Records {
    folder: PathBuf,
    asked: Asked,
    stage: Stage,
    /// Requests that have a record, gathered only when there are parts to compare with.
    recorded: Option<HashSet<Key>>,
    problems: Problems,
    interrupted: u64,
    /// Events that may still be gathered.
    pub(crate) room: usize,
}

/// What the plan says about every request of the target, which parts do not repeat.
#[derive(Debug, Clone)]
struct Asked {
    target: TargetName,
    max_tokens: u32,
    forced_length: bool,
}

#[derive(Debug)]
enum Stage {
    Closed,
    Lines(Lines<BufReader<File>>),
    Interrupted(btree_map::IntoValues<Key, Record>),
    Over,
}

impl Records {
    pub(crate) fn new(run: &Path, plan: &Plan, target: &Target) -> Self {
        let folder = run.join(target.name.as_str());
        let recorded = folder.join(IN_FLIGHT).exists().then(HashSet::new);
        let forced_length = plan.workload.force_length && target.can_force_length();
        let asked = Asked { target: target.name.clone(), max_tokens: plan.workload.max_tokens, forced_length };
        Self {
            folder,
            asked,
            stage: Stage::Closed,
            recorded,
            problems: Problems::default(),
            interrupted: 0,
            room: INTERRUPTED_EVENTS,
        }
    }

    /// What could not be read so far, one sentence each. Complete once the iterator is exhausted.
    pub fn problems(&self) -> Vec<String> {
        self.problems.in_words()
    }

    /// How many of the records yielded so far were in flight when the process died.
    pub const fn interrupted(&self) -> u64 {
        self.interrupted
    }

    /// The next step: a record, nothing yet, or the end.
    fn step(&mut self) -> Result<Option<Record>, StoreError> {
        match &mut self.stage {
            Stage::Closed => {
                let path = self.folder.join(REQUESTS);
                self.stage = if path.exists() {
                    Stage::Lines(Lines::new(BufReader::new(disk::open(&path)?)))
                } else {
                    self.gather()?
                };
                Ok(None)
            }
            Stage::Lines(lines) => {
                let name = format!("{}/{REQUESTS}", self.asked.target);
                match next_of::<Record>(lines, &name, &mut self.problems)
                    .map_err(|e| StoreError::io("read", &self.folder.join(REQUESTS), e))?
                {
                    Next::Value(record) => Ok(self.keep(*record)),
                    Next::Bad => Ok(None),
                    Next::End => {
                        self.stage = self.gather()?;
                        Ok(None)
                    }
                }
            }
            Stage::Interrupted(records) => {
                let record = records.next();
                match &record {
                    Some(_) => self.interrupted += 1,
                    None => self.stage = Stage::Over,
                }
                Ok(record)
            }
            Stage::Over => Ok(None),
        }
    }

    fn keep(&mut self, record: Record) -> Option<Record> {
        if record.target != self.asked.target {
            self.problems.note(format!(
                "a record of `{}` stands in the folder of `{}` and is left out",
                record.target, self.asked.target
            ));
            return None;
        }
        if let Some(recorded) = &mut self.recorded {
            recorded.insert(key(record.phase, record.index));
        }
        Some(record)
    }

    /// Puts the parts of requests without a record together.
    fn gather(&mut self) -> Result<Stage, StoreError> {
        let Some(recorded) = self.recorded.take() else { return Ok(Stage::Over) };
        let path = self.folder.join(IN_FLIGHT);
        let mut lines = Lines::new(BufReader::new(disk::open(&path)?));
        let name = format!("{}/{IN_FLIGHT}", self.asked.target);
        let mut requests = BTreeMap::new();
        loop {
            let part = match next_of::<Partial>(&mut lines, &name, &mut self.problems) {
                Err(e) => return Err(StoreError::io("read", &path, e)),
                Ok(Next::End) => break,
                Ok(Next::Bad) => continue,
                Ok(Next::Value(part)) => part,
            };
            let key = key(part.phase, part.index);
            if part.target != self.asked.target || recorded.contains(&key) {
                continue;
            }
            let weight = part.events.0.len() + if requests.contains_key(&key) { 0 } else { REQUEST_WEIGHT };
            let Some(room) = self.room.checked_sub(weight) else {
                self.problems.note(format!("`{name}` holds more than fits in memory; its later lines are left out"));
                break;
            };
            self.room = room;
            fold(requests.entry(key).or_insert_with(|| self.asked.interrupted(&part)), *part);
        }
        Ok(Stage::Interrupted(requests.into_values()))
    }
}

impl Iterator for Records {
    type Item = Result<Record, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !matches!(self.stage, Stage::Over) {
            match self.step() {
                Ok(None) => {}
                Ok(Some(record)) => return Some(Ok(record)),
                Err(error) => {
                    self.stage = Stage::Over;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl Asked {
    /// A record of what is known of a request from its first part alone, without events.
    fn interrupted(&self, part: &Partial) -> Record {
        Record {
            index: part.index,
            target: part.target.clone(),
            phase: part.phase,
            block: part.block,
            step: part.step,
            attempt: part.attempt,
            prompt: part.prompt,
            prompt_tokens: None,
            conversation: None,
            max_tokens: self.max_tokens,
            forced_length: self.forced_length,
            scheduled_ns: part.scheduled_ns,
            connect: None,
            http: None,
            start_ns: Some(part.start_ns),
            sent_ns: None,
            first_byte_ns: None,
            headers_ns: None,
            end_ns: None,
            status: None,
            request_id: None,
            request_bytes: 0,
            response_bytes: 0,
            reads: 0,
            events: schema::event::Events::default(),
            usage: None,
            tokens: None,
            server: None,
            limits: None,
            output_hash: None,
            output: None,
            outcome: Outcome::Interrupted,
        }
    }
}

/// Adds a part's events to what came before.
fn fold(record: &mut Record, part: Partial) {
    for event in part.events.0 {
        record.response_bytes += u64::from(event.bytes);
        record.reads += u32::from(!event.shared_read);
        record.events.0.push(event);
    }
}

const fn key(phase: Phase, index: u64) -> Key {
    (matches!(phase, Phase::Measured), index)
}

enum Next<T> {
    Value(Box<T>),
    Bad,
    End,
}

/// Reads the next line as a `T`, noting what is wrong with it otherwise.
fn next_of<T: DeserializeOwned>(
    lines: &mut Lines<BufReader<File>>,
    name: &str,
    problems: &mut Problems,
) -> std::io::Result<Next<T>> {
    let line = match lines.next()? {
        None => return Ok(Next::End),
        Some(Line::TooLong) => Err(None),
        Some(Line::Unended(bytes)) => serde_json::from_slice(bytes).map_err(|_| Some(String::new())),
        // The parser sees one line and calls it the first.
        Some(Line::Whole(bytes)) => {
            serde_json::from_slice(bytes).map_err(|e| Some(e.to_string().replace(" at line 1 column", " at column")))
        }
    };
    Ok(match line {
        Ok(value) => Next::Value(Box::new(value)),
        Err(why) => {
            let number = lines.number;
            problems.note(match why.as_deref() {
                None => format!("line {number} of `{name}` is too long and is left out"),
                Some("") => format!("the last line of `{name}`, {number}, was cut off and is left out"),
                Some(why) => {
                    let why = Untrusted::bounded(why, 200).for_terminal();
                    format!("line {number} of `{name}` cannot be read and is left out: {why}")
                }
            });
            Next::Bad
        }
    })
}

/// What was wrong, the first in words, the rest as a number.
#[derive(Debug, Default)]
struct Problems {
    described: Vec<String>,
    more: u64,
}

impl Problems {
    fn note(&mut self, problem: String) {
        if self.described.len() < DESCRIBED { self.described.push(problem) } else { self.more += 1 }
    }

    fn in_words(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{} further lines cannot be read and are left out", self.more));
        self.described.iter().cloned().chain(more).collect()
    }
}
