//! Threads that begin to work when all of them are there.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

/// What a thread does.
pub(super) type Task = Box<dyn FnOnce() + Send>;

/// A thread that waits for its task. It ends when this is dropped before it got one.
pub(super) struct Hand {
    task: SyncSender<Task>,
    thread: JoinHandle<()>,
}

/// So many threads, made by `spawn`, or none: work that they do together would wait for ever for those who are missing.
///
/// # Errors
/// When one of them cannot be started.
pub(super) fn hire(count: u32, spawn: impl Fn(Builder, Task) -> io::Result<JoinHandle<()>>) -> io::Result<Vec<Hand>> {
    let hand = |number| {
        let (task, given) = sync_channel::<Task>(1);
        let wait = move || {
            if let Ok(task) = given.recv() {
                task();
            }
        };
        let thread = spawn(Builder::new().name(format!("load-{number}")), Box::new(wait))?;
        Ok(Hand { task, thread })
    };
    (0..count).map(hand).collect()
}

impl Hand {
    /// Gives it its only task.
    pub(super) fn begin(&self, task: Task) {
        drop(self.task.try_send(task));
    }

    /// Waits until it is done. Whether it went well: `false` after a panic.
    pub(super) fn join(self) -> bool {
        drop(self.task);
        self.thread.join().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};

    use super::*;

    #[test]
    fn threads_that_are_all_there_work_together() {
        let barrier = Arc::new(Barrier::new(3));
        let hands = hire(3, Builder::spawn).unwrap();
        for hand in &hands {
            let barrier = Arc::clone(&barrier);
            hand.begin(Box::new(move || {
                barrier.wait();
            }));
        }
        assert!(hands.into_iter().all(Hand::join));
    }

    #[test]
    fn where_one_cannot_be_started_the_others_go_home() {
        let (left, leaving) = sync_channel(2);
        let spawn = |builder: Builder, body: Task| {
            let left = left.clone();
            let thread = builder.spawn(move || {
                body();
                left.send(()).unwrap();
            });
            thread.and_then(|thread| match thread.thread().name() {
                Some("load-1") => Err(io::Error::from(io::ErrorKind::WouldBlock)),
                _ => Ok(thread),
            })
        };
        let refused = hire(3, spawn).err().map(|error| error.kind());
        assert_eq!(refused, Some(io::ErrorKind::WouldBlock));
        assert_eq!((leaving.recv(), leaving.recv()), (Ok(()), Ok(())));
    }
}
