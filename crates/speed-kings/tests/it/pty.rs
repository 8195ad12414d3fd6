//! A process behind a real pseudo-terminal: keys go in, a screen comes out.
//!
//! Nothing here sleeps: one thread reads what the terminal is sent and keeps the screen, another waits for what becomes
//! of the process, and whoever waits is woken by them. No wait is for ever: in the end it tells what is on the screen.

#![allow(dead_code, reason = "a keyboard has all its keys, whichever are pressed")]

use std::io::{PipeReader, PipeWriter, Read as _, Write as _};
use std::num::NonZeroU16;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{Termios, tcgetattr};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use pty_process::Size;
use pty_process::blocking::{Command as PtyCommand, Pty as Master, open};
use vt100::{MouseProtocolMode, Parser, Screen};

/// How long something that must happen may take on a machine that is busy with other work.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes that a terminal takes at once when it says that it takes any.
const ROOM: usize = 64;

pub(crate) const ENTER: &str = "\r";
pub(crate) const ESCAPE: &str = "\u{1b}";
pub(crate) const TAB: &str = "\t";
pub(crate) const UP: &str = "\u{1b}[A";
pub(crate) const DOWN: &str = "\u{1b}[B";
pub(crate) const RIGHT: &str = "\u{1b}[C";
pub(crate) const LEFT: &str = "\u{1b}[D";
pub(crate) const PAGE_DOWN: &str = "\u{1b}[6~";
pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_Z: &str = "\u{1a}";
pub(crate) const CTRL_BACKSLASH: &str = "\u{1c}";

/// A terminal with a process in it, which does not outlive the test.
pub(crate) struct Pty {
    /// Our end; `None` once it is closed.
    master: Option<Arc<Master>>,
    /// Dropped, it ends the reading thread, so that our end can be closed.
    hold: Option<PipeWriter>,
    seen: Arc<Seen>,
    process: Pid,
    /// How the terminal was set before anybody touched it.
    untouched: Termios,
}

/// What the two threads have seen so far.
struct Seen {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    terminal: Parser,
    /// All bytes that the terminal was sent.
    sent: Vec<u8>,
    /// Nothing more can come.
    drained: bool,
    life: Life,
}

/// What has become of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It runs.
    Running,
    /// It was stopped, as by Ctrl-Z.
    Stopped,
    /// It ended with this status.
    Ended(i32),
    /// A signal ended it.
    Killed(Signal),
}

