//! Where one stream's tokens come from, whatever the pace.

use std::time::Duration;

use schema::units::{Moment, Nanos};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::clock;
use crate::scheduler::Ticket;
use crate::stepper::Stepper;

/// One stream's supply of tokens.
#[derive(Debug)]
pub(crate) enum Source {
    /// The shared engine's.
    Model(Ticket),
    /// The stream's own timer: when the next event is due; `None` once all of them are.
    Fixed { due: Option<Instant>, itl: Duration },
    /// Released by a test; the releases taken and not yet written.
    Stepped { stepper: Stepper, taken: Vec<oneshot::Sender<()>> },
}

impl Source {
    /// A timer that counts from the request's arrival; where nothing takes time, no clock is read.
    pub(crate) fn fixed(ttft: Nanos, itl: Nanos, received: Moment) -> Self {
        if (ttft, itl) == (Nanos::ZERO, Nanos::ZERO) {
            return Self::Fixed { due: None, itl: Duration::ZERO };
        }
        let passed = Duration::from(clock::now().since(received));
        let now = Instant::now();
        let due = now.checked_sub(passed).unwrap_or(now) + Duration::from(ttft);
        Self::Fixed { due: Some(due), itl: itl.into() }
    }

    pub(crate) const fn stepped(stepper: Stepper) -> Self {
        Self::Stepped { stepper, taken: Vec::new() }
    }

    /// Waits until the next event, of `tokens`, may leave.
    pub(crate) async fn wait(&mut self, tokens: u32) {
        match self {
            Self::Model(ticket) => ticket.wait(tokens).await,
            Self::Fixed { due: None, .. } => {}
            Self::Fixed { due: Some(at), itl } => {
                if *at > Instant::now() {
                    tokio::time::sleep_until(*at).await;
                }
                let next = (!itl.is_zero()).then(|| *at + *itl);
                *self = Self::Fixed { due: next, itl: *itl };
            }
            Self::Stepped { stepper, taken } => {
                while (taken.len() as u64) < u64::from(tokens) {
                    let Some(release) = stepper.take().await else { return };
                    taken.push(release);
                }
            }
        }
    }

    /// Whether all tokens that are left are there already.
    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self, Self::Fixed { due: None, .. })
    }

    /// Tells whoever released them that the tokens are written.
    pub(crate) fn written(&mut self) {
        if let Self::Stepped { taken, .. } = self {
            for release in taken.drain(..) {
                // The test may have stopped waiting for it.
                release.send(()).ok();
            }
        }
    }

    /// When the request left the queue, as far as it was in one.
    pub(crate) fn scheduled(&self) -> Option<Moment> {
        match self {
            Self::Model(ticket) => Some(ticket.scheduled()),
            Self::Fixed { .. } | Self::Stepped { .. } => None,
        }
    }
}
