//! From what was asked for to a target that can be asked.

use jiff::civil::Date;
use schema::target::{AuthScheme, Credentialed, Dialect, Encoding, Target, TargetName};
use secrecy::SecretString;
use url::Url;

use crate::endpoint::{self, Refusal};
use crate::error::{ProviderError, in_words};
use crate::price::PriceBook;
use crate::provider::{Provider, find, registry};
use crate::readiness::first_set;

/// What is asked for: a provider, and what differs from its defaults.
#[derive(Debug, Clone, Default)]
pub struct Ask<'a> {
    /// The provider's id or alias.
    pub provider: &'a str,
    /// What the target is to be called. `None`: the provider's id.
    pub name: Option<TargetName>,
    /// Another base URL: a server's root, its `/v1`, or a full endpoint.
    pub url: Option<&'a str>,
    /// A model family, or a model's id taken literally. `None`: the provider's default.
    pub model: Option<&'a str>,
    /// Another dialect than the provider's or the URL's.
    pub dialect: Option<Dialect>,
}

/// Where a provider is asked, and with which key: all of a target but its model.
#[derive(Debug, Clone)]
pub struct Access {
    /// The provider.
    pub provider: &'static Provider,
    /// Where requests go, path included.
    pub url: Url,
    /// The protocol spoken there.
    pub dialect: Dialect,
    /// The key, if there is one.
    pub key: Option<SecretString>,
    /// The environment variable it came from.
    pub key_variable: Option<String>,
    /// Whether the URL is another than the provider's own.
    pub moved: bool,
}

impl Access {
    /// How the key is presented.
    pub fn auth(&self) -> AuthScheme {
        if self.key.is_some() { self.provider.auth } else { AuthScheme::None }
    }

    /// Headers every request carries, without the key.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.provider.headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Where and with which key the provider of `ask` is asked; its model is not looked at. The URL is the
/// one asked for, else the first set variable of [`Provider::url_variables`], else the provider's own. The
/// key is in `NAME_API_KEY`, after the target's name, else in the first set variable of
/// [`Provider::key_variables`]; it is needed where [`Provider::key_required`] says so, unless the URL was
/// pointed at this machine.
///
/// # Errors
/// [`ProviderError`]: the provider is unknown, has no usable URL or no key, or does not speak the dialect.
pub fn access(ask: &Ask<'_>, env: &dyn Fn(&str) -> Option<String>) -> Result<Access, ProviderError> {
    let provider = find(ask.provider)?;
    let base = base_url(provider, ask.url, env)?;
    let key = find_key(provider, ask.name.as_ref(), env)?;
    if key.is_none() && provider.key_required && !(base.moved && endpoint::is_loopback(&base.url)) {
        return Err(missing_key(provider));
    }
    let dialect = ask.dialect.or_else(|| endpoint::dialect_of(&base.url)).unwrap_or(provider.dialect);
    if !provider.dialects.contains(&dialect) {
        return Err(ProviderError::foreign(provider.id, dialect, provider.dialects));
    }
    let (key_variable, key) = key.unzip();
    Ok(Access { provider, url: endpoint::join(&base.url, dialect), dialect, key, key_variable, moved: base.moved })
}

/// The target and key that `ask` describes: its [`access`], its model and its price. A model family
/// becomes the provider's own id; anything else is taken as an id.
///
/// # Errors
/// [`ProviderError`]: as [`access`], or no model is named, or the provider has retired the family asked for.
pub fn resolve(
    ask: &Ask<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    prices: &PriceBook,
    today: Date,
) -> Result<Credentialed, ProviderError> {
    let access = access(ask, env)?;
    let provider = access.provider;
    let model = model_id(provider, ask.model, prices, (!access.moved).then_some(today))?;
    let target = Target {
        name: ask.name.clone().unwrap_or_else(|| own_name(provider)),
        provider: provider.id.to_owned(),
        auth: access.auth(),
        headers: access.headers(),
        dialect: access.dialect,
        encoding: encoding(provider, access.dialect),
        key_variable: access.key_variable,
        price: prices.find(provider.id, &model, today),
        metrics_url: metrics_url(provider, &access.url),
        simulated: false,
        url: access.url,
        model,
    };
    Ok(Credentialed { target, key: access.key })
}

/// How bodies are written. What is said of answers in words means nothing to requests for vectors, and fields that a
/// provider adds to its own dialect are none of Anthropic's.
fn encoding(provider: &Provider, dialect: Dialect) -> Encoding {
    let own = (provider.encoding)();
    match dialect {
        Dialect::OpenaiEmbeddings | Dialect::OllamaEmbed => Encoding::default(),
        Dialect::Anthropic if provider.dialect != dialect => Encoding { extra: serde_json::Map::new(), ..own },
        _ => own,
    }
}

/// Its Prometheus page, where it has one.
fn metrics_url(provider: &Provider, url: &Url) -> Option<Url> {
    (!provider.metrics_path.is_empty()).then(|| endpoint::at_root(url, provider.metrics_path))
}

fn own_name(provider: &Provider) -> TargetName {
    provider.id.parse().expect("a provider's id is a safe name")
}

/// A base URL, and whether it is another than the provider's own.
struct Base {
    url: Url,
    moved: bool,
}

fn base_url(
    provider: &'static Provider,
    asked: Option<&str>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Base, ProviderError> {
    let own = Url::parse(provider.base_url).ok();
    let asked = asked.map(|text| (text.trim().to_owned(), "the URL given".to_owned()));
    let from_env = || first_set(provider.url_variables, env).map(|(name, text)| (text, format!("from `{name}`")));
    let Some((text, origin)) = asked.or_else(from_env) else {
        let variable = provider.url_variables.first().copied().unwrap_or_default();
        let url = own.ok_or(ProviderError::NeedsUrl { provider: provider.id, variable })?;
        return Ok(Base { url, moved: false });
    };
    let refused = |Refusal { why, hint }| ProviderError::BadUrl { url: endpoint::shown(&text), origin, why, hint };
    let url = endpoint::read_base(&text, own.as_ref()).map_err(refused)?;
    let moved = own.is_none_or(|own| own.host() != url.host() || own.port() != url.port());
    Ok(Base { url, moved })
}

/// The key and the variable it was found in.
fn find_key(
    provider: &Provider,
    name: Option<&TargetName>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<(String, SecretString)>, ProviderError> {
    let own = name.map(key_variable).filter(|variable| !belongs_to_another(variable, provider));
    let variables: Vec<&str> = own.as_deref().into_iter().chain(provider.key_variables.iter().copied()).collect();
    let Some((variable, key)) = first_set(&variables, env) else { return Ok(None) };
    if !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ProviderError::BadKey { variable: variable.to_owned() });
    }
    Ok(Some((variable.to_owned(), key.into())))
}

/// The variable a target's own key may be in: `my-vllm` has `MY_VLLM_API_KEY`.
fn key_variable(name: &TargetName) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{}_API_KEY", name.as_str().chars().map(letter).collect::<String>())
}

