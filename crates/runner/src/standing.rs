//! How each target stands while the run goes on: one [`Standing`] a target, shared by all threads and the recorder.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use schema::plan::Plan;
use schema::target::TargetName;
use tokio_util::sync::CancellationToken;

use crate::budget::UsedUp;
use crate::conversations::Conversations;
use crate::hope::Hope;
use crate::limits::Pace;
use crate::stop::Stop;

/// What is known of one target.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Whether there is a point in going on with it.
    pub(crate) hope: Hope,
    /// Its conversations.
    pub(crate) conversations: Conversations,
    /// Keeps its requests below its limits, if that was asked for.
    pub(crate) pace: Option<Pace>,
    /// Why the budget has no room for it, once it has none.
    unpaid: OnceLock<UsedUp>,
    no_more_sending: CancellationToken,
    in_flight: AtomicU32,
}

/// One for each target of `plan`.
pub(crate) fn standings(plan: &Plan, stop: &Stop) -> Arc<[Standing]> {
    let standing = |_| Standing {
        hope: Hope::new(plan.drop_after),
        conversations: Conversations::default(),
        pace: plan.respect_limits.then(Pace::default),
        unpaid: OnceLock::new(),
        no_more_sending: stop.no_more_sending().child_token(),
        in_flight: AtomicU32::new(0),
    };
    plan.targets.iter().map(standing).collect()
}

impl Standing {
    /// Cancelled when nothing more is to be sent to this target: it was dropped, or the run is to stop.
    pub(crate) const fn no_more_sending(&self) -> &CancellationToken {
        &self.no_more_sending
    }

    /// Sends nothing more to it.
    pub(crate) fn drop_it(&self) {
        self.no_more_sending.cancel();
    }

    /// Sends nothing more to it: the budget has no room for its next request. Whether that is new.
    pub(crate) fn run_out(&self, why: UsedUp) -> bool {
        self.drop_it();
        self.unpaid.set(why).is_ok()
    }

    /// Whether the budget has no room for it.
    pub(crate) fn is_unpaid(&self) -> bool {
        self.unpaid.get().is_some()
    }

    /// Requests of this target in flight now, over all threads.
    pub(crate) fn in_flight(&self) -> u32 {
        // Relaxed: the number itself is all that is exchanged.
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request as in flight until what is returned is dropped.
    pub(crate) fn fly(&self) -> Flying<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Flying(&self.in_flight)
    }

    /// What a person is told of it at the end.
    pub(crate) fn notes(&self, target: &TargetName) -> impl Iterator<Item = String> {
        let paced = self.pace.as_ref().and_then(|pace| pace.note(target));
        paced.into_iter().chain(self.hope.note(target)).chain(self.unpaid_note(target))
    }

    /// What a person is told when the budget has no room for its next request.
    pub(crate) fn unpaid_note(&self, target: &TargetName) -> Option<String> {
        let UsedUp { most, left } = self.unpaid.get()?;
        Some(format!(
            "`{target}`: the budget was reached: of it {left} is left, its next request could cost {most}; no more was \
             sent to it"
        ))
    }
}

/// A request in flight.
#[must_use]
pub(crate) struct Flying<'a>(&'a AtomicU32);

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
