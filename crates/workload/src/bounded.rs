//! A reader that gives up on files and entries that are too long.

use std::cell::Cell;
use std::io::{Error, Read, Result};

use crate::error::{Spot, WorkloadError};

/// Counts what is read, and ends with an error beyond the limits.
pub(crate) struct Bounds {
    file_bytes: u64,
    entry_bytes: u64,
    file_left: Cell<u64>,
    entry_left: Cell<u64>,
}

impl Bounds {
    /// A file and each of its entries must be smaller than this. Entries are measured only roughly: readers read ahead.
    pub(crate) const fn new(file_bytes: u64, entry_bytes: u64) -> Self {
        Self { file_bytes, entry_bytes, file_left: Cell::new(file_bytes), entry_left: Cell::new(entry_bytes) }
    }

    /// From here on a new entry is read.
    pub(crate) fn next_entry(&self) {
        self.entry_left.set(self.entry_bytes);
    }

    /// What bound was met, if one was.
    pub(crate) fn exceeded(&self, spot: &Spot) -> Option<WorkloadError> {
        if self.file_left.get() == 0 {
            Some(WorkloadError::FileTooLarge { path: spot.path.clone(), bytes: self.file_bytes })
        } else if self.entry_left.get() == 0 {
            Some(WorkloadError::TooLong { spot: spot.clone(), bytes: self.entry_bytes })
        } else {
            None
        }
    }

    pub(crate) fn watch<R: Read>(&self, inner: R) -> Bounded<'_, R> {
        Bounded { inner, bounds: self }
    }
}

/// A reader that is watched.
pub(crate) struct Bounded<'a, R> {
    inner: R,
    bounds: &'a Bounds,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.inner.read(buffer)?;
        for left in [&self.bounds.file_left, &self.bounds.entry_left] {
            left.set(left.get().saturating_sub(read as u64));
            if left.get() == 0 {
                return Err(Error::other("too long"));
            }
        }
        Ok(read)
    }
}