impl Pty {
    /// Runs `command` in a terminal of `columns` × `rows`.
    #[expect(clippy::zombie_processes, reason = "the thread that follows it waits for it")]
    pub(crate) fn run(command: Command, columns: u16, rows: u16) -> Self {
        let (master, slave) = open().unwrap();
        master.resize(Size::new(rows, columns)).unwrap();
        let untouched = tcgetattr(&master).unwrap();
        let child = PtyCommand::from(command).spawn(slave).unwrap();
        let process = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let state = State {
            terminal: Parser::new(size(rows), size(columns), 1_000),
            sent: Vec::new(),
            drained: false,
            life: Life::Running,
        };
        let seen = Arc::new(Seen { state: Mutex::new(state), changed: Condvar::new() });
        let master = Arc::new(master);
        let (ended, hold) = std::io::pipe().unwrap();
        {
            let (master, seen) = (Arc::clone(&master), Arc::clone(&seen));
            std::thread::spawn(move || read(&master, &ended, &seen));
        }
        {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || follow(process, &seen));
        }
        Self { master: Some(master), hold: Some(hold), seen, process, untouched }
    }

    /// Whom the terminal belongs to.
    pub(crate) const fn process(&self) -> Pid {
        self.process
    }

    /// Types, as fast as there is room for it.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &str) {
        let mut master: &Master = self.master.as_ref().expect("the terminal is still there");
        for few in keys.as_bytes().chunks(ROOM) {
            let mut ready = [PollFd::new(master.as_fd(), PollFlags::POLLOUT)];
            let patience = PollTimeout::try_from(PATIENCE).expect("a minute is no age");
            let there_is_room = poll(&mut ready, patience).unwrap() > 0;
            assert!(there_is_room, "nobody took what was typed:\n{}", self.screen());
            master.write_all(few).unwrap();
        }
    }

    /// Waits until `text` stands on the screen, within one line.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(&format!("`{text}` is on the screen"), |screen| screen.contents().contains(text));
    }

    /// Waits until the screen is as `is_so` wants it.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Screen) -> bool) {
        self.wait(what, |state| is_so(state.terminal.screen()));
    }

    /// Waits until all that the terminal was sent so far is as `is_so` wants it.
    #[track_caller]
    pub(crate) fn wait_for_bytes(&self, what: &str, is_so: impl Fn(&[u8]) -> bool) {
        self.wait(what, |state| is_so(&state.sent));
    }

    /// Waits until this has become of the process.
    #[track_caller]
    pub(crate) fn wait_for_life(&self, life: Life) {
        self.wait(&format!("the process is {life:?}"), |state| state.life == life);
    }

    /// The screen as text.
    pub(crate) fn screen(&self) -> String {
        self.state().terminal.screen().contents()
    }

    /// Everything that the terminal was sent, as it was sent.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.state().sent.clone()
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.state().terminal.set_size(size(rows), size(columns));
        self.master.as_ref().expect("the terminal is still there").resize(Size::new(rows, columns)).unwrap();
    }

    /// Sends the process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.process, signal).unwrap();
    }

    /// Closes the terminal, as closing its window does.
    pub(crate) fn hang_up(&mut self) {
        drop(self.hold.take());
        self.wait("our end is closed", |state| state.drained);
        drop(self.master.take());
    }

    /// Waits for the end of the process, and for the last it had to say.
    #[track_caller]
    pub(crate) fn end(&self) -> Life {
        self.wait("the process ends", |state| matches!(state.life, Life::Ended(_) | Life::Killed(_)) && state.drained);
        self.state().life
    }

    /// Asserts that the terminal was given back: its own page, a cursor, no mode left on, set as it was before.
    #[track_caller]
    pub(crate) fn check_sane(&self) {
        let state = self.state();
        let screen = state.terminal.screen();
        let left_on = [
            ("the alternate screen", screen.alternate_screen()),
            ("a hidden cursor", screen.hide_cursor()),
            ("bracketed paste", screen.bracketed_paste()),
            ("the mouse", screen.mouse_protocol_mode() != MouseProtocolMode::None),
        ];
        for (what, is_on) in left_on {
            assert!(!is_on, "{what} was left on:\n{}", screen.contents());
        }
        let now = tcgetattr(self.master.as_ref().expect("the terminal is still there")).unwrap();
        let flags = |it: &Termios| (it.input_flags, it.output_flags, it.local_flags);
        assert_eq!(flags(&now), flags(&self.untouched), "the terminal's modes");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.seen.lock()
    }

    #[track_caller]
    fn wait(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.state();
        while !is_so(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            let over = state.drained && matches!(state.life, Life::Ended(_) | Life::Killed(_));
            let screen = state.terminal.screen();
            assert!(!left.is_zero() && !over, "waited in vain until {what}; {:?}:\n{}", state.life, screen.contents());
            state = self.seen.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if !matches!(self.state().life, Life::Ended(_) | Life::Killed(_)) {
            // It may be gone by now.
            kill(self.process, Signal::SIGKILL).ok();
        }
    }
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

fn size(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

/// Plays the terminal until nothing more can come or `ended` closes.
fn read(mut master: &Master, ended: &PipeReader, seen: &Seen) {
    let mut bytes = [0; 16 << 10];
    loop {
        let mut ready = [PollFd::new(master.as_fd(), PollFlags::POLLIN), PollFd::new(ended.as_fd(), PollFlags::POLLIN)];
        let waited = poll(&mut ready, PollTimeout::NONE);
        let is_over = ready[1].any() == Some(true);
        // A terminal whose other end nobody holds reads as an error.
        match waited.map_err(std::io::Error::from).and_then(|_| if is_over { Ok(0) } else { master.read(&mut bytes) }) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(count) => seen.change(|state| {
                state.terminal.process(&bytes[..count]);
                state.sent.extend_from_slice(&bytes[..count]);
            }),
        }
    }
    seen.change(|state| state.drained = true);
}

/// Keeps what becomes of `process`.
fn follow(process: Pid, seen: &Seen) {
    loop {
        let life = match waitpid(process, Some(WaitPidFlag::WUNTRACED | WaitPidFlag::WCONTINUED)) {
            Ok(WaitStatus::Exited(_, status)) => Life::Ended(status),
            Ok(WaitStatus::Signaled(_, signal, _)) => Life::Killed(signal),
            Ok(WaitStatus::Stopped(..)) => Life::Stopped,
            Ok(_) => Life::Running,
            Err(_) => return,
        };
        seen.change(|state| state.life = life);
        if matches!(life, Life::Ended(_) | Life::Killed(_)) {
            return;
        }
    }
}
