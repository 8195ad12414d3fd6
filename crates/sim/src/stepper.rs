//! Tokens released one by one, by a test.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot, watch};

/// Releases tokens of a [`crate::Pace::Stepped`] engine one at a time. Streams that wait are served
/// in the order in which they began to wait. Clones share one supply.
#[derive(Debug, Clone)]
pub struct Stepper {
    // Unbounded: it holds no more than the tokens a test has released and no stream has taken.
    releases: mpsc::UnboundedSender<oneshot::Sender<()>>,
    waiting: Arc<Mutex<mpsc::UnboundedReceiver<oneshot::Sender<()>>>>,
    open: watch::Sender<bool>,
}

impl Stepper {
    /// A stepper that has released nothing yet.
    pub fn new() -> Self {
        let (releases, waiting) = mpsc::unbounded_channel();
        Self { releases, waiting: Arc::new(Mutex::new(waiting)), open: watch::Sender::new(false) }
    }

    /// Releases one token and returns once its event is written: `true`, or `false` when the stream
    /// that took it ended before. With no stream waiting it waits for one.
    pub async fn release_token(&self) -> bool {
        let (written, done) = oneshot::channel();
        self.releases.send(written).is_ok() && done.await.is_ok()
    }

    /// Lets every stream, present and future, run to its end without further releases.
    pub fn release_all(&self) {
        self.open.send_replace(true);
    }

    /// Takes one released token; `None` once everything is released.
    pub(crate) async fn take(&self) -> Option<oneshot::Sender<()>> {
        let mut open = self.open.subscribe();
        let next = async { self.waiting.lock().await.recv().await };
        tokio::select! {
            biased;
            token = next => token,
            _ = open.wait_for(|open| *open) => None,
        }
    }
}

impl Default for Stepper {
    fn default() -> Self {
        Self::new()
    }
}
