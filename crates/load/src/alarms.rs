//! Waking many streams by one pacer.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use schema::units::Moment;
use tokio::sync::{Notify, oneshot};

use crate::pacer::Pacer;

/// Moments that streams of one driver wait for. A pacer of each stream's own would cost a file descriptor a stream.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    /// By moment, then by stream: those of one moment wake in their streams' order.
    set: RefCell<BTreeMap<(Moment, u32), oneshot::Sender<()>>>,
    /// An earlier one than all before was set.
    earlier: Notify,
    over: Cell<bool>,
}

impl Alarms {
    /// Waits until `moment`; whether it came before the end. A stream waits for one moment at a time.
    pub(crate) async fn until(&self, moment: Moment, stream: u32) -> bool {
        if self.over.get() {
            return false;
        }
        let (bell, rings) = oneshot::channel();
        let is_earliest = {
            let mut set = self.set.borrow_mut();
            set.insert((moment, stream), bell);
            set.first_key_value().is_some_and(|(first, _)| *first == (moment, stream))
        };
        if is_earliest {
            self.earlier.notify_one();
        }
        rings.await.is_ok()
    }

    /// Wakes each stream at its moment, for ever.
    pub(crate) async fn ring(&self, pacer: &mut Pacer) {
        loop {
            let first = self.set.borrow().first_key_value().map(|((moment, _), _)| *moment);
            let Some(moment) = first else {
                self.earlier.notified().await;
                continue;
            };
            tokio::select! {
                biased;
                () = self.earlier.notified() => {}
                () = pacer.until(moment) => self.wake(moment),
            }
        }
    }

    fn wake(&self, moment: Moment) {
        let mut set = self.set.borrow_mut();
        while let Some(first) = set.first_entry().filter(|first| first.key().0 <= moment) {
            // A stream that no longer waits has gone with its driver.
            first.remove().send(()).unwrap_or_default();
        }
    }

    /// No moment comes any more: all who wait, and all who would, go.
    pub(crate) fn end(&self) {
        self.over.set(true);
        self.set.borrow_mut().clear();
    }
}
