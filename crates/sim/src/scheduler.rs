//! An engine's discipline of service, driven by the real clock, and a mailbox for each request in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schema::units::{Moment, Nanos};
use tokio::sync::Notify;

use crate::clock;
use crate::discipline::{Arrival, Discipline, Emission, Occupancy, QueueFull};

/// Runs a [`Discipline`] by the monotonic clock.
#[derive(Debug)]
pub(crate) struct Scheduler {
    inner: Mutex<Inner>,
    /// There is something to do earlier than was known.
    woken: Notify,
}

#[derive(Debug)]
struct Inner {
    discipline: Box<dyn Discipline>,
    mailboxes: HashMap<u64, Arc<Mailbox>>,
    emissions: Vec<Emission>,
    next_id: u64,
}

/// What the engine has told one request.
#[derive(Debug, Default)]
struct Mailbox {
    generated: AtomicU32,
    scheduled_ns: AtomicU64,
    arrived: Notify,
}

impl Scheduler {
    pub(crate) fn new(discipline: Box<dyn Discipline>) -> Self {
        let inner = Inner { discipline, mailboxes: HashMap::new(), emissions: Vec::new(), next_id: 0 };
        Self { inner: Mutex::new(inner), woken: Notify::new() }
    }

    /// Takes in a request; its `id` is given here.
    pub(crate) fn submit(self: &Arc<Self>, arrival: Arrival) -> Result<Ticket, QueueFull> {
        let mailbox = Arc::new(Mailbox::default());
        let id = self.change(|inner| {
            let id = inner.next_id;
            // What was due before it came is done before it counts.
            inner.advance(arrival.at);
            inner.discipline.submit(Arrival { id, ..arrival })?;
            inner.next_id += 1;
            inner.mailboxes.insert(id, Arc::clone(&mailbox));
            Ok(id)
        })?;
        Ok(Ticket { scheduler: Arc::clone(self), id, mailbox, taken: 0 })
    }

    /// Does what is due for as long as it is polled.
    pub(crate) async fn drive(&self) {
        loop {
            let next = self.lock().advance(clock::now());
            let due = async {
                match next {
                    None => std::future::pending().await,
                    Some(at) => tokio::time::sleep(Duration::from(at.since(clock::now()))).await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.woken.notified() => {}
            }
        }
    }

    /// For so long no work was done.
    pub(crate) fn stalled(&self, length: Nanos) {
        self.change(|inner| inner.discipline.stalled(length));
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        self.lock().discipline.occupancy()
    }

    /// Changes who is there, and wakes the driver if the next token is now due earlier.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let before = inner.discipline.next_at();
        let changed = change(&mut inner);
        let after = inner.discipline.next_at();
        drop(inner);
        if after.is_some_and(|after| before.is_none_or(|before| after < before)) {
            self.woken.notify_one();
        }
        changed
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Does what is due, tells the requests, and says when there is more.
    fn advance(&mut self, now: Moment) -> Option<Moment> {
        self.discipline.advance(now, &mut self.emissions);
        for emission in self.emissions.drain(..) {
            if let Some(mailbox) = self.mailboxes.get(&emission.id) {
                mailbox.scheduled_ns.store(emission.scheduled.0, Ordering::Relaxed);
                mailbox.generated.store(emission.generated, Ordering::Release);
                mailbox.arrived.notify_one();
            }
        }
        self.discipline.next_at()
    }
}

/// A request's place in the engine; dropping it gives the place back at once.
#[derive(Debug)]
pub(crate) struct Ticket {
    scheduler: Arc<Scheduler>,
    id: u64,
    mailbox: Arc<Mailbox>,
    taken: u32,
}

impl Ticket {
    /// Waits until `tokens` more have been generated, and takes them.
    pub(crate) async fn wait(&mut self, tokens: u32) {
        let wanted = self.taken.saturating_add(tokens);
        while self.mailbox.generated.load(Ordering::Acquire) < wanted {
            self.mailbox.arrived.notified().await;
        }
        self.taken = wanted;
    }

    /// When the request first got a place in the batch; meaningful once a token has come.
    pub(crate) fn scheduled(&self) -> Moment {
        Moment(self.mailbox.scheduled_ns.load(Ordering::Relaxed))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.scheduler.change(|inner| {
            inner.discipline.cancel(self.id, clock::now());
            inner.mailboxes.remove(&self.id);
        });
    }
}
