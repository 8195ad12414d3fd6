//! Appending records while a run goes on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use schema::curve::Step;
use schema::record::{Partial, Phase, Record};
use schema::server::ServerSample;
use schema::target::TargetName;

use crate::append::Appender;
use crate::redact::{Layout, Redactor};
use crate::{IN_FLIGHT, LINE_BYTES, REQUESTS, SERVER_METRICS, SIDE_LINE_BYTES, STEPS, StoreError};

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
    steps: Appender,
    samples: Appender,
}

impl Files {
    fn all(&mut self) -> [&mut Appender; 4] {
        [&mut self.requests, &mut self.in_flight, &mut self.steps, &mut self.samples]
    }
}

impl Writer {
    pub(crate) fn new<'a>(
        folder: &Path,
        targets: impl Iterator<Item = &'a TargetName>,
        redactor: Arc<Redactor>,
    ) -> Self {
        let files = |name: &TargetName| {
            let lines = |file| Appender::new(folder.join(name.as_str()).join(file));
            Files {
                requests: lines(REQUESTS),
                in_flight: lines(IN_FLIGHT),
                steps: lines(STEPS),
                samples: lines(SERVER_METRICS),
            }
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

    /// Keeps one step of a search.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_step(&mut self, step: &Step) -> Result<(), StoreError> {
        let line = self.redactor.json("a step", step, Layout::Line)?;
        check_side("step of a search", &step.target, &line)?;
        self.files(&step.target)?.steps.push(&line)
    }

    /// Keeps one reading of `target`'s own metrics.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_sample(&mut self, target: &TargetName, sample: &ServerSample) -> Result<(), StoreError> {
        let line = self.redactor.json("a reading of server metrics", sample, Layout::Line)?;
        check_side("reading of server metrics", target, &line)?;
        self.files(target)?.samples.push(&line)
    }

    /// Hands everything to the system. All files are tried; the first error is returned.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let mut result = Ok(());
        for lines in self.targets.values_mut().flat_map(Files::all) {
            result = result.and(lines.flush());
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

/// As [`Writer::check`], for what is no request.
fn check_side(what: &'static str, target: &TargetName, line: &[u8]) -> Result<(), StoreError> {
    let (bytes, limit) = (line.len(), SIDE_LINE_BYTES);
    if bytes <= limit {
        return Ok(());
    }
    Err(StoreError::LineTooLarge { what, target: target.clone(), bytes, limit })
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.flush());
    }
}
