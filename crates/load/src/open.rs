//! The open loop: arrivals whatever happens.

use std::future::Future;
use std::pin::pin;

use tokio::task::JoinSet;

use crate::pacer::Pacer;
use crate::{Slot, Timing};

/// Slots started in one go before the requests already started get a chance to run.
const BURST: u32 = 64;

/// Calls `send` for each slot at its scheduled moment, and returns when the slots are used up, or
/// `timing.stop` was cancelled, and every request sent has ended.
///
/// At most `places` requests are under way at once; a slot that finds no free place is handed to
/// `not_sent` and never sent later. When this driver wakes late it sends at once what is due, and
/// `scheduled` stays as planned: the record shows the lateness. Slots not yet due when `stop` is
/// cancelled are neither sent nor reported. Dropping the future cancels the requests under way.
///
/// # Panics
/// Outside a [`tokio::task::LocalSet`], and when a request panicked.
pub async fn open<F, Fut>(
    slots: impl IntoIterator<Item = Slot>,
    timing: &Timing,
    places: usize,
    mut send: F,
    mut not_sent: impl FnMut(Slot),
) where
    F: FnMut(Slot) -> Fut,
    Fut: Future<Output = ()> + 'static,
{
    let mut pacer = Pacer::new(timing.epoch, timing.pacing);
    let mut under_way = JoinSet::new();
    let mut stopped = pin!(timing.stop.cancelled());
    let mut burst = 0;
    for slot in slots {
        if pacer.is_due(slot.scheduled) && burst < BURST {
            burst += 1;
        } else {
            burst = 0;
            tokio::select! {
                biased;
                () = &mut stopped => break,
                () = pacer.until(slot.scheduled) => {}
            }
        }
        free_places(&mut under_way);
        if under_way.len() >= places {
            // Requests that have all they were waiting for, but had no turn yet, end now.
            tokio::task::yield_now().await;
            free_places(&mut under_way);
        }
        if under_way.len() < places {
            under_way.spawn_local(send(slot));
        } else {
            not_sent(slot);
        }
    }
    while let Some(ended) = under_way.join_next().await {
        crate::pass_on_panic(ended);
    }
}

/// Forgets the requests that have ended.
fn free_places(under_way: &mut JoinSet<()>) {
    while let Some(ended) = under_way.try_join_next() {
        crate::pass_on_panic(ended);
    }
}

#[cfg(test)]
mod tests;
