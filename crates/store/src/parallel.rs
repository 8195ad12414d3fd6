//! Lines of a long file as values, in the order of the file, parsed by all cores.
//!
//! ```text
//! file ─▶ chunks of whole lines ─▶ parser 0, 1, 2… in turn ─▶ values, chunk by chunk in order
//! ```
//!
//! Whoever asks for values reads the file and hands chunks out; each parser has two at most before it, so
//! memory does not grow with the file. A file of one chunk is parsed without further threads.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::vec;

use crate::lines::{Ending, Line, Lines};
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
    lines: Lines<BufReader<File>>,
    path: PathBuf,
    /// How the file is called in a problem.
    name: String,
    parse: fn(&Line<'_>) -> Result<T, Wrong>,
    parsers: Vec<Parser<T>>,
    /// Chunks handed out so far, and taken back.
    handed: usize,
    taken: usize,
    /// Where reading ended: at the end of the file or with an error, which comes after all that was read before it.
    ended: Option<io::Result<()>>,
    ready: vec::IntoIter<Parsed<T>>,
}

/// What came of a line, with its number.
type Parsed<T> = (u64, Result<T, Wrong>);

impl<T: Send + 'static> Parallel<T> {
    /// Opens a file whose lines have at most `line_bytes` bytes. `parse` makes a value of each.
    pub(crate) fn open(
        path: PathBuf,
        name: String,
        line_bytes: usize,
        parse: fn(&Line<'_>) -> Result<T, Wrong>,
    ) -> Result<Self, StoreError> {
        let lines = Lines::new(BufReader::with_capacity(CHUNK / 4, disk::open(&path)?), line_bytes);
        let ready = Vec::new().into_iter();
        Ok(Self { lines, path, name, parse, parsers: Vec::new(), handed: 0, taken: 0, ended: None, ready })
    }

    /// The next value that can be read; notes what is wrong with the lines before it.
    pub(crate) fn next(&mut self, problems: &mut Problems) -> Result<Option<T>, StoreError> {
        loop {
            for (number, value) in self.ready.by_ref() {
                match value {
                    Ok(value) => return Ok(Some(value)),
                    Err(wrong) => problems.note(wrong.in_words(number, &self.name)),
                }
            }
            let Some(parsed) = self.chunk().map_err(|e| StoreError::io("read", &self.path, e))? else {
                return Ok(None);
            };
            self.ready = parsed.into_iter();
        }
    }

    /// What came of the next chunk.
    fn chunk(&mut self) -> io::Result<Option<Vec<Parsed<T>>>> {
        if self.handed == 0 && self.ended.is_none() {
            let first = self.read();
            if self.ended.is_some() {
                return Ok(Some(first.parse(self.parse)));
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

    fn hand(&mut self, chunk: Chunk) {
        let parser = &self.parsers[self.handed % self.parsers.len()];
        self.handed += 1;
        parser.chunks.send(chunk).expect("a parser lives as long as there are chunks");
    }

    /// Reads lines until a chunk is full or there are no more.
    fn read(&mut self) -> Chunk {
        let mut chunk =
            Chunk { first: self.lines.number + 1, bytes: Vec::with_capacity(CHUNK + CHUNK / 8), lines: Vec::new() };
        while chunk.bytes.len() < CHUNK {
            match self.lines.append(&mut chunk.bytes) {
                Ok(Some(ending)) => chunk.lines.push((ending, chunk.bytes.len())),
                Ok(None) => {
                    self.ended = Some(Ok(()));
                    break;
                }
                Err(error) => {
                    self.ended = Some(Err(error));
                    break;
                }
            }
        }
        chunk
    }
}

impl<T> fmt::Debug for Parallel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parallel").field("path", &self.path).field("line", &self.lines.number).finish_non_exhaustive()
    }
}

fn parsers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MOST_PARSERS)
}

/// Lines that follow each other.
struct Chunk {
    /// Number of the first.
    first: u64,
    bytes: Vec<u8>,
    /// How each ended, and where in `bytes`.
    lines: Vec<(Ending, usize)>,
}

impl Chunk {
    fn parse<T>(self, parse: fn(&Line<'_>) -> Result<T, Wrong>) -> Vec<Parsed<T>> {
        let mut begin = 0;
        let line = |(number, (ending, end)): (u64, &(Ending, usize))| {
            let bytes = &self.bytes[begin..*end];
            begin = *end;
            (number, parse(&ending.line(bytes)))
        };
        (self.first..).zip(&self.lines).map(line).collect()
    }
}

/// A thread that parses; it ends when this value goes.
struct Parser<T> {
    chunks: SyncSender<Chunk>,
    parsed: Receiver<Vec<Parsed<T>>>,
}

impl<T: Send + 'static> Parser<T> {
    fn start(parse: fn(&Line<'_>) -> Result<T, Wrong>) -> Self {
        let (chunks, next) = sync_channel::<Chunk>(AHEAD);
        let (done, parsed) = sync_channel(AHEAD);
        let body = move || {
            for chunk in next {
                if done.send(chunk.parse(parse)).is_err() {
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
