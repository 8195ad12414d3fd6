//! What settings are called, and which of them go together.

use clap::Args as _;

use super::Settings;

/// Keys of which one at most can hold; the highest layer that has one of them silences the others below it.
pub(crate) const RIVALS: [&[&str]; 6] = [
    &["requests", "duration"],
    &["concurrency", "rate", "stages", "users", "crowd", "replay"],
    &["size", "prompt", "scenario", "facts", "prompt_file", "input_tokens"],
    &["max_tokens", "output_tokens"],
    &["sweep", "find_max", "until_precise", "until_decided"],
    &["images", "embeddings"],
];

/// Keys that name who is measured: they add up within a layer, and a layer that has one of them silences
/// those below it.
pub(crate) const WHO_KEYS: [&str; 4] = ["providers", "url", "target", "mock"];

impl Settings {
    /// Every key, in the order the help shows them.
    pub(crate) fn keys() -> Vec<String> {
        let command = Self::augment_args(clap::Command::new(""));
        command.get_arguments().map(|arg| arg.get_id().to_string()).collect()
    }
}

/// The flag of a key: `--max-tokens` of `max_tokens`.
pub(crate) fn flag_of(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// The environment variable of a key: `SPEED_KINGS_MAX_TOKENS` of `max_tokens`.
pub(crate) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase())
}

/// What every environment variable of ours begins with.
pub(crate) const PREFIX: &str = "SPEED_KINGS_";
