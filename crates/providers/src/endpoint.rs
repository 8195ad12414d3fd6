//! Where requests go: a base URL as people write it, and the path of a dialect.

use std::net::{Ipv4Addr, Ipv6Addr};

use schema::target::Dialect;
use url::{Host, Url};

/// Where a dialect is served below a server's root.
struct Route {
    dialect: Dialect,
    /// Whether it lives below a version, as in `/v1`.
    versioned: bool,
    path: &'static str,
}

/// Every dialect's route; the longer of two that end alike comes first.
const ROUTES: &[Route] = &[
    Route { dialect: Dialect::OpenaiChat, versioned: true, path: "/chat/completions" },
    Route { dialect: Dialect::OpenaiCompletions, versioned: true, path: "/completions" },
    Route { dialect: Dialect::Anthropic, versioned: true, path: "/messages" },
    Route { dialect: Dialect::Tgi, versioned: false, path: "/generate_stream" },
    Route { dialect: Dialect::OllamaChat, versioned: false, path: "/api/chat" },
    Route { dialect: Dialect::OllamaGenerate, versioned: false, path: "/api/generate" },
    Route { dialect: Dialect::OpenaiEmbeddings, versioned: true, path: "/embeddings" },
    Route { dialect: Dialect::OllamaEmbed, versioned: false, path: "/api/embed" },
];

fn route(dialect: Dialect) -> &'static Route {
    ROUTES.iter().find(|r| r.dialect == dialect).expect("every dialect has a route")
}

/// The dialect whose endpoint `path` names, and what stands before it.
fn named(path: &str) -> Option<(Dialect, &str)> {
    ROUTES.iter().find_map(|r| Some((r.dialect, path.strip_suffix(r.path)?)))
}

/// The dialect a URL names by its path: `…/chat/completions` is OpenAI chat.
pub(crate) fn dialect_of(url: &Url) -> Option<Dialect> {
    named(url.path().trim_end_matches('/')).map(|(dialect, _)| dialect)
}

/// The URL of `dialect` at `base`, which may be a server's root, its versioned root, or a full endpoint.
/// An endpoint of this very dialect stays as it is.
pub(crate) fn join(base: &Url, dialect: Dialect) -> Url {
    let path = base.path().trim_end_matches('/');
    let root = match named(path) {
        Some((there, _)) if there == dialect => return with_path(base, path),
        Some((_, root)) => root,
        None => path,
    };
    let route = route(dialect);
    with_path(base, &format!("{}{}", rooted(root, route.versioned), route.path))
}

/// `root` with a version when one is wanted and none is there, or without `/v1` when none is wanted.
fn rooted(root: &str, versioned: bool) -> String {
    if !versioned {
        root.strip_suffix("/v1").unwrap_or(root).to_owned()
    } else if root.split('/').any(is_version) {
        root.to_owned()
    } else {
        format!("{root}/v1")
    }
}

/// `v1`, `v2`, `v1beta`.
fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix('v') else { return false };
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn with_path(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_fragment(None);
    url
}

/// Where the server that answers `dialect` at `url` lists its models: `…/models`, or `/api/tags` beside
/// Ollama's own endpoints.
pub fn models_url(url: &Url, dialect: Dialect) -> Url {
    let path = url.path().trim_end_matches('/');
    let root = named(path).map_or(path, |(_, root)| root);
    match dialect {
        Dialect::OllamaChat | Dialect::OllamaGenerate | Dialect::OllamaEmbed => {
            with_path(url, &format!("{root}/api/tags"))
        }
        Dialect::Tgi => with_path(url, &format!("{}/models", rooted(root, true))),
        Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiEmbeddings | Dialect::Anthropic => {
            with_path(url, &format!("{root}/models"))
        }
    }
}

/// The page at `path` below the root of the server that is asked at `url`.
pub(crate) fn at_root(url: &Url, path: &str) -> Url {
    let asked = url.path().trim_end_matches('/');
    let root = named(asked).map_or(asked, |(_, root)| root);
    with_path(url, &format!("{}{path}", rooted(root, false)))
}

/// Why text is no base URL, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    pub(crate) hint: &'static str,
}

