//! The one batch of an engine, driven by the real clock, and a mailbox for each request in it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use schema::units::Moment;
use tokio::sync::Notify;

use crate::batch::{Batch, Emission, QueueFull};
use crate::clock;
use crate::engine::EngineModel;

/// Runs a [`Batch`] by the monotonic clock.
#[derive(Debug)]
pub(crate) struct Scheduler {
    inner: Mutex<Inner>,
    /// An idle engine was given work.
    woken: Notify,
}

#[derive(Debug)]
struct Inner {
    batch: Batch,
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

/// How full an engine is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Occupancy {
    pub(crate) running: usize,
    pub(crate) waiting: usize,
    pub(crate) cache_usage: f64,
    pub(crate) preemptions: u64,
}

impl Scheduler {
    pub(crate) fn new(model: EngineModel, seed: u64) -> Self {
        let batch = Batch::new(model, seed);
        let inner = Inner { batch, mailboxes: HashMap::new(), emissions: Vec::new(), next_id: 0 };
        Self { inner: Mutex::new(inner), woken: Notify::new() }
    }

    /// Queues a request that arrived at `received`.
    pub(crate) fn submit(self: &Arc<Self>, prompt: u32, output: u32, received: Moment) -> Result<Ticket, QueueFull> {
        let mut inner = self.lock();
        let was_idle = inner.batch.next_at().is_none();
        let id = inner.next_id;
        inner.batch.submit(id, prompt, output, received)?;
        inner.next_id += 1;
        let mailbox = Arc::new(Mailbox::default());
        inner.mailboxes.insert(id, Arc::clone(&mailbox));
        drop(inner);
        if was_idle {
            self.woken.notify_one();
        }
        Ok(Ticket { scheduler: Arc::clone(self), id, mailbox, taken: 0 })
    }

    /// Carries out steps for as long as it is polled.
    pub(crate) async fn drive(&self) {
        loop {
            let next = self.lock().advance(clock::now());
            match next {
                None => self.woken.notified().await,
                Some(at) => tokio::time::sleep(Duration::from(at.since(clock::now()))).await,
            }
        }
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        let inner = self.lock();
        Occupancy {
            running: inner.batch.running(),
            waiting: inner.batch.waiting(),
            cache_usage: inner.batch.cache_usage(),
            preemptions: inner.batch.preemptions(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Does what is due, tells the requests, and says when there is more.
    fn advance(&mut self, now: Moment) -> Option<Moment> {
        self.batch.advance(now, &mut self.emissions);
        for emission in self.emissions.drain(..) {
            if let Some(mailbox) = self.mailboxes.get(&emission.id) {
                mailbox.scheduled_ns.store(emission.scheduled.0, Ordering::Relaxed);
                mailbox.generated.store(emission.generated, Ordering::Release);
                mailbox.arrived.notify_one();
            }
        }
        self.batch.next_at()
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
        let mut inner = self.scheduler.lock();
        inner.batch.cancel(self.id);
        inner.mailboxes.remove(&self.id);
    }
}
