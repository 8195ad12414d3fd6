//! From what went wrong underneath to the class it is counted under.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use schema::record::{Failure, FailureClass};
use schema::text::Untrusted;

use crate::descriptors::descriptor_limit;

/// A failure of `class`, told by `error` and its causes.
pub(crate) fn failure(class: FailureClass, error: &dyn Error) -> Failure {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = inner.source();
    }
    said(class, message)
}

/// A failure of `class` in our own words.
pub(crate) fn said(class: FailureClass, message: impl Into<String>) -> Failure {
    Failure { class, message: Untrusted::bounded(message, 1024), retry_after_ns: None }
}

/// A TCP connect to `address` that failed. What this machine lacks is told with what to do about it.
pub(crate) fn connecting(address: SocketAddr, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => failure(FailureClass::ConnectRefused, error),
        io::ErrorKind::TimedOut => failure(FailureClass::ConnectTimeout, error),
        // The system says the same where there is no address of that kind at all.
        io::ErrorKind::AddrNotAvailable => {
            let what = if address.is_ipv6() { "no IPv6 address, or no free local port," } else { "no free local port" };
            said(
                FailureClass::ConnectFailed,
                format!(
                    "{what} for a connection to {address}: raise `net.ipv4.ip_local_port_range`, or lower the \
                     concurrency; a port stays taken for a minute after its connection was closed"
                ),
            )
        }
        _ => out_of_descriptors(FailureClass::ConnectFailed, error)
            .unwrap_or_else(|| failure(FailureClass::ConnectFailed, error)),
    }
}

/// A name that could not be looked up.
pub(crate) fn looking_up(host: &str, error: &io::Error) -> Failure {
    let class = FailureClass::Dns;
    out_of_descriptors(class, error).unwrap_or_else(|| {
        said(class, format!("`{host}` could not be looked up: {error}; check the name, and this machine's name server"))
    })
}

/// A failure of `class` because this process, or this machine, may not open another file; `None` if `error` is
/// something else.
fn out_of_descriptors(class: FailureClass, error: &io::Error) -> Option<Failure> {
    match error.raw_os_error()? {
        EMFILE => {
            let limit = descriptor_limit().map_or_else(String::new, |limit| format!(" than the {limit} allowed"));
            Some(said(
                class,
                format!("this process cannot open more files{limit}: raise `ulimit -n`, or lower the concurrency"),
            ))
        }
        ENFILE => {
            Some(said(class, "this machine cannot open more files: raise `fs.file-max`, or lower the concurrency"))
        }
        _ => None,
    }
}

/// The process has no file descriptor left: its number on all Unixes.
const EMFILE: i32 = 24;

/// The machine has none left.
const ENFILE: i32 = 23;

/// How far an exchange had come when the connection failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No response head yet.
    Head,
    /// In the body.
    Body,
}

impl Stage {
    /// What it is called when the connection ends there.
    const fn broken(self) -> FailureClass {
        match self {
            Self::Head => FailureClass::ClosedEarly,
            Self::Body => FailureClass::Truncated,
        }
    }
}

/// Why an answer over HTTP/1.1 cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Something is larger than its bound.
    TooLarge(&'static str),
    /// It is not HTTP/1.1.
    Malformed(String),
    /// The server closed the connection.
    Closed,
}

impl Broken {
    /// As the failure of an exchange that had come so far.
    pub(crate) fn at(self, stage: Stage) -> Failure {
        match self {
            Self::TooLarge(what) => said(FailureClass::TooLarge, format!("{what} is larger than its bound")),
            Self::Malformed(why) => said(FailureClass::Malformed, why),
            Self::Closed => said(stage.broken(), "the connection was closed before the answer was complete"),
        }
    }
}

/// A socket that failed in mid-exchange, or bytes that TLS cannot make sense of.
pub(crate) fn breaking(error: &io::Error, stage: Stage) -> Failure {
    let class = if is_of_bad_bytes(error) { FailureClass::Malformed } else { stage.broken() };
    failure(class, error)
}

/// An HTTP/2 error in mid-exchange.
pub(crate) fn exchanging(error: &hyper::Error, stage: Stage) -> Failure {
    let class = if error.is_parse() || caused_by_bad_bytes(error) { FailureClass::Malformed } else { stage.broken() };
    failure(class, error)
}

fn is_of_bad_bytes(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

/// Whether an I/O error deep inside says that the framing, not the connection, was broken.
fn caused_by_bad_bytes(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return is_of_bad_bytes(io);
        }
        cause = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4() -> SocketAddr {
        "192.0.2.1:443".parse().unwrap()
    }

    #[track_caller]
    fn check(failure: &Failure, class: FailureClass, says: &[&str]) {
        let message = failure.message.raw();
        assert_eq!(failure.class, class, "{message}");
        assert!(says.iter().all(|part| message.contains(part)), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn what_this_machine_lacks_is_told_with_what_to_do_about_it() {
        let errno = io::Error::from_raw_os_error;
        let failed = FailureClass::ConnectFailed;
        check(
            &connecting(v4(), &errno(EMFILE)),
            failed,
            &["this process", "raise `ulimit -n`", "lower the concurrency"],
        );
        check(&connecting(v4(), &errno(ENFILE)), failed, &["this machine", "raise `fs.file-max`"]);
        let no_port = io::Error::from(io::ErrorKind::AddrNotAvailable);
        check(&connecting(v4(), &no_port), failed, &["no free local port", "192.0.2.1:443", "ip_local_port_range"]);
        check(&connecting("[::1]:80".parse().unwrap(), &no_port), failed, &["no IPv6 address", "[::1]:80"]);
        check(&looking_up("a.test", &errno(EMFILE)), FailureClass::Dns, &["this process", "`ulimit -n`"]);
    }

    #[test]
    fn what_the_network_says_is_passed_on() {
        let connected = |kind: io::ErrorKind| connecting(v4(), &kind.into());
        check(&connected(io::ErrorKind::ConnectionRefused), FailureClass::ConnectRefused, &["refused"]);
        check(&connected(io::ErrorKind::TimedOut), FailureClass::ConnectTimeout, &["timed out"]);
        check(&connected(io::ErrorKind::NetworkUnreachable), FailureClass::ConnectFailed, &["unreachable"]);
        let no_server = io::Error::other("temporary failure in name resolution");
        check(&looking_up("a.test", &no_server), FailureClass::Dns, &["`a.test`", "temporary failure", "name server"]);
    }

    /// A second connection by the same local port to the same place finds none that is free.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_port_that_is_taken_is_what_the_system_calls_so() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let by = |local: SocketAddr| {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket.bind(local).unwrap();
            socket.connect(there)
        };
        let first = by("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let error = by(first.local_addr().unwrap()).await.unwrap_err();
        check(&connecting(there, &error), FailureClass::ConnectFailed, &["no free local port", &there.to_string()]);
    }
}
