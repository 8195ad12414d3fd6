//! How a thread lets all others go first.

use thread_priority::ThreadPriority;

/// From now on the calling thread runs when no other thread of the system wants its processor, as far as the system can say
/// so. There is no way back.
pub(super) fn step_back() {
    // Refused, it draws like any other thread.
    drop(last());
}

/// Threads of this policy are put aside in the moment in which another wakes: a lower priority alone would let them finish
/// their slice of some milliseconds.
#[cfg(target_os = "linux")]
fn last() -> Result<(), thread_priority::Error> {
    use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};

    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let this = thread_priority::thread_native_id();
    thread_priority::set_thread_priority_and_policy(this, ThreadPriority::Min, idle)
}

#[cfg(not(target_os = "linux"))]
fn last() -> Result<(), thread_priority::Error> {
    ThreadPriority::Min.set_for_current()
}
