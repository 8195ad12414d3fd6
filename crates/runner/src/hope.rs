//! Whether there is a point in measuring a target.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use schema::record::{Failure, FailureClass, Outcome, Phase};

/// Hope for one target, shared by all threads.
#[derive(Debug, Default)]
pub(crate) struct Hope {
    reached: AtomicBool,
    hopeless: Mutex<Option<Failure>>,
}

impl Hope {
    /// Why the target is given up, if it is: all that was tried failed in a way that trying again will not mend.
    pub(crate) fn lost(&self) -> Option<Failure> {
        let lost = !self.reached.load(Ordering::Relaxed);
        self.hopeless.lock().unwrap_or_else(PoisonError::into_inner).clone().filter(|_| lost)
    }

    /// Only the warm-up gives hope up. Once a target was reached, what it does later is a result.
    pub(crate) fn learn(&self, phase: Phase, outcome: &Outcome) {
        match outcome {
            Outcome::Failed(failure) if is_hopeless(failure.class) => {
                if phase == Phase::Warmup {
                    self.give_up(failure.clone());
                }
            }
            Outcome::Failed(_) | Outcome::Complete { .. } => self.reached.store(true, Ordering::Relaxed),
            Outcome::NotSent | Outcome::Cancelled | Outcome::Interrupted => {}
        }
    }

    /// Gives the target up, unless it is reached after all.
    pub(crate) fn give_up(&self, failure: Failure) {
        self.hopeless.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
    }
}

/// Whether trying again will not mend it.
pub(crate) const fn is_hopeless(class: FailureClass) -> bool {
    use FailureClass as Class;
    matches!(
        class,
        Class::Dns
            | Class::ConnectRefused
            | Class::Tls
            | Class::Proxy
            | Class::Unauthorized
            | Class::Forbidden
            | Class::NotFound
            | Class::QuotaExhausted
    )
}
