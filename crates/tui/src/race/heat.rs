//! One heat: all lanes, once.

use super::track::Track;

/// What is known of one heat.
#[derive(Debug)]
pub(super) struct Heat {
    /// One a target, in the plan's order.
    pub(super) tracks: Vec<Track>,
}

impl Heat {
    pub(super) fn new(lanes: usize) -> Self {
        Self { tracks: (0..lanes).map(|_| Track::default()).collect() }
    }
}
