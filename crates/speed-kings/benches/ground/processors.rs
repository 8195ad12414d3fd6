//! Which processors a thread, and what it starts, may use.

/// From now on this thread, and what it starts, is only on such of the processors that were there at first, by their number.
#[cfg(target_os = "linux")]
pub(crate) fn confine(is_ours: impl Fn(usize) -> bool) {
    use std::sync::OnceLock;

    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    static AT_FIRST: OnceLock<CpuSet> = OnceLock::new();
    let this_thread = Pid::from_raw(0);
    let there = AT_FIRST.get_or_init(|| sched_getaffinity(this_thread).expect("the system knows where we are"));
    let there = (0..CpuSet::count()).filter(|processor| there.is_set(*processor).unwrap_or(false));
    let mut ours = CpuSet::new();
    for (_, processor) in there.enumerate().filter(|(number, _)| is_ours(*number)) {
        ours.set(processor).expect("the set holds what is there");
    }
    sched_setaffinity(this_thread, &ours).expect("there are two processors at least");
}

/// Elsewhere all share all.
#[cfg(not(target_os = "linux"))]
pub(crate) fn confine(_: impl Fn(usize) -> bool) {}
