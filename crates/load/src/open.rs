//! The open loop: arrivals whatever happens.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use schema::plan::WhenFull;
use tokio::task::JoinSet;

use crate::pacer::Pacer;
use crate::places::{Place, Places};
use crate::{Slot, Timing};

/// Slots started in one go before the requests already started get a chance to run.
const BURST: u32 = 64;

/// Calls `send` for each slot at its scheduled moment, and returns when the slots are used up, or
/// `timing.stop` was cancelled, and every request sent has ended. What a request yields is ignored.
///
/// At most as many requests are under way at once as there are `places`, over all drivers that share them: each has a
/// segment of the schedule of its own. A slot that is due and finds no free place is, by `when_full`, handed to
/// `not_sent` and never sent later; or it waits, and is sent as soon as a place is free for it, in the order of the whole
/// schedule. Those that are due and not sent when `stop` is cancelled, or wait without any place to wait for, are handed
/// to `not_sent`: to end waiting by time, cancel it then. As many may wait as the schedule has slots.
///
/// When this driver wakes late it sends at once what is due, and `scheduled` stays as planned, also while a slot
/// waits: the record shows the lateness. Slots not yet due when `stop` is cancelled are neither sent nor reported.
/// Dropping the future cancels the requests under way.
///
/// # Panics
/// Outside a [`tokio::task::LocalSet`], and when a request panicked.
pub async fn open<F, Fut>(
    slots: impl IntoIterator<Item = Slot>,
    timing: &Timing,
    places: &Arc<Places>,
    when_full: WhenFull,
    send: F,
    mut not_sent: impl FnMut(Slot),
) where
    F: FnMut(Slot) -> Fut,
    Fut: Future + 'static,
    Fut::Output: 'static,
{
    let can_wait = when_full == WhenFull::Wait && !places.is_none();
    let mut slots = slots.into_iter().peekable();
    let mut pacer = Pacer::new(timing.epoch, timing.pacing);
    let mut floor = Floor { places, can_wait, send, under_way: JoinSet::new(), due: VecDeque::new() };
    let sending = async {
        let mut burst = 0;
        while let Some(slot) = slots.peek().copied() {
            while !(pacer.is_due(slot.scheduled) && burst < BURST) {
                burst = 0;
                tokio::select! {
                    biased;
                    () = floor.serve_next() => {}
                    () = pacer.until(slot.scheduled) => break,
                }
            }
            burst += 1;
            floor.due.extend(slots.next());
            floor.serve();
            if !can_wait && !floor.due.is_empty() {
                // Requests that have all they were waiting for, but had no turn yet, end now.
                tokio::task::yield_now().await;
                floor.serve();
                floor.due.drain(..).for_each(&mut not_sent);
            }
        }
        while !floor.due.is_empty() {
            floor.serve_next().await;
        }
    };
    tokio::select! {
        biased;
        () = timing.stop.cancelled() => {}
        () = sending => {}
    }
    floor.due.drain(..).for_each(&mut not_sent);
    // Those that came due while this driver was late.
    let now = timing.now();
    std::iter::from_fn(|| slots.next_if(|slot| slot.scheduled <= now)).for_each(not_sent);
    while let Some(ended) = floor.under_way.join_next().await {
        crate::pass_on_panic(ended);
    }
}

/// This driver's part of what goes on: its requests under way, and its slots that are due and have no place.
struct Floor<'a, F, T> {
    places: &'a Arc<Places>,
    can_wait: bool,
    send: F,
    under_way: JoinSet<T>,
    due: VecDeque<Slot>,
}

impl<F, Fut> Floor<'_, F, Fut::Output>
where
    F: FnMut(Slot) -> Fut,
    Fut: Future + 'static,
    Fut::Output: 'static,
{
    /// Gives free places to the slots that are due, oldest first.
    fn serve(&mut self) {
        while let Some(ended) = self.under_way.try_join_next() {
            crate::pass_on_panic(ended);
        }
        while let Some(slot) = self.due.front().copied()
            && let Some(place) = self.place(slot)
        {
            self.due.pop_front();
            self.under_way.spawn_local(hold(place, (self.send)(slot)));
        }
    }

    fn place(&self, slot: Slot) -> Option<Place> {
        if self.can_wait { self.places.of(slot) } else { self.places.take() }
    }

    /// Waits for the place of the slot that waits longest, and gives it that; waits for ever when no slot waits. Cancel
    /// safe.
    async fn serve_next(&mut self) {
        let Some(oldest) = self.due.front().copied() else {
            return std::future::pending().await;
        };
        poll_fn(|context| {
            while let Poll::Ready(Some(ended)) = self.under_way.poll_join_next(context) {
                crate::pass_on_panic(ended);
            }
            self.places.poll(oldest, context)
        })
        .await;
        self.serve();
    }
}

/// `request`, which has its place until it ends.
async fn hold<T>(place: Place, request: impl Future<Output = T>) -> T {
    let ended = request.await;
    drop(place);
    ended
}

#[cfg(test)]
mod tests;
