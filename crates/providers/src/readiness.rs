//! Whether a provider can be asked with what the environment holds.

use serde::Serialize;

use crate::provider::Provider;

/// What stands between a provider and its first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Nothing that the environment could tell; whether anyone listens there is another question.
    Ready,
    /// It needs a key.
    MissingKey {
        /// The variables one may be put in.
        variables: &'static [&'static str],
    },
    /// It has no URL.
    NeedsUrl,
}

/// Whether `provider` can be asked, given the environment.
pub fn readiness(provider: &Provider, env: &dyn Fn(&str) -> Option<String>) -> Readiness {
    let set = |variables: &[&str]| first_set(variables, env).is_some();
    if provider.base_url.is_empty() && !set(provider.url_variables) {
        Readiness::NeedsUrl
    } else if provider.key_required && !set(provider.key_variables) {
        Readiness::MissingKey { variables: provider.key_variables }
    } else {
        Readiness::Ready
    }
}

/// The first of `variables` that holds more than blanks, with its trimmed value.
pub(crate) fn first_set<'a>(variables: &[&'a str], env: &dyn Fn(&str) -> Option<String>) -> Option<(&'a str, String)> {
    variables.iter().find_map(|variable| {
        let value = env(variable)?.trim().to_owned();
        (!value.is_empty()).then_some((*variable, value))
    })
}
