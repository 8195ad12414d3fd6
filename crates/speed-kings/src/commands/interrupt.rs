//! Ctrl-C: once, sending stops and what is in flight may finish; twice, that is given up too.

use runner::Stop;

use crate::commands::small_runtime;
use crate::outcome::Failure;
use crate::terminal::Terminal;

/// Listens on a thread of its own for as long as the process lives, from before this returns.
///
/// # Errors
/// Interrupts cannot be listened for.
pub(crate) fn listen(stop: &Stop, terminal: Terminal) -> Result<(), Failure> {
    let runtime = small_runtime()?;
    let mut interrupts = runtime.block_on(async { Interrupts::new() })?;
    let stop = stop.clone();
    let wait = move || {
        runtime.block_on(async {
            interrupts.next().await;
            stop.sending();
            terminal.note("\nstopping: requests in flight may finish; press Ctrl-C again to give them up");
            interrupts.next().await;
            stop.waiting();
        });
    };
    std::thread::Builder::new().name("interrupt".into()).spawn(wait).map_err(|e| miette::miette!("no thread: {e}"))?;
    Ok(())
}

/// Waits until the user interrupts.
///
/// # Errors
/// Interrupts cannot be listened for.
pub(crate) fn wait() -> Result<(), Failure> {
    small_runtime()?.block_on(async {
        Interrupts::new()?.next().await;
        Ok(())
    })
}

/// Ctrl-C, and being told to terminate. Those that come between two calls are not missed.
struct Interrupts {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Interrupts {
    /// Within a runtime: from now on interrupts no longer end the process.
    #[cfg(unix)]
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| unheard(&error));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Within a runtime: from now on interrupts no longer end the process.
    #[cfg(windows)]
    fn new() -> Result<Self, Failure> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c().map_err(|error| unheard(&error))? })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        self.interrupt.recv().await;
    }
}

fn unheard(error: &std::io::Error) -> Failure {
    miette::miette!("interrupts cannot be listened for: {error}").into()
}
