//! Configuration: layers of settings laid over each other, and the plan that comes of them.
//!
//! ```text
//! defaults < /etc/speed-kings/config.yaml < ~/.config/speed-kings/config.yaml < ./speed-kings.yaml
//!          < --config < environment < flags ──▶ Settings ──▶ resolve ──▶ Plan, keys beside it
//! ```
//!
//! Invariants: every setting is defined once, in [`settings::Settings`]; every value knows where it came
//! from; all that is wrong is told at once; a key is never a setting.

pub(crate) mod layer;
pub(crate) mod nearest;
pub(crate) mod preset;
pub(crate) mod problem;
pub(crate) mod proxy;
pub(crate) mod resolve;
pub(crate) mod settings;
pub(crate) mod verb;
pub(crate) mod yaml;
