//! Lines of a long file as values, in the order of the file, parsed by all cores.
//!
//! ```text
//! file ─▶ chunks of whole lines ─▶ parser 0, 1, 2… in turn ─▶ values, chunk by chunk in order
//! ```
//!
//! Whoever asks for values reads the file and hands chunks out as they are; each parser has two at most before it, so
//! memory does not grow with the file, and finds the lines in them. A file of one chunk is parsed without further threads.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::vec;

use memchr::{memchr_iter, memrchr};

use crate::lines::{Line, Lines};
use crate::series::{Problems, Wrong};
use crate::{StoreError, disk};

/// Bytes of lines that are parsed at once, give or take a line.
const CHUNK: usize = 1 << 20;

/// Chunks that one parser may have, parsed or not.
const AHEAD: usize = 2;

/// More parsers than this wait for whoever takes their values.
const MOST_PARSERS: usize = 8;

/// The lines of an open file as values.
pub(crate) struct Parallel<T> {
    file: File,
    path: PathBuf,
    /// How the file is called in a problem.
    name: String,
    parse: Parse<T>,
    parsers: Vec<Parser<T>>,
    /// What was read of the line after the last chunk.
    rest: Vec<u8>,
    /// Chunks handed out so far, and taken back.
    handed: usize,
    taken: usize,
    /// Where reading ended: at the end of the file or with an error, which comes after all that was read before it.
    ended: Option<io::Result<()>>,
    ready: vec::IntoIter<Parsed<T>>,
    /// Number of the line last taken, from 1.
    number: u64,
    /// How many of its first chunks the file is long.
    first_chunks: u64,
    /// As in [`Parallel::about`].
    about: u64,
}

/// What came of a line.
type Parsed<T> = Result<T, Wrong>;

impl<T: Send + 'static> Parallel<T> {
    /// Opens a file whose lines have at most `line_bytes` bytes. `value` makes a value of each.
    pub(crate) fn open(
        path: PathBuf,
        name: String,
        line_bytes: usize,
        value: fn(&Line<'_>) -> Result<T, Wrong>,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            file: disk::open(&path)?,
            path,
            name,
            parse: Parse { value, line_bytes },
            parsers: Vec::new(),
            rest: Vec::new(),
            handed: 0,
            taken: 0,
            ended: None,
            ready: Vec::new().into_iter(),
            number: 0,
            first_chunks: 0,
            about: 0,
        })
    }

    /// The next value that can be read; notes what is wrong with the lines before it.
    pub(crate) fn next(&mut self, problems: &mut Problems) -> Result<Option<T>, StoreError> {
        loop {
            for value in self.ready.by_ref() {
                self.number += 1;
                match value {
                    Ok(value) => return Ok(Some(value)),
                    Err(wrong) => problems.note(wrong.in_words(self.number, &self.name)),
                }
            }
            let Some(parsed) = self.chunk().map_err(|e| StoreError::io("read", &self.path, e))? else {
                return Ok(None);
            };
            if self.number == 0 {
                self.about = self.first_chunks * parsed.iter().filter(|value| value.is_ok()).count() as u64;
            }
            self.ready = parsed.into_iter();
        }
    }

    /// About how many values the whole file has, by its length and those of its first chunk; none before that was read.
    pub(crate) fn about(&self) -> usize {
        usize::try_from(self.about).unwrap_or(0)
    }

    /// What came of the next chunk.
    fn chunk(&mut self) -> io::Result<Option<Vec<Parsed<T>>>> {
        if self.handed == 0 && self.ended.is_none() {
            let first = self.read();
            self.first_chunks = self.file.metadata()?.len().div_ceil(first.len().max(1) as u64);
            if self.ended.is_some() {
                return Ok(Some(self.parse.all(&first)));
            }
            self.parsers = (0..parsers()).map(|_| Parser::start(self.parse)).collect();
            self.hand(first);
        }
        while self.ended.is_none() && self.handed - self.taken < AHEAD * self.parsers.len() {
            let chunk = self.read();
            self.hand(chunk);
        }
        if self.taken == self.handed {
            return self.ended.replace(Ok(())).unwrap_or(Ok(())).map(|()| None);
        }
        let parser = &self.parsers[self.taken % self.parsers.len()];
        self.taken += 1;
        Ok(Some(parser.parsed.recv().expect("a parser lives as long as there are chunks")))
    }

    fn hand(&mut self, chunk: Vec<u8>) {
        let parser = &self.parsers[self.handed % self.parsers.len()];
        self.handed += 1;
        parser.chunks.send(chunk).expect("a parser lives as long as there are chunks");
    }

    /// Reads whole lines of about a chunk, more where one of them is longer; the last may lack its end only at the end of
    /// the file.
    fn read(&mut self) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(self.rest.len() + CHUNK);
        chunk.append(&mut self.rest);
        loop {
            let before = chunk.len();
            match self.file.by_ref().take(CHUNK as u64).read_to_end(&mut chunk) {
                Ok(CHUNK) => {}
                Ok(_) => {
                    self.ended = Some(Ok(()));
                    return chunk;
                }
                Err(error) => {
                    self.ended = Some(Err(error));
                    chunk.truncate(memrchr(b'\n', &chunk).map_or(0, |end| end + 1));
                    return chunk;
                }
            }
            if let Some(end) = memrchr(b'\n', &chunk[before..]) {
                self.rest = chunk.split_off(before + end + 1);
                return chunk;
            }
            // All of it is one line: of one that is too long no more is kept than shows that.
            chunk.truncate(self.parse.line_bytes + 1);
        }
    }
}

impl<T> fmt::Debug for Parallel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parallel").field("path", &self.path).field("line", &self.number).finish_non_exhaustive()
    }
}

fn parsers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_PARSERS)
}

/// How lines become values.
struct Parse<T> {
    value: fn(&Line<'_>) -> Result<T, Wrong>,
    /// Bytes of a line at most.
    line_bytes: usize,
}

impl<T> Clone for Parse<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Parse<T> {}

impl<T> Parse<T> {
    /// What comes of each line.
    fn all(self, chunk: &[u8]) -> Vec<Parsed<T>> {
        let mut parsed = Vec::with_capacity(memchr_iter(b'\n', chunk).count() + 1);
        let mut lines = Lines::new(chunk, self.line_bytes);
        while let Some(line) = lines.next().expect("bytes in memory can be read") {
            parsed.push((self.value)(&line));
        }
        parsed
    }
}

/// A thread that parses; it ends when this value goes.
struct Parser<T> {
    chunks: SyncSender<Vec<u8>>,
    parsed: Receiver<Vec<Parsed<T>>>,
}

impl<T: Send + 'static> Parser<T> {
    fn start(parse: Parse<T>) -> Self {
        let (chunks, next) = sync_channel::<Vec<u8>>(AHEAD);
        let (done, parsed) = sync_channel(AHEAD);
        let body = move || {
            for chunk in next {
                if done.send(parse.all(&chunk)).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().name("parser".into()).spawn(body).expect("the system lets us start a thread");
        Self { chunks, parsed }
    }
}

#[cfg(test)]
mod tests;
