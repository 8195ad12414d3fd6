//! How many connections the process may hold.

/// Raises the limit of open file descriptors towards `wanted` and returns what it is now. `None` where
/// there is no such limit to read.
#[cfg(target_os = "linux")]
pub fn raise_descriptor_limit(wanted: u64) -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    if soft >= wanted {
        return Some(soft);
    }
    // Only a privileged process may raise the hard limit too.
    if setrlimit(Resource::RLIMIT_NOFILE, wanted, hard.max(wanted)).is_err() {
        setrlimit(Resource::RLIMIT_NOFILE, wanted.min(hard), hard).ok()?;
    }
    descriptor_limit()
}

/// How many files this process may have open. `None` where there is no such limit to read.
#[cfg(target_os = "linux")]
pub(crate) fn descriptor_limit() -> Option<u64> {
    use nix::sys::resource::{Resource, getrlimit};
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft)
}

/// As on Linux; here there is none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn descriptor_limit() -> Option<u64> {
    None
}

/// As on Linux; here it reads and raises nothing.
#[cfg(not(target_os = "linux"))]
pub fn raise_descriptor_limit(_: u64) -> Option<u64> {
    None
}