/// Whether a variable holds another provider's key: a target must not take one along by its name.
fn belongs_to_another(variable: &str, provider: &Provider) -> bool {
    registry().iter().any(|other| other.id != provider.id && other.key_variables.contains(&variable))
}

fn missing_key(provider: &'static Provider) -> ProviderError {
    let variables = in_words(provider.key_variables);
    let variable = provider.key_variables.first().copied().unwrap_or_default();
    let hint = format!("get one at {}, then `export {variable}=…`", provider.key_page);
    ProviderError::MissingKey { provider: provider.id, variables, hint }
}

/// The provider's own id of what was asked for. A family resolves unless it was retired by `today`
/// (`None`: not at the provider's own address, so its calendar does not count); all else is literal.
fn model_id(
    provider: &'static Provider,
    asked: Option<&str>,
    prices: &PriceBook,
    today: Option<Date>,
) -> Result<String, ProviderError> {
    let asked = asked.map(str::trim).filter(|asked| !asked.is_empty());
    let Some(asked) = asked.or(provider.default_model) else {
        return Err(ProviderError::NoModel { provider: provider.id });
    };
    if asked.chars().count() > 256 || asked.chars().any(char::is_control) {
        let model = asked.chars().filter(|c| !c.is_control()).take(80).collect();
        return Err(ProviderError::BadModel { model });
    }
    let family = provider.families.iter().find(|(family, _)| family.eq_ignore_ascii_case(asked));
    let Some(&(family, id)) = family else { return Ok(asked.to_owned()) };
    let retired = today.and_then(|today| prices.retired_on(provider.id, id, today));
    match retired {
        Some(on) if id != asked => Err(retired_error(provider, family, id, on)),
        _ => Ok(id.to_owned()),
    }
}

fn retired_error(provider: &'static Provider, family: &'static str, id: &'static str, on: Date) -> ProviderError {
    let instead = provider.default_model.map(|model| format!("take `{model}` instead, or ")).unwrap_or_default();
    let hint = format!("{instead}name the id `{id}` itself if your account still has it");
    ProviderError::Retired { provider: provider.id, family, model: id, on, hint }
}

#[cfg(test)]
mod tests;
