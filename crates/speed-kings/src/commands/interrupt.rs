//! Ctrl-C: once, sending stops and what is in flight may finish; twice, that is given up too.

use runner::Stop;

use crate::outcome::Failure;
use crate::terminal::Terminal;

/// Listens on a thread of its own for as long as the process lives.
///
/// # Errors
/// No runtime to listen with.
pub(crate) fn listen(stop: &Stop, terminal: Terminal) -> Result<(), Failure> {
    let runtime = super::small_runtime()?;
    let stop = stop.clone();
    let wait = move || {
        runtime.block_on(async {
            if asked().await {
                stop.sending();
                terminal.note("\nstopping: requests in flight may finish; press Ctrl-C again to give them up");
            }
            if asked().await {
                stop.waiting();
            }
        });
    };
    std::thread::Builder::new().name("interrupt".into()).spawn(wait).map_err(|e| miette::miette!("no thread: {e}"))?;
    Ok(())
}

/// Waits until Ctrl-C is pressed or the process is told to terminate; false when that cannot be heard.
async fn asked() -> bool {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return false };
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.is_ok(),
            _ = terminate.recv() => true,
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.is_ok()
    }
}
