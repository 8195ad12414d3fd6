//! Numbers for requests.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// Numbers for requests, handed out once each to however many drivers share it.
#[derive(Debug)]
pub struct Counter {
    next: AtomicU64,
    end: u64,
    used_up: CancellationToken,
}

impl Counter {
    /// Hands out `indexes`, in order. For a load that stops by time, end at `u64::MAX`.
    pub fn new(indexes: Range<u64>) -> Self {
        let used_up = CancellationToken::new();
        if indexes.is_empty() {
            used_up.cancel();
        }
        Self { next: AtomicU64::new(indexes.start), end: indexes.end, used_up }
    }

    /// The next number, until they are used up.
    pub fn take(&self) -> Option<u64> {
        // Relaxed: the number itself is all that is exchanged.
        let taken = self.next.try_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n < self.end).then(|| n + 1)).ok();
        if taken.is_some_and(|number| number + 1 == self.end) {
            self.used_up.cancel();
        }
        taken
    }

    /// Waits until there are no more numbers.
    pub(super) async fn used_up(&self) {
        self.used_up.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_counter_ends_and_stays_at_its_end() {
        let counter = Counter::new(5..7);
        assert_eq!([counter.take(), counter.take(), counter.take(), counter.take()], [Some(5), Some(6), None, None]);
    }

    #[test]
    fn threads_never_get_the_same_number() {
        let counter = Arc::new(Counter::new(0..40_000));
        let take_all = || std::iter::from_fn(|| counter.take()).collect::<Vec<_>>();
        let mut numbers = std::thread::scope(|scope| {
            let threads = [scope.spawn(take_all), scope.spawn(take_all)];
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40_000).collect::<Vec<_>>());
    }
}
