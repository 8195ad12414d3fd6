//! Why a target could not be made.

use jiff::civil::Date;
use schema::target::Dialect;

/// Why a provider, its URL, its key or its model did not become a target. Never repeats a key, nor the
/// user information or query of a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum ProviderError {
    /// No provider has this name.
    #[error("`{id}` is no provider we know")]
    #[diagnostic(code(providers::unknown), help("{hint}"))]
    Unknown {
        /// What was written.
        id: String,
        /// What to do.
        hint: String,
    },
    /// The provider has no address of its own, and none was given.
    #[error("`{provider}` has no URL")]
    #[diagnostic(code(providers::needs_url), help("give one with `--url URL`, or set `{variable}`"))]
    NeedsUrl {
        /// The provider's id.
        provider: &'static str,
        /// The environment variable that would give it one.
        variable: &'static str,
    },
    /// A URL that cannot be asked.
    #[error("`{url}`, {origin}, cannot be asked: {why}")]
    #[diagnostic(code(providers::bad_url), help("{hint}"))]
    BadUrl {
        /// The URL, without what may be secret.
        url: String,
        /// Where it was given.
        origin: String,
        /// What is wrong with it.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// The provider needs a key and none of its variables holds one.
    #[error("`{provider}` needs a key, and {variables} is not set")]
    #[diagnostic(code(providers::missing_key), help("{hint}"))]
    MissingKey {
        /// The provider's id.
        provider: &'static str,
        /// The variables looked at, as text.
        variables: String,
        /// How to set one.
        hint: String,
    },
    /// A key that cannot stand in a header.
    #[error("the key in `{variable}` holds characters that no key has")]
    #[diagnostic(
        code(providers::bad_key),
        help("set `{variable}` again, without line breaks, quotes around it or other text")
    )]
    BadKey {
        /// The variable it came from.
        variable: String,
    },
    /// A protocol that the provider does not speak.
    #[error("`{provider}` does not speak {dialect}")]
    #[diagnostic(code(providers::foreign_dialect), help("{hint}"))]
    Foreign {
        /// The provider's id.
        provider: &'static str,
        /// The protocol asked for.
        dialect: Dialect,
        /// What it speaks instead.
        hint: String,
    },
    /// No model was named, and this provider has none of its own.
    #[error("no model was named for `{provider}`")]
    #[diagnostic(
        code(providers::no_model),
        help("name one with `--model ID`; `speed-kings list {provider}` shows what it serves")
    )]
    NoModel {
        /// The provider's id.
        provider: &'static str,
    },
    /// Text that cannot be a model's id.
    #[error("`{model}` cannot be a model's id")]
    #[diagnostic(
        code(providers::bad_model),
        help("use the id as the provider lists it: at most 256 characters, none of them control characters")
    )]
    BadModel {
        /// What was written, cleaned and cut.
        model: String,
    },
    /// A family whose model the provider has withdrawn.
    #[error("`{provider}` retired its `{family}`, `{model}`, on {on}")]
    #[diagnostic(code(providers::retired), help("{hint}"))]
    Retired {
        /// The provider's id.
        provider: &'static str,
        /// The family asked for.
        family: &'static str,
        /// The provider's own id of it.
        model: &'static str,
        /// Its last day.
        on: Date,
        /// What to take instead.
        hint: String,
    },
}

impl ProviderError {
    /// `id` names no provider; `near` are the names most like it.
    pub(crate) fn unknown(id: &str, near: &[&str]) -> Self {
        let hint = if near.is_empty() {
            "`speed-kings list` shows all providers; for any other endpoint use `--url URL --model ID`".to_owned()
        } else {
            format!("did you mean {}? `speed-kings list` shows all providers", in_words(near))
        };
        Self::Unknown { id: id.chars().filter(|c| !c.is_control()).take(80).collect(), hint }
    }

    /// `provider` does not speak `dialect`, but these.
    pub(crate) fn foreign(provider: &'static str, dialect: Dialect, spoken: &[Dialect]) -> Self {
        let spoken: Vec<&str> = spoken.iter().map(|dialect| dialect.id()).collect();
        let hint =
            format!("ask for {}, or name the provider `openai-compatible` if it is another server", in_words(&spoken));
        Self::Foreign { provider, dialect, hint }
    }
}

/// Names in backticks, the last joined with `or`: `a`, `b` or `c`.
pub(crate) fn in_words(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
