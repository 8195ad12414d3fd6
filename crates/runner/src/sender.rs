//! One request of a turn, from its slot to its record.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use load::Slot;
use schema::record::{Outcome, Partial, Phase};
use tokio::time::Instant;
use transport::{Client, Order, Watch};

use crate::recorder::Message;
use crate::standing::Standing;
use crate::workers::Shared;

/// Failures in a row that a closed loop takes in its stride.
const FREE_FAILURES: u32 = 3;

/// A closed loop's longest pause between failures is 2^10 ms.
const MOST_DOUBLINGS: u32 = 10;

/// Where in the run requests stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// Which target, by its position.
    pub(crate) target: usize,
    /// What they count for.
    pub(crate) phase: Phase,
    /// Their block.
    pub(crate) block: u32,
    /// Their step of a search.
    pub(crate) step: u32,
}

/// What a request's end means to the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing: arrivals come whatever happens.
    Open,
    /// The next may begin.
    Closed {
        /// When the turn stops sending, if it ends by time.
        until: Option<Instant>,
    },
}

/// What a stream does after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Its session goes on.
    SessionGoesOn,
}

/// Sends the requests of one turn on one thread.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    client: Rc<Client>,
    at: At,
    place: Place,
    /// Failures since the last request that did not fail.
    failures: Cell<u32>,
}

/// How long a closed loop's place stays taken after so many failures in a row.
fn pause(failures: u32) -> Option<Duration> {
    let beyond = failures.checked_sub(FREE_FAILURES)?.checked_sub(1)?;
    Some(Duration::from_millis(1 << beyond.min(MOST_DOUBLINGS)))
}

impl Sender {
    pub(crate) fn new(shared: &Arc<Shared>, client: &Rc<Client>, at: At, place: Place) -> Self {
        Self { shared: Arc::clone(shared), client: Rc::clone(client), at, place, failures: Cell::new(0) }
    }

    /// How its target stands.
    fn standing(&self) -> &Standing {
        &self.shared.crew.standings[self.at.target]
    }

    fn order(&self, slot: Slot) -> Order {
        self.shared.crew.requests.order(self.at, slot)
    }

    /// Sends the request of `slot` and hands its record on. Ends when the request's place is free again.
    pub(crate) async fn send(self: Rc<Self>, slot: Slot) -> After {
        let crew = &self.shared.crew;
        let order = self.order(slot);
        let price = self.client.target().price.as_ref();
        let input = crew.requests.most_input_tokens(order.prompt);
        let Some(reserved) = crew.budget.reserve(price, input, order.max_tokens) else {
            self.shared.out_of_budget.store(true, Ordering::Relaxed);
            crew.stop.enough();
            return After::SessionGoesOn;
        };
        let flying = self.standing().fly();
        let record = self.client.send(order, &mut Parts(&crew.recorder)).await;
        drop(flying);
        crew.budget.settle(reserved, price, &record);
        self.standing().hope.learn(self.at.phase, &record.outcome);
        self.failures.set(if matches!(record.outcome, Outcome::Failed(_)) {
            self.failures.get().saturating_add(1)
        } else {
            0
        });
        self.shared.keep(record);
        self.pause_after_failures().await;
        After::SessionGoesOn
    }

    /// A server that is gone answers at once: a closed loop is not run against it as fast as this machine can.
    async fn pause_after_failures(&self) {
        let Place::Closed { until } = self.place else { return };
        let Some(pause) = pause(self.failures.get()) else { return };
        let over = Instant::now() + pause;
        tokio::select! {
            () = tokio::time::sleep_until(until.map_or(over, |until| until.min(over))) => {}
            () = self.shared.crew.stop.no_more_sending().cancelled() => {}
        }
    }

    pub(crate) fn not_sent(&self, slot: Slot) {
        self.shared.keep(self.client.not_sent(self.order(slot)));
    }
}

/// Passes parts of streams on to the recorder. They only matter if the process dies: when the queue is
/// full they are dropped.
struct Parts<'a>(&'a SyncSender<Message>);

impl Watch for Parts<'_> {
    fn partial(&mut self, part: Partial) {
        drop(self.0.try_send(Message::Partial(Box::new(part))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_slow_a_closed_loop_down() {
        let millis = |failures| pause(failures).map(|pause| pause.as_millis());
        assert_eq!([0, 1, 3].map(millis), [None; 3]);
        assert_eq!([4, 5, 8, 14, 15, u32::MAX].map(millis), [1, 2, 16, 1024, 1024, 1024].map(Some));
    }
}
