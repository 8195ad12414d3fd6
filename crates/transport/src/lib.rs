//! Sends one request, stamps what comes back and folds it into one [`schema::record::Record`]: the stopwatch.
//!
//! ```text
//! Order ─▶ Client ─▶ (Connector: DNS, TCP, proxy, TLS) ─▶ Connection (http1, http2) ─▶ exchange ─▶ Record
//!                                                            │ bytes + stamps ▲
//!                                                          Socket ── kernel ──┘
//! ```
//!
//! Invariants:
//! - Between the socket and the record nothing waits, draws or logs. A read is stamped before anyone looks at its bytes.
//! - The HTTP connection is driven by the task that consumes its body, so the last stamp always belongs
//!   to the bytes in hand.
//! - A connection carries one request at a time, also over HTTP/2: its stamps are that request's.
//! - HTTP/1.1 is our own, head to chunk: a read goes no further than what waits for it, and its bytes are neither copied
//!   nor handed from task to task.
//! - Each arrival has a stamp; a request's leaving has one unless requests follow each other within fifty milliseconds.
//! - Setting a connection up happens before `start` and is reported apart.
//! - An attempt is a record and nothing is retried, but for a request that met a kept connection which the
//!   server had closed: it reached nobody, so it is sent again, once, on a new one.
//! - Limits hold whether the server is silent or never pauses; what had been measured is kept however it ends.

mod client;
mod clock;
mod connection;
mod connector;
mod descriptors;
mod exchange;
mod failure;
mod fetch;
mod http1;
mod http2;
mod io;
mod socket;
mod tls;
mod wall;

pub use client::{Client, Letterhead, Order, Watch};
pub use clock::Clock;
pub use connection::Head;
pub use connector::{Connector, Endpoint, Proxy, SetupError};
pub use descriptors::raise_descriptor_limit;
pub use fetch::{Fetched, fetch};
#[cfg(any(test, fuzzing))]
pub use http1::check_answer;
pub use socket::{Read, StampHold, hold_stamps_on};
pub use wall::WallSteps;
