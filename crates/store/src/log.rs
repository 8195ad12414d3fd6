//! `run.log`: what the program said while the run went on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::StoreError;
use crate::redact::Redactor;

/// A longer line loses its end.
const LINE_BYTES: usize = 64 << 10;

/// A sink for log lines that keeps secrets out. A line is written once it is whole, so that nothing
/// hides across two writes; a line without an end is written when the log is dropped.
#[derive(Debug)]
pub struct Log {
    file: File,
    redactor: Arc<Redactor>,
    line: Vec<u8>,
}

impl Log {
    pub(crate) fn open(path: &Path, redactor: Arc<Redactor>) -> Result<Self, StoreError> {
        let file =
            OpenOptions::new().create(true).append(true).open(path).map_err(|e| StoreError::io("open", path, e))?;
        Ok(Self { file, redactor, line: Vec::new() })
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.file.write_all(&self.redactor.bytes(&line))
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            let room = LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                if self.line.last() != Some(&b'\n') {
                    self.line.push(b'\n');
                }
                self.end_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Nobody is left to hear of an error.
        drop(self.end_line());
    }
}
