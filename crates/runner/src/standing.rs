//! How each target stands while the run goes on: one `Standing` a target, shared by all threads and the recorder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::hope::Hope;

/// What is known of one target.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Whether there is a point in going on with it.
    pub(crate) hope: Hope,
    in_flight: AtomicU32,
}

/// One for each target.
pub(crate) fn standings(targets: usize) -> Arc<[Standing]> {
    (0..targets).map(|_| Standing::default()).collect()
}

impl Standing {
    /// Requests of this target in flight now, over all threads.
    pub(crate) fn in_flight(&self) -> u32 {
        // Relaxed: the number itself is all that is exchanged.
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request as in flight until what is returned is dropped.
    pub(crate) fn fly(&self) -> Flying<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Flying(&self.in_flight)
    }
}

/// A request in flight.
#[must_use]
pub(crate) struct Flying<'a>(&'a AtomicU32);

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
