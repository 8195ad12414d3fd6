//! Reading one target's records back, the interrupted ones included.

use std::collections::{BTreeMap, HashSet, btree_map};
use std::path::{Path, PathBuf};

use schema::plan::Plan;
use schema::record::{Outcome, Partial, Phase, Record};
use schema::target::{Target, TargetName};

use crate::lines::Line;
use crate::parallel::Parallel;
use crate::series::{self, Problems, Values, Wrong};
use crate::{IN_FLIGHT, LINE_BYTES, REQUESTS, StoreError};

/// Events of interrupted requests kept in memory at most: about a gigabyte.
const INTERRUPTED_EVENTS: usize = 40_000_000;

/// What a request without events takes up in memory, in events.
const REQUEST_WEIGHT: usize = 20;

/// What tells attempts of one target apart: warm-up before measured, then the numbers of step, request and
/// attempt.
type Key = (bool, u32, u64, u32);

/// The records of one target in the order they were written, a few megabytes in memory at a time; then those
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
    /// How a line is read.
    parse: fn(&Line<'_>) -> Result<Record, Wrong>,
    problems: Problems,
    /// Whether there is a record at all.
    any: bool,
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
    Lines(Parallel<Record>),
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
            parse: series::read,
            problems: Problems::default(),
            any: false,
            interrupted: 0,
            room: INTERRUPTED_EVENTS,
        }
    }

    /// The same without texts that no number is made of: what was generated, and the server's ids of requests. They
    /// are what makes long runs large.
    #[must_use]
    pub fn without_texts(self) -> Self {
        Self { parse: without_texts, ..self }
    }

    /// What could not be read so far, one sentence each. Complete once the iterator is exhausted.
    pub fn problems(&self) -> Vec<String> {
        self.problems.in_words()
    }

    /// What the target lacks beside lines that cannot be read, one sentence each: any record, or the ends of requests
    /// that were in flight when the process died. Complete once the iterator is exhausted.
    pub fn missing(&self) -> Vec<String> {
        let name = &self.asked.target;
        let none = (!self.any).then(|| format!("`{name}` has no records"));
        let (requests, were) = if self.interrupted == 1 { ("request", "was") } else { ("requests", "were") };
        let interrupted = (self.interrupted > 0).then(|| {
            format!("{} {requests} to `{name}` {were} in flight: kept as far as they had come", self.interrupted)
        });
        none.into_iter().chain(interrupted).collect()
    }

    /// Adds all of them to `to`, which makes room for about as many at once: growing step by step, those of a long run
    /// would be moved time and again.
    ///
    /// # Errors
    /// When the file cannot be read; what was read before is added.
    pub fn read_into(&mut self, to: &mut Vec<Record>) -> Result<(), StoreError> {
        while let Some(record) = self.next().transpose()? {
            if to.len() == to.capacity()
                && let Stage::Lines(lines) = &self.stage
            {
                // Where there is no such room, it is made as it is needed.
                drop(to.try_reserve_exact(lines.about()));
            }
            to.push(record);
        }
        Ok(())
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
                    let name = format!("{}/{REQUESTS}", self.asked.target);
                    Stage::Lines(Parallel::open(path, name, LINE_BYTES, self.parse)?)
                } else {
                    self.gather()?
                };
                Ok(None)
            }
            Stage::Lines(lines) => {
                if let Some(record) = lines.next(&mut self.problems)? {
                    return Ok(self.keep(record));
                }
                self.stage = self.gather()?;
                Ok(None)
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

    fn keep(&mut self, mut record: Record) -> Option<Record> {
        if record.target != self.asked.target {
            self.problems.note(format!(
                "a record of `{}` stands in the folder of `{}` and is left out",
                record.target, self.asked.target
            ));
            return None;
        }
        // One name for all, instead of one each.
        record.target = self.asked.target.clone();
        if let Some(recorded) = &mut self.recorded {
            recorded.insert(key(record.phase, record.step, record.index, record.attempt));
        }
        Some(record)
    }

    /// Puts the parts of requests without a record together.
    fn gather(&mut self) -> Result<Stage, StoreError> {
        let Some(recorded) = self.recorded.take() else { return Ok(Stage::Over) };
        let name = format!("{}/{IN_FLIGHT}", self.asked.target);
        let mut lines: Values<Partial> = Values::open(self.folder.join(IN_FLIGHT), name, LINE_BYTES)?;
        let mut requests = BTreeMap::new();
        while let Some(part) = lines.next(&mut self.problems)? {
            let key = key(part.phase, part.step, part.index, part.attempt);
            if part.target != self.asked.target || recorded.contains(&key) {
                continue;
            }
            let weight = part.events.len() + if requests.contains_key(&key) { 0 } else { REQUEST_WEIGHT };
            let Some(room) = self.room.checked_sub(weight) else {
                let name = lines.name();
                self.problems.note(format!("`{name}` holds more than fits in memory; its later lines are left out"));
                break;
            };
            self.room = room;
            fold(requests.entry(key).or_insert_with(|| self.asked.interrupted(&part)), &part);
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
                Ok(Some(record)) => {
                    self.any = true;
                    return Some(Ok(record));
                }
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
            phase: part.phase,
            block: part.block,
            step: part.step,
            attempt: part.attempt,
            prompt: part.prompt,
            max_tokens: self.max_tokens,
            forced_length: self.forced_length,
            start_ns: Some(part.start_ns),
            outcome: Outcome::Interrupted,
            ..Record::not_sent(part.target.clone(), part.index, part.scheduled_ns)
        }
    }
}

/// A record as [`Records::without_texts`] gives it.
fn without_texts(line: &Line<'_>) -> Result<Record, Wrong> {
    series::read(line).map(|record: Record| Record { output: None, request_id: None, ..record })
}

/// Adds a part's events to what came before.
fn fold(record: &mut Record, part: &Partial) {
    for event in &part.events {
        record.response_bytes += u64::from(event.bytes);
        record.reads += u32::from(!event.shared_read);
        record.events.push(event);
    }
}

const fn key(phase: Phase, step: u32, index: u64, attempt: u32) -> Key {
    (matches!(phase, Phase::Measured), step, index, attempt)
}
