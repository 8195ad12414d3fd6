//! Whether there is a point in going on with a target.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use schema::counted;
use schema::record::{Failure, FailureClass, Outcome, Phase};
use schema::target::TargetName;

/// Hope for one target, shared by all threads.
///
/// There are two ways to lose it. While warming up: all that was tried failed in a way that trying again will not
/// mend. Later, if the plan says so: too many requests in a row failed as if the target were down.
#[derive(Debug, Default)]
pub(crate) struct Hope {
    /// So many failures in a row; 0: never.
    drop_after: u32,
    reached: AtomicBool,
    down_in_a_row: AtomicU32,
    lost: Mutex<Lost>,
}

/// Why hope was lost.
#[derive(Debug, Clone, Default)]
struct Lost {
    /// What trying again will not mend; it counts if the target was never reached.
    hopeless: Option<Failure>,
    /// The last of too many failures in a row.
    down: Option<Failure>,
}

impl Hope {
    pub(crate) fn new(drop_after: u32) -> Self {
        Self { drop_after, ..Self::default() }
    }

    /// Why the target is given up, if it is.
    pub(crate) fn lost(&self) -> Option<Failure> {
        let Lost { hopeless, down } = self.why();
        down.or_else(|| hopeless.filter(|_| !self.reached.load(Ordering::Relaxed)))
    }

    /// What a person is told of it.
    pub(crate) fn note(&self, target: &TargetName) -> Option<String> {
        let failure = self.lost()?;
        let (class, message) = (failure.class, &failure.message);
        Some(if self.why().down.is_some() {
            let failures = counted(self.drop_after, "failure");
            format!(
                "`{target}` was dropped after {failures} in a row as if it were down, the last: {class}: {message}; \
                 no more was sent to it"
            )
        } else {
            format!("`{target}` was given up: {class}: {message}")
        })
    }

    /// Takes in how a request ended. Whether that was the last straw: true once.
    pub(crate) fn learn(&self, phase: Phase, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Failed(failure) => {
                if !is_hopeless(failure.class) {
                    self.reached.store(true, Ordering::Relaxed);
                } else if phase == Phase::Warmup {
                    self.give_up(failure.clone());
                }
                self.count(failure)
            }
            Outcome::Complete { .. } => {
                self.reached.store(true, Ordering::Relaxed);
                self.down_in_a_row.store(0, Ordering::Relaxed);
                false
            }
            Outcome::NotSent | Outcome::Cancelled | Outcome::Interrupted => false,
        }
    }

    fn count(&self, failure: &Failure) -> bool {
        if self.drop_after == 0 {
            return false;
        }
        if !is_down(failure.class) {
            self.down_in_a_row.store(0, Ordering::Relaxed);
            return false;
        }
        let in_a_row = self.down_in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = in_a_row >= self.drop_after && lost.down.is_none();
        if dropped {
            lost.down = Some(failure.clone());
        }
        dropped
    }

    /// Gives the target up, unless it is reached after all.
    pub(crate) fn give_up(&self, failure: Failure) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).hopeless.get_or_insert(failure);
    }

    fn why(&self) -> Lost {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
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

/// Whether it is how a server fails that is down: it is not reached, says that it failed, falls silent, or its streams
/// break off, as those in flight do when it dies. One that refuses is not down, nor one that has no room now.
const fn is_down(class: FailureClass) -> bool {
    use FailureClass as Class;
    class.is_unreachable()
        || matches!(class, Class::ServerError | Class::FirstTokenTimeout | Class::Stalled | Class::Truncated)
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use schema::record::FinishReason;

    use super::*;

    fn failed(class: FailureClass) -> Outcome {
        Outcome::Failed(Failure { class, message: "x".into(), retry_after_ns: None })
    }

    const DONE: Outcome = Outcome::Complete { finish: FinishReason::Stop };

    /// After which of these outcomes the target is dropped.
    #[track_caller]
    fn check(drop_after: u32, outcomes: &[Outcome], expected: &[usize]) {
        let hope = Hope::new(drop_after);
        let learnt = outcomes.iter().enumerate();
        let dropped: Vec<_> = learnt.filter(|(_, o)| hope.learn(Phase::Measured, o)).map(|(i, _)| i).collect();
        assert_eq!(dropped, expected);
        assert_eq!(hope.lost().is_some(), !expected.is_empty());
    }

    #[test]
    fn failures_in_a_row_drop_a_target_once() {
        let down = || failed(FailureClass::ConnectRefused);
        check(3, &[down(), down(), down(), down()], &[2]);
        check(3, &[down(), down(), DONE, down(), down()], &[]);
        check(3, &[down(), down(), failed(FailureClass::RateLimited), down(), down()], &[]);
        check(3, &[down(), Outcome::Cancelled, failed(FailureClass::ServerError), down()], &[3]);
    }

    #[test]
    fn a_server_that_dies_takes_its_streams_with_it() {
        let [broken, silent] = [FailureClass::Truncated, FailureClass::Stalled].map(failed);
        check(4, &[broken.clone(), silent, broken, failed(FailureClass::ConnectRefused)], &[3]);
    }

    #[test]
    fn a_server_that_refuses_is_not_down() {
        for class in [FailureClass::RateLimited, FailureClass::BadRequest, FailureClass::Unauthorized] {
            check(1, &[failed(class), failed(class)], &[]);
        }
    }

    #[test]
    fn without_a_number_nothing_is_dropped() {
        let outcomes: Vec<_> = (0..1000).map(|_| failed(FailureClass::ConnectRefused)).collect();
        check(0, &outcomes, &[]);
    }

    #[test]
    fn only_the_warm_up_gives_up_what_was_never_reached() {
        let lost = |phase, outcomes: &[Outcome]| {
            let hope = Hope::default();
            for outcome in outcomes {
                hope.learn(phase, outcome);
            }
            hope.lost().is_some()
        };
        let refused = failed(FailureClass::ConnectRefused);
        assert!(lost(Phase::Warmup, from_ref(&refused)));
        assert!(!lost(Phase::Measured, from_ref(&refused)));
        assert!(!lost(Phase::Warmup, &[refused, DONE]));
    }

    #[test]
    fn what_is_dropped_is_told_as_that() {
        let (hope, name) = (Hope::new(2), "a".parse().unwrap());
        assert_eq!(hope.note(&name), None);
        for _ in 0..2 {
            hope.learn(Phase::Measured, &failed(FailureClass::ServerError));
        }
        let note = hope.note(&name).unwrap();
        assert!(note.starts_with("`a` was dropped after 2 failures in a row"), "{note}");
    }

    #[test]
    fn one_failure_is_singular() {
        let hope = Hope::new(1);
        hope.learn(Phase::Measured, &failed(FailureClass::ServerError));
        let note = hope.note(&"a".parse().unwrap()).unwrap();
        assert!(note.starts_with("`a` was dropped after 1 failure in a row"), "{note}");
    }
}
