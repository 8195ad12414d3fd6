//! Whether a target cannot keep up with what it is offered.

use schema::units::{Moment, Nanos};

/// One request of an open loop whose first content has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When it was due.
    pub at: Moment,
    /// TTFT from schedule, so that waiting for a place counts.
    pub ttft: Nanos,
}

/// Why the target cannot keep up, with numbers; `None` while nothing is certain. `in_flight`: requests that
/// are due and not over, those that wait for a place included, at instants of one step.
pub fn saturation(seen: &[Seen], in_flight: &[(Moment, u32)]) -> Option<String> {
    let _ = (seen, in_flight);
    None
}
