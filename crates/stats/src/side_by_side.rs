//! Work on many records, shared by threads.

use std::thread;

/// From so many records on, threads are worth their while.
const MANY: usize = 50_000;

/// Pieces that are worked on at once: each has values of its own in memory.
const AT_ONCE: usize = 2;

/// What `one` makes of each piece of work on so many records in all, in order.
pub(crate) fn side_by_side<W: Send, R: Send>(records: usize, work: Vec<W>, one: impl Fn(W) -> R + Sync) -> Vec<R> {
    if records < MANY {
        return work.into_iter().map(one).collect();
    }
    let (mut results, mut work) = (Vec::with_capacity(work.len()), work.into_iter().peekable());
    while work.peek().is_some() {
        thread::scope(|scope| {
            let threads: Vec<_> = work.by_ref().take(AT_ONCE).map(|piece| scope.spawn(|| one(piece))).collect();
            results.extend(threads.into_iter().map(|thread| thread.join().expect("numbers are made of any records")));
        });
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_comes_in_order_by_one_thread_or_several() {
        for records in [0, MANY] {
            assert_eq!(side_by_side(records, (0..5).collect(), |n| n * 2), [0, 2, 4, 6, 8]);
            assert!(side_by_side(records, Vec::<u32>::new(), |n| n).is_empty());
        }
    }
}
