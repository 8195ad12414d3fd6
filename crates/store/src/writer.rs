//! Appending records while a run goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use schema::record::{Partial, Record};
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
        Self { redactor, targets: targets.map(|name| (name.clone(), files(name))).collect() }
    }

    /// Keeps one finished request.
    ///
    /// # Errors
    /// When the disk refuses, the record's target is not of this run, or its line would be longer
    /// than readers accept (then nothing of it is written).
    pub fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        let line = self.redactor.record(record)?;
        if line.len() > LINE_BYTES {
            return Err(StoreError::RecordTooLarge {
                target: record.target.clone(),
                phase: record.phase,
                index: record.index,
                bytes: line.len(),
                limit: LINE_BYTES,
            });
        }
        self.files(&record.target)?.requests.push(&line)
    }

    /// Keeps a part of a request still in flight: its events since the part before. The parts of a
    /// request are read only as long as its record is missing.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_partial(&mut self, partial: &Partial) -> Result<(), StoreError> {
        let line = self.redactor.json("a part of a request", partial, Layout::Line)?;
        if line.len() > LINE_BYTES {
            return Err(StoreError::RecordTooLarge {
                target: partial.target.clone(),
                phase: partial.phase,
                index: partial.index,
                bytes: line.len(),
                limit: LINE_BYTES,
            });
        }
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

    fn files(&mut self, target: &TargetName) -> Result<&mut Files, StoreError> {
        self.targets.get_mut(target).ok_or_else(|| StoreError::UnknownTarget { name: target.clone() })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.flush());
    }
}
