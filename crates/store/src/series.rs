//! Values that stand one a line in a file of a target, read one at a time.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use schema::target::TargetName;
use schema::text::Untrusted;
use serde::de::DeserializeOwned;

use crate::lines::{Line, Lines};
use crate::{StoreError, disk, quick};

/// Bad lines described one by one; further ones are counted.
const DESCRIBED: usize = 20;

/// The values of one file of a target in the order they were written, one in memory at a time. A file
/// that is not there has none.
///
/// A line that cannot be read is passed over and told by [`Series::problems`]; an item is an error
/// only when the file itself cannot be read, and is then the last.
#[derive(Debug)]
pub struct Series<T> {
    values: Option<Result<Values<T>, StoreError>>,
    problems: Problems,
}

impl<T: DeserializeOwned> Series<T> {
    pub(crate) fn new(run: &Path, target: &TargetName, file: &str, line_bytes: usize) -> Self {
        let path = run.join(target.as_str()).join(file);
        let values = path.exists().then(|| Values::open(path, format!("{target}/{file}"), line_bytes));
        Self { values, problems: Problems::default() }
    }

    /// The values of one file, wherever it lies; `name` is what problems call it.
    pub(crate) fn file(path: PathBuf, name: String, line_bytes: usize) -> Self {
        Self { values: Some(Values::open(path, name, line_bytes)), problems: Problems::default() }
    }

    /// What could not be read so far, one sentence each. Complete once the iterator is exhausted.
    pub fn problems(&self) -> Vec<String> {
        self.problems.in_words()
    }
}

impl<T: DeserializeOwned> Iterator for Series<T> {
    type Item = Result<T, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self.values.take()? {
            Ok(mut values) => values.next(&mut self.problems).map(|value| value.map(|value| (value, values))),
            Err(error) => Err(error),
        };
        match next {
            Ok(Some((value, values))) => {
                self.values = Some(Ok(values));
                Some(Ok(value))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// The lines of an open file as values.
pub(crate) struct Values<T> {
    lines: Lines<BufReader<File>>,
    path: PathBuf,
    /// How the file is called in a problem.
    name: String,
    of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("path", &self.path).field("line", &self.lines.number).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Values<T> {
    pub(crate) fn open(path: PathBuf, name: String, line_bytes: usize) -> Result<Self, StoreError> {
        let lines = Lines::new(BufReader::new(disk::open(&path)?), line_bytes);
        Ok(Self { lines, path, name, of: PhantomData })
    }

    /// How the file is called in a problem.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The next value that can be read; notes what is wrong with the lines before it.
    pub(crate) fn next(&mut self, problems: &mut Problems) -> Result<Option<T>, StoreError> {
        while let Some(line) = self.lines.next().map_err(|e| StoreError::io("read", &self.path, e))? {
            match read(&line) {
                Ok(value) => return Ok(Some(value)),
                Err(wrong) => problems.note(wrong.in_words(self.lines.number, &self.name)),
            }
        }
        Ok(None)
    }
}

/// What is wrong with a line.
pub(crate) enum Wrong {
    TooLong,
    CutOff,
    NotUnderstood(serde_json::Error),
}

/// The value that stands on a line.
pub(crate) fn read<T: DeserializeOwned>(line: &Line<'_>) -> Result<T, Wrong> {
    let (bytes, wrong): (_, fn(serde_json::Error) -> Wrong) = match line {
        Line::TooLong => return Err(Wrong::TooLong),
        Line::Unended(bytes) => (bytes, |_| Wrong::CutOff),
        Line::Whole(bytes) => (bytes, Wrong::NotUnderstood),
    };
    quick::decode(bytes).or_else(|quick::Unusual| serde_json::from_slice(bytes).map_err(wrong))
}

impl Wrong {
    pub(crate) fn in_words(&self, number: u64, name: &str) -> String {
        match self {
            Self::TooLong => format!("line {number} of `{name}` is too long and is left out"),
            Self::CutOff => format!("the last line of `{name}`, {number}, was cut off and is left out"),
            Self::NotUnderstood(error) => {
                // The parser sees one line and calls it the first.
                let why = error.to_string().replace(" at line 1 column", " at column");
                let why = Untrusted::bounded(why, 200).for_terminal();
                format!("line {number} of `{name}` cannot be read and is left out: {why}")
            }
        }
    }
}

/// What was wrong, the first in words, the rest as a number.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    described: Vec<String>,
    more: u64,
}

impl Problems {
    pub(crate) fn note(&mut self, problem: String) {
        if self.described.len() < DESCRIBED { self.described.push(problem) } else { self.more += 1 }
    }

    pub(crate) fn in_words(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("{} further lines cannot be read and are left out", self.more));
        self.described.iter().cloned().chain(more).collect()
    }
}
