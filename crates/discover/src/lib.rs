//! Finds engines, and asks them what they serve.
//!
//! ```text
//! ports ─▶ probes (GET, concurrent, short) ─▶ answers ─▶ recognise ─▶ Found (provider, URL, models, version)
//! target ─▶ models ─▶ the ids it serves
//!        └▶ about  ─▶ About (software, version, weights, context …), each with the page that said so
//! ```
//!
//! Invariants: a port where nobody listens costs one connection attempt; nothing is sent but a GET without a
//! key, except to the target whose key it is; [`recognise`] is pure and decides by what an engine alone says,
//! never by its port; everything a server said is bounded and [`schema::text::Untrusted`].

mod about;
mod models;
mod probe;
mod recognise;

pub use about::{About, Line, Told, about};
pub use models::{Served, models, models_at};
pub use probe::{at, local, loopback, search};
pub use recognise::{Answer, Found, Probe, recognise};
