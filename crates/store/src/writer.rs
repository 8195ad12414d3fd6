//! Appending records while a run goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use schema::record::{Partial, Phase, Record};
use schema::target::TargetName;

use crate::append::Appender;
use crate::redact::{Layout, Redactor};
use crate::{IN_FLIGHT, LINE_BYTES, REQUESTS, StoreError};

/// Appends the records of one run. Owned by one thread, the recorder; it never waits for anything
/// but the disk.
///
/// Lines are gathered and handed to the system when a file's share passes 256 KiB and at
/// [`Writer::flush`], which the caller makes at least once a second: what was flushed survives the
/// death of the process, what was not is lost with it.
///
/// After an error everything written before is intact and what was not written is still here: the
/// caller may free some space and flush again. Dropping the writer flushes, but cannot report how
/// that went.
#[derive(Debug)]
pub struct Writer {
    redactor: Arc<Redactor>,
    targets: BTreeMap<TargetName, Files>,
    /// Bytes of a line at most, as readers take them.
    pub(crate) line_bytes: usize,
}

/// The files of one target that grow while a run goes on.
#[derive(Debug)]
struct Files {
    requests: Appender,
    in_flight: Appender,
}

impl Writer {
    pub(crate) fn new<'a>(
        folder: &Path,
        targets: impl Iterator<Item = &'a TargetName>,
        redactor: Arc<Redactor>,
    ) -> Self {
        let files = |name: &TargetName| Files {
            requests: Appender::new(folder.join(name.as_str()).join(REQUESTS)),
            in_flight: Appender::new(folder.join(name.as_str()).join(IN_FLIGHT)),
        };
        Self { redactor, targets: targets.map(|name| (name.clone(), files(name))).collect(), line_bytes: LINE_BYTES }
    }

    /// Keeps one finished request.
    ///
    /// # Errors
    /// When the disk refuses, the record's target is not of this run, or its line would be longer
    /// than readers accept (then nothing of it is written).
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let line = self.redactor.record(record)?;
        self.check(&line, &record.target, record.phase, record.index)?;
        self.files(&record.target)?.requests.push(&line)
    }

    /// Keeps a part of a request still in flight: its events since the part before. The parts of a
    /// request are read only as long as its record is missing; all of them go at the seal, and take
    /// disk space until then.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_partial(&mut self, partial: &Partial) -> Result<(), StoreError> {
        let line = self.redactor.json("a part of a request", partial, Layout::Line)?;
        self.check(&line, &partial.target, partial.phase, partial.index)?;
        self.files(&partial.target)?.in_flight.push(&line)
    }

    /// Hands everything to the system. All files are tried; the first error is returned.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let mut result = Ok(());
        for files in self.targets.values_mut() {
            result = result.and(files.requests.flush()).and(files.in_flight.flush());
        }
        result
    }

    /// Refuses a line that no reader would take.
    fn check(&self, line: &[u8], target: &TargetName, phase: Phase, index: u64) -> Result<(), StoreError> {
        let (bytes, limit) = (line.len(), self.line_bytes);
        if bytes <= limit {
            return Ok(());
        }
        Err(StoreError::RecordTooLarge { target: target.clone(), phase, index, bytes, limit })
    }

    fn files(&mut self, target: &TargetName) -> Result<&mut Files, StoreError> {
        self.targets.get_mut(target).ok_or_else(|| StoreError::UnknownTarget { name: target.clone() })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.flush());
    }
}
