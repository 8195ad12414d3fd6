//! Appending whole lines to a file that may stop taking them at any byte.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memchr::memrchr;

use crate::{StoreError, disk};

/// A buffer longer than this is written out without waiting for a flush.
const BUFFER_BYTES: usize = 256 << 10;

/// Where lines end up: a file, or in tests a disk that fills up.
pub(crate) trait Sink: Write {
    /// Cuts what was written to `len` bytes.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

impl Sink for File {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

/// Lines on their way to one file, which is opened when the first of them is written out.
#[derive(Debug)]
pub(crate) struct Appender {
    path: PathBuf,
    end: Option<End<File>>,
    buffer: Vec<u8>,
}

/// The end of an open file.
#[derive(Debug)]
struct End<S> {
    sink: S,
    /// Bytes up to and with its last complete line, or with its torn one where that could not be cut off.
    len: u64,
    /// Whether it ends in the middle of a line.
    torn: bool,
}

impl Appender {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, end: None, buffer: Vec::new() }
    }

    /// Takes one line with its line feed.
    pub(crate) fn push(&mut self, line: &[u8]) -> Result<(), StoreError> {
        self.buffer.extend_from_slice(line);
        if self.buffer.len() > BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Hands all lines to the system. What could not be written stays here for the next try.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.end.is_none() {
            disk::make_folder(self.path.parent().unwrap_or(Path::new(".")))?;
            self.end = Some(End::open(&self.path).map_err(|e| StoreError::io("open", &self.path, e))?);
        }
        let end = self.end.as_mut().expect("it was opened just before");
        end.write(&mut self.buffer).map_err(|e| StoreError::io("write to", &self.path, e))
    }
}

impl End<File> {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let len = file.metadata()?.len();
        let mut last = [b'\n'];
        if len > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(Self { sink: file, len, torn: last != [b'\n'] })
    }
}

impl<S: Sink> End<S> {
    /// Writes `lines` and empties it. On an error the file keeps the lines that got there whole,
    /// `lines` the others.
    fn write(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        if self.torn {
            // The torn line becomes a bad line of its own, and no good line is glued to it.
            write_some(&mut self.sink, b"\n").1?;
            self.len += 1;
            self.torn = false;
        }
        let (written, result) = write_some(&mut self.sink, lines);
        let whole = if result.is_ok() { written } else { memrchr(b'\n', &lines[..written]).map_or(0, |at| at + 1) };
        lines.drain(..whole);
        self.len += whole as u64;
        if written > whole && self.sink.cut(self.len).is_err() {
            self.torn = true;
            self.len += (written - whole) as u64;
        }
        result
    }
}

/// Writes as much of `bytes` as the sink takes, and tells how much that was.
fn write_some(sink: &mut impl Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match sink.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return (written, Err(e)),
        }
    }
    (written, Ok(()))
}

#[cfg(test)]
mod tests;
