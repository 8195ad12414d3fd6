//! The closed loop: a new request when a place is free.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use schema::units::Moment;
use tokio::task::JoinSet;

use crate::{Slot, Timing};

/// Numbers for requests, handed out once each to however many drivers share it.
#[derive(Debug)]
pub struct Counter {
    next: AtomicU64,
    end: u64,
}

impl Counter {
    /// Hands out `indexes`, in order. For a load that stops by time, end at `u64::MAX`.
    pub const fn new(indexes: Range<u64>) -> Self {
        Self { next: AtomicU64::new(indexes.start), end: indexes.end }
    }

    /// The next number, until they are used up.
    pub fn take(&self) -> Option<u64> {
        // Relaxed: the number itself is all that is exchanged.
        self.next.try_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < self.end).then(|| n + 1)).ok()
    }
}

/// Keeps `concurrency` requests under way: each of as many streams takes the next number, calls
/// `send`, waits for that request to end and begins again, until the numbers are used up, `until`
/// has come, or `timing.stop` was cancelled. Returns when every request sent has ended.
///
/// A slot is `scheduled` for the moment its stream became free. Dropping the future cancels the
/// requests under way.
///
/// # Panics
/// Outside a [`tokio::task::LocalSet`], and when a request panicked.
pub async fn closed<F, Fut>(concurrency: usize, indexes: &Arc<Counter>, until: Option<Moment>, timing: &Timing, send: F)
where
    F: FnMut(Slot) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let send = Rc::new(RefCell::new(send));
    let mut streams = JoinSet::new();
    for _ in 0..concurrency {
        streams.spawn_local(stream(Arc::clone(indexes), until, timing.clone(), Rc::clone(&send)));
    }
    while let Some(ended) = streams.join_next().await {
        crate::pass_on_panic(ended);
    }
}

/// One place: request after request.
async fn stream<F, Fut>(indexes: Arc<Counter>, until: Option<Moment>, timing: Timing, send: Rc<RefCell<F>>)
where
    F: FnMut(Slot) -> Fut,
    Fut: Future<Output = ()>,
{
    loop {
        let scheduled = timing.now();
        if timing.stop.is_cancelled() || until.is_some_and(|until| scheduled >= until) {
            return;
        }
        let Some(index) = indexes.take() else { return };
        let request = (send.borrow_mut())(Slot { index, scheduled });
        request.await;
        // A request that never had to wait would otherwise keep the thread to itself.
        tokio::task::coop::consume_budget().await;
    }
}

#[cfg(test)]
mod tests;
