//! What is typed, read by a thread of its own.
//!
//! The library that reads keys looks for no end of them: a terminal that is closed while it reads is read for ever. So
//! whoever draws, and waits for runs, never reads.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event};

/// Keys that may wait to be looked at; until there is room the next are left with the terminal.
const WAITING: usize = 1_000;

/// How long the thread may read on when nobody wants keys any more.
const GRACE: Duration = Duration::from_millis(100);

/// What is there already: the library does not look at all when it is given no time.
const AT_ONCE: Duration = Duration::from_millis(1);

/// A keyboard, for as long as this lives.
pub(super) struct Keyboard {
    events: Receiver<io::Result<Event>>,
    unwanted: Arc<AtomicBool>,
}

impl Keyboard {
    /// Begins to read.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(super) fn open() -> io::Result<Self> {
        let (sender, events) = sync_channel(WAITING);
        let unwanted = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&unwanted);
        std::thread::Builder::new().name("keyboard".into()).spawn(move || read(&sender, &is_over))?;
        Ok(Self { events, unwanted })
    }

    /// What is typed next, if that is before `until`.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn next(&self, until: Instant) -> io::Result<Option<Event>> {
        match self.events.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(event) => event.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Keyboard {
    /// Waits until nothing is read any more: what is typed from now on is meant for others. A thread that still reads then
    /// has nothing to read from.
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Relaxed);
        let until = Instant::now() + 5 * GRACE;
        while self.next(until).is_ok_and(|event| event.is_some()) {}
    }
}

fn read(events: &SyncSender<io::Result<Event>>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        let Some(event) = next().transpose() else { continue };
        let is_last = event.is_err();
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

fn next() -> io::Result<Option<Event>> {
    wait()?;
    if event::poll(if cfg!(unix) { AT_ONCE } else { GRACE })? { event::read().map(Some) } else { Ok(None) }
}

/// Waits for something to read, a while.
#[cfg(unix)]
fn wait() -> io::Result<()> {
    use std::os::fd::AsFd as _;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    // Several keys may have been read at once.
    if event::poll(AT_ONCE)? {
        return Ok(());
    }
    let keyboard = io::stdin();
    let mut ready = [PollFd::new(keyboard.as_fd(), PollFlags::POLLIN)];
    // A signal ends the wait, too, and is no error.
    poll(&mut ready, PollTimeout::try_from(GRACE).unwrap_or(PollTimeout::ZERO)).ok();
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    let is_gone = ready[0].revents().is_some_and(|seen| seen.intersects(gone));
    if is_gone { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
}

/// Whoever looks for keys there waits by itself.
#[cfg(windows)]
const fn wait() -> io::Result<()> {
    Ok(())
}
