//! What is seen of a turn while it goes on, for whoever decides what comes next.

use std::sync::Arc;

use schema::record::Record;
use schema::units::{Moment, Nanos};
use tokio_util::sync::CancellationToken;

use crate::standing::Standing;

/// How to end a turn early.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    /// Whose turn it is, by its position.
    pub(crate) target: usize,
    /// Ends it.
    pub(crate) sending: CancellationToken,
    /// When sending ends anyway, if by time: what comes later is only the rest.
    pub(crate) until: Option<Moment>,
}

/// What was seen of a turn.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Its records.
    pub(crate) records: Vec<Arc<Record>>,
    /// Why the target could not keep up, if that was seen and the turn ended for it.
    pub(crate) saturated: Option<String>,
}

/// From one look at whether the target keeps up to the next.
const LOOK_EVERY: Nanos = Nanos::from_secs(1);

/// Looks out during one turn.
#[derive(Debug)]
pub(super) struct Lookout {
    cut: Option<Cut>,
    seen: Seen,
    first_contents: Vec<stats::Seen>,
    in_flight: Vec<(Moment, u32)>,
    look_at: Moment,
}

impl Lookout {
    pub(super) const fn new(cut: Option<Cut>) -> Self {
        let seen = Seen { records: Vec::new(), saturated: None };
        Self { cut, seen, first_contents: Vec::new(), in_flight: Vec::new(), look_at: Moment::EPOCH }
    }

    pub(super) fn take_in(&mut self, record: &Arc<Record>) {
        self.seen.records.push(Arc::clone(record));
        if let (Some(_), Some(first)) = (&self.cut, record.events.content().next()) {
            let at = record.scheduled_ns;
            self.first_contents.push(stats::Seen { at, ttft: first.arrival - at });
        }
    }

    /// Ends the turn when its target cannot keep up.
    pub(super) fn look(&mut self, now: Moment, standings: &[Standing]) {
        let Some(cut) = &self.cut else { return };
        if self.seen.saturated.is_some() || cut.sending.is_cancelled() || cut.until.is_some_and(|until| now >= until) {
            return;
        }
        self.in_flight.push((now, standings[cut.target].in_flight()));
        if now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        self.seen.saturated = stats::saturation(&self.first_contents, &self.in_flight);
        if self.seen.saturated.is_some() {
            cut.sending.cancel();
        }
    }

    pub(super) fn seen(self) -> Seen {
        self.seen
    }
}
