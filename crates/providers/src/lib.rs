//! Who is asked: the registry of providers, where each listens, how it wants its key, how its request
//! bodies differ, and what its models cost.
//!
//! ```text
//! "groq" + model + URL ─▶ resolve ─▶ Target (URL, dialect, encoding, headers, price) + key
//!             │                ▲
//!         registry ── env lookup, PriceBook
//! ```
//!
//! Invariants: no socket, no clock, no file; the environment is a function the caller hands in. A key
//! ends in [`schema::target::Credentialed::key`] and nowhere else, and no error repeats one. A URL in a
//! target carries neither user information nor a key. Whether a model exists is not known here: ids
//! taken literally are checked against the provider's own list by whoever may ask for it.

mod endpoint;
mod error;
mod nearest;
mod price;
mod provider;
mod readiness;
mod resolve;

pub use endpoint::models_url;
pub use error::ProviderError;
pub use nearest::nearest_models;
pub use price::{AnnouncedChange, OffPeak, PriceBook, PriceError, PriceRow, cost};
pub use provider::{Kind, Provider, find, registry};
pub use readiness::{Readiness, readiness};
pub use resolve::{Access, Ask, access, resolve};
