//! What the system asks of this process. Ctrl-C: once, sending stops and what is in flight may finish; twice, that is given
//! up too, as it is at once when the terminal is closed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use runner::Stop;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::commands::small_runtime;
use crate::outcome::Failure;
use crate::terminal::{Curtain, Terminal};

/// What was asked so far, of whatever goes on.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The run that goes on.
    run: Mutex<Option<Stop>>,
    leave: AtomicBool,
    hung_up: AtomicBool,
    pause: AtomicBool,
    resumed: AtomicBool,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// To come to an end.
    End,
    /// To come to an end at once.
    GiveUp,
    /// The terminal is gone.
    HangUp,
    /// To be put aside.
    Pause,
    /// To be taken up again.
    Resume,
}

impl Heard {
    /// Whether screens are to be left without waiting for anybody.
    pub(crate) fn is_asked_to_leave(&self) -> bool {
        self.leave.load(Ordering::Relaxed)
    }

    /// Whether the terminal is gone.
    pub(crate) fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Relaxed)
    }

    /// Whether the process is to be put aside.
    pub(crate) fn is_asked_to_pause(&self) -> bool {
        self.pause.swap(false, Ordering::Relaxed)
    }

    /// It goes on after having been put aside.
    pub(crate) fn resumes(&self) {
        self.resumed.store(true, Ordering::Relaxed);
    }

    /// Whether it went on since this was asked last: others may have had the terminal.
    pub(crate) fn has_resumed(&self) -> bool {
        self.resumed.swap(false, Ordering::Relaxed)
    }

    /// Whether anything waits to be heeded.
    pub(crate) fn is_anything(&self) -> bool {
        [&self.leave, &self.hung_up, &self.pause, &self.resumed].iter().any(|it| it.load(Ordering::Relaxed))
    }

    /// No run goes on.
    pub(crate) fn forget(&self) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn take(&self, wish: Wish, terminal: Terminal) {
        let run = {
            let run = self.run.lock().unwrap_or_else(PoisonError::into_inner);
            // Under the lock: a run that is named just now hears of it, one way or the other.
            if matches!(wish, Wish::End | Wish::GiveUp | Wish::HangUp) {
                self.leave.store(true, Ordering::Relaxed);
            }
            run.clone()
        };
        match wish {
            Wish::Pause if Curtain::is_closed() => self.pause.store(true, Ordering::Relaxed),
            Wish::Pause => pause(),
            Wish::Resume => self.resumes(),
            Wish::End | Wish::GiveUp | Wish::HangUp => {
                self.hung_up.fetch_or(wish == Wish::HangUp, Ordering::Relaxed);
                match run {
                    Some(stop) if wish == Wish::End && !stop.is_asked() => {
                        stop.sending();
                        if !Curtain::is_closed() {
                            terminal
                                .note("\nstopping: requests in flight may finish; press Ctrl-C again to give them up");
                        }
                    }
                    Some(stop) => stop.waiting(),
                    None => {}
                }
            }
        }
    }
}

/// From now on signals stop this run, until another is named; where one came while none was, this one is given up before it
/// begins. Listens on a thread of its own for as long as the process lives, from before this returns.
///
/// # Errors
/// Signals cannot be listened for.
pub(crate) fn listen(stop: &Stop, terminal: Terminal) -> Result<(), Failure> {
    let heard = heard(terminal)?;
    let mut run = heard.run.lock().unwrap_or_else(PoisonError::into_inner);
    *run = Some(stop.clone());
    if heard.is_asked_to_leave() {
        stop.waiting();
    }
    Ok(())
}

/// From now on all that concerns a screen is heard, too.
///
/// # Errors
/// Signals cannot be listened for.
pub(crate) fn heed(terminal: Terminal) -> Result<&'static Heard, Failure> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    let heard = heard(terminal)?;
    if LISTENING.get().is_none() {
        follow(signals::OF_SCREENS, heard, terminal)?;
        // Whoever was first listens as well as anybody.
        LISTENING.set(()).ok();
    }
    Ok(heard)
}

/// What was heard, by a thread that this starts when it is called first.
pub(crate) fn heard(terminal: Terminal) -> Result<&'static Heard, Failure> {
    static HEARD: OnceLock<Heard> = OnceLock::new();
    if let Some(heard) = HEARD.get() {
        return Ok(heard);
    }
    let heard = HEARD.get_or_init(Heard::default);
    follow(signals::OF_RUNS, heard, terminal)?;
    Ok(heard)
}

