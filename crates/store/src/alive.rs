//! Telling a run that goes on from one that died: whoever works on a run holds a lock on its folder, and a lock goes
//! with the process that holds it, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::StoreError;

/// Held as long as someone works on a run. Empty where the system cannot lock folders.
#[derive(Debug)]
pub(crate) struct Alive {
    _lock: Option<File>,
}

impl Alive {
    /// Marks a new folder as worked on.
    pub(crate) fn mark(folder: &Path) -> Self {
        // Someone may be looking at this very moment, so this waits.
        Self { _lock: open(folder).filter(|lock| lock.lock().is_ok()) }
    }

    /// Marks the folder of an old run as worked on.
    ///
    /// # Errors
    /// When someone else is at work on it.
    pub(crate) fn take(folder: &Path) -> Result<Self, StoreError> {
        let lock = open(folder);
        match lock.as_ref().map(File::try_lock) {
            Some(Err(TryLockError::WouldBlock)) => Err(StoreError::GoingOn { path: folder.to_owned() }),
            _ => Ok(Self { _lock: lock }),
        }
    }
}

/// Whether someone works on the run in `folder`. Where the system cannot tell, someone may be.
pub fn is_going_on(folder: &Path) -> bool {
    open(folder).is_none_or(|lock| lock.try_lock_shared().is_err())
}

fn open(folder: &Path) -> Option<File> {
    if cfg!(unix) { File::open(folder).ok() } else { None }
}