/// Reads a base URL as people write it. Without a scheme it is http on this machine, else as `default`;
/// without scheme and port it takes the default's port. An address that means "all interfaces" becomes
/// this machine. Pointing at the default's own host without its path means the default's path, and it has
/// to be as encrypted.
pub(crate) fn read_base(text: &str, default: Option<&Url>) -> Result<Url, Refusal> {
    let parsed = if begins_with_host(text) { from_host(text, default) } else { Url::parse(text) };
    let mut url = parsed.map_err(|error| Refusal { why: error.to_string(), hint: EXAMPLE })?;
    check(&url)?;
    if let Some(address) = reachable(&url) {
        url.set_ip_host(address).map_err(|()| Refusal { why: "its host cannot be asked".into(), hint: EXAMPLE })?;
    }
    url.set_fragment(None);
    let Some(default) = default.filter(|default| default.host() == url.host()) else { return Ok(url) };
    if default.scheme() == "https" && url.scheme() == "http" {
        return Err(Refusal { why: "keys and prompts would go unencrypted".into(), hint: "write it with `https://`" });
    }
    if default.path().starts_with(url.path().trim_end_matches('/')) {
        url.set_path(default.path());
    }
    Ok(url)
}

const EXAMPLE: &str = "write it like `http://127.0.0.1:8000/v1` or `https://api.example.com/v1`";

/// The part of a URL without a scheme that names host and port.
fn authority(text: &str) -> &str {
    text.split(['/', '?', '#']).next().unwrap_or_default()
}

/// The port at the end of an authority.
fn written_port(authority: &str) -> Option<&str> {
    let (_, port) = authority.rsplit_once(':')?;
    (!port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())).then_some(port)
}

/// Whether `text` begins with a host rather than a scheme: `localhost:8000/v1`, `[::1]`, `gpu-box`.
fn begins_with_host(text: &str) -> bool {
    let authority = authority(text);
    let bare = !authority.is_empty() && !authority.contains(':');
    !text.contains("://") && (bare || authority.starts_with('[') || written_port(authority).is_some())
}

fn from_host(text: &str, default: Option<&Url>) -> Result<Url, url::ParseError> {
    let plain = Url::parse(&format!("http://{text}"))?;
    let secure = default.is_some_and(|d| d.scheme() == "https") && !is_loopback(&plain);
    let mut url = if secure { Url::parse(&format!("https://{text}"))? } else { plain };
    if written_port(authority(text)).is_none() {
        url.set_port(default.and_then(Url::port)).map_err(|()| url::ParseError::InvalidPort)?;
    }
    Ok(url)
}

/// Refuses what a target must not hold and what we do not speak.
fn check(url: &Url) -> Result<(), Refusal> {
    if !matches!(url.scheme(), "http" | "https") {
        let why = format!("`{}` is neither http nor https", url.scheme());
        return Err(Refusal { why, hint: EXAMPLE });
    }
    if !url.username().is_empty() || url.password().is_some() {
        let why = "it holds a user name or password".to_owned();
        return Err(Refusal { why, hint: "leave it out, and put the key in the provider's environment variable" });
    }
    if let Some((name, _)) = url.query_pairs().find(|(name, _)| names_a_secret(name)) {
        let why = format!("its query holds a key, `{}`", name.escape_debug());
        return Err(Refusal { why, hint: "leave it out, and put the key in the provider's environment variable" });
    }
    Ok(())
}

/// Whether a query parameter of this name usually carries a secret.
fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["key", "token", "secret", "password", "signature"].iter().any(|word| name.ends_with(word)) || name == "sig"
}

/// The address to ask where the URL's means "all interfaces", as servers are told to bind.
fn reachable(url: &Url) -> Option<std::net::IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) if ip.is_unspecified() => Some(Ipv4Addr::LOCALHOST.into()),
        Host::Ipv6(ip) if ip.is_unspecified() => Some(Ipv6Addr::LOCALHOST.into()),
        _ => None,
    }
}

/// Whether a URL points at this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// A URL's text for a message: control characters, user information and query left out, at most 200
/// characters.
pub(crate) fn shown(text: &str) -> String {
    let without_query = text.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match without_query.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), without_query),
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    scheme.chars().chain(rest.chars()).filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests;
