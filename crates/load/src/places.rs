//! The places of an open loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use crate::Slot;

/// How many requests of an open loop may be under way at once, shared by all its drivers.
///
/// Places are numbered by the requests that take them, from 0 on, and place `n` is free once `n` is below the number of
/// requests that have ended plus `most`. So there is no list to be locked. Whoever takes what is free takes the next
/// number; of slots that wait, each has its own, its position in the schedule: when a request ends it is
/// known whose turn that makes it.
#[derive(Debug)]
pub struct Places {
    /// Number of the schedule's first slot.
    first: u64,
    most: u64,
    /// Places that were taken by whoever found one free.
    taken: AtomicU64,
    ended: AtomicU64,
    /// The drivers, by the index of their segments.
    drivers: Box<[AtomicWaker]>,
}

/// One of them, free again when this is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Place(Arc<Places>);

impl Places {
    /// `most` places for a schedule whose slots are numbered from `first` on, and as many segments of it as there are
    /// `drivers`.
    pub fn new(first: u64, most: u32, drivers: u32) -> Arc<Self> {
        let drivers = (0..drivers.max(1)).map(|_| AtomicWaker::new()).collect();
        Arc::new(Self { first, most: most.into(), taken: AtomicU64::new(0), ended: AtomicU64::new(0), drivers })
    }

    /// Whether there are none at all.
    pub(crate) const fn is_none(&self) -> bool {
        self.most == 0
    }

    /// Any place that is free.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Place> {
        let next = |number| self.is_free(number).then(|| number + 1);
        // Whoever sees that a place was taken also sees what had ended by then, or it would look like one too many.
        let taken = self.taken.try_update(Ordering::Release, Ordering::Acquire, next);
        taken.is_ok().then(|| Place(Arc::clone(self)))
    }

    /// The place of `slot`, once it is free, where all slots wait for theirs.
    pub(crate) fn of(self: &Arc<Self>, slot: Slot) -> Option<Place> {
        self.is_free(self.position(slot)).then(|| Place(Arc::clone(self)))
    }

    /// Whether the place of `slot` is free; the driver of its segment is woken once it is.
    pub(crate) fn poll(&self, slot: Slot, context: &mut Context<'_>) -> Poll<()> {
        let position = self.position(slot);
        // Before the look: a request that ends in between wakes it.
        self.driver_of(position).register(context.waker());
        if self.is_free(position) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn position(&self, slot: Slot) -> u64 {
        slot.index - self.first
    }

    fn is_free(&self, number: u64) -> bool {
        number < self.ended.load(Ordering::Relaxed) + self.most
    }

    #[expect(clippy::cast_possible_truncation, reason = "below the number of drivers")]
    fn driver_of(&self, position: u64) -> &AtomicWaker {
        &self.drivers[(position % self.drivers.len() as u64) as usize]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.0;
        let made_free = places.ended.fetch_add(1, Ordering::Relaxed) + places.most;
        places.driver_of(made_free).wake();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn threads_never_hold_more_than_there_are_and_one_uses_what_another_leaves() {
        let places = Places::new(0, 3, 2);
        let (held, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        let idle = places.take().unwrap();
        let work = || {
            for _ in 0..20_000 {
                let Some(place) = places.take() else { continue };
                assert!(held.fetch_add(1, Ordering::SeqCst) < 2, "one of three is taken all the time");
                taken.fetch_add(1, Ordering::Relaxed);
                held.fetch_sub(1, Ordering::SeqCst);
                drop(place);
            }
        };
        std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
        assert_eq!(taken.into_inner(), 40_000, "two of three are enough for two");
        drop(idle);
        assert_eq!(std::iter::from_fn(|| places.take().map(std::mem::forget)).count(), 3);
    }
}