/// Listens to `signals`, from before this returns.
fn follow(signals: &[signals::Kind], heard: &'static Heard, terminal: Terminal) -> Result<(), Failure> {
    let runtime = small_runtime()?;
    // Bounded by what people and the system ask for.
    let (sender, mut wishes) = unbounded_channel();
    runtime.block_on(async { signals.iter().try_for_each(|kind| signals::forward(*kind, sender.clone())) })?;
    let wait = move || {
        runtime.block_on(async {
            while let Some(wish) = wishes.recv().await {
                heard.take(wish, terminal);
            }
        });
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map_err(|e| miette::miette!("no thread: {e}"))?;
    Ok(())
}

/// The user's interrupts, of a command that goes on until there is one.
pub(crate) struct Interrupts {
    runtime: Runtime,
    wishes: UnboundedReceiver<Wish>,
}

impl Interrupts {
    /// From before this returns none is missed.
    ///
    /// # Errors
    /// Interrupts cannot be listened for.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let runtime = small_runtime()?;
        let (sender, wishes) = unbounded_channel();
        runtime.block_on(async {
            signals::OF_USERS.iter().try_for_each(|kind| signals::forward(*kind, sender.clone()))
        })?;
        Ok(Self { runtime, wishes })
    }

    /// Waits for the first.
    pub(crate) fn wait(mut self) {
        self.runtime.block_on(self.wishes.recv());
    }
}

pub(crate) use signals::{pause, pause_all};

#[cfg(unix)]
mod signals {
    use nix::sys::signal::{Signal, kill, raise};
    use nix::unistd::Pid;
    use tokio::signal::unix::{SignalKind, signal};

    use super::{Failure, UnboundedSender, Wish};

    /// A signal, and what it asks for.
    pub(super) type Kind = (Signal, Wish);

    pub(super) const OF_USERS: &[Kind] = &[(Signal::SIGINT, Wish::End), (Signal::SIGTERM, Wish::End)];
    pub(super) const OF_RUNS: &[Kind] =
        &[(Signal::SIGINT, Wish::End), (Signal::SIGTERM, Wish::End), (Signal::SIGHUP, Wish::HangUp)];
    pub(super) const OF_SCREENS: &[Kind] =
        &[(Signal::SIGQUIT, Wish::GiveUp), (Signal::SIGTSTP, Wish::Pause), (Signal::SIGCONT, Wish::Resume)];

    /// Within a runtime: from now on such signals do nothing but send the wish.
    pub(super) fn forward((kind, wish): Kind, wishes: UnboundedSender<Wish>) -> Result<(), Failure> {
        if kind == Signal::SIGHUP && is_ignored(kind) {
            return Ok(());
        }
        let heard = signal(SignalKind::from_raw(kind as i32));
        let mut heard = heard.map_err(|error| miette::miette!("{kind} cannot be listened for: {error}"))?;
        tokio::spawn(async move { while heard.recv().await.is_some() && wishes.send(wish).is_ok() {} });
        Ok(())
    }

    /// Whether whoever started us wants it ignored, as `nohup` does. Known on Linux alone.
    fn is_ignored(signal: Signal) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        ignored.is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
    }

    /// Stops this process until it is continued; at once back where nobody could continue it.
    ///
    /// Of the signals that do so this one is still as the system has it: the one of Ctrl-Z is listened to.
    pub(crate) fn pause() {
        raise(Signal::SIGTTOU).ok();
    }

    /// Asks all that were started together with us to stop until they are continued, as Ctrl-Z does.
    pub(crate) fn pause_all() {
        kill(Pid::from_raw(0), Signal::SIGTSTP).ok();
    }
}

#[cfg(windows)]
mod signals {
    use super::{Failure, UnboundedSender, Wish};

    /// What a signal asks for.
    pub(super) type Kind = Wish;

    pub(super) const OF_USERS: &[Kind] = &[Wish::End];
    pub(super) const OF_RUNS: &[Kind] = OF_USERS;
    pub(super) const OF_SCREENS: &[Kind] = &[];

    /// Within a runtime: from now on interrupts do nothing but send the wish.
    pub(super) fn forward(wish: Kind, wishes: UnboundedSender<Wish>) -> Result<(), Failure> {
        let heard = tokio::signal::windows::ctrl_c();
        let mut heard = heard.map_err(|error| miette::miette!("interrupts cannot be listened for: {error}"))?;
        tokio::spawn(async move { while heard.recv().await.is_some() && wishes.send(wish).is_ok() {} });
        Ok(())
    }

    /// Windows puts nothing aside.
    pub(crate) const fn pause() {}

    /// Windows puts nothing aside.
    pub(crate) const fn pause_all() {}
}
