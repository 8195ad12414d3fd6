//! `HTTPS_PROXY` and `NO_PROXY`: the proxy that TLS targets are reached through.

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use transport::Proxy;
use url::Url;

use super::problem::Problem;
use crate::environment::Environment;

/// Where proxies listen that name no port.
const USUAL_PORT: u16 = 3128;

/// The proxy that the environment names, if it names one: `http://proxy:3128`, or without the scheme as other programs
/// take it too.
///
/// # Errors
/// It names something that is no such proxy: going round it unasked would measure another way.
pub(crate) fn proxy(environment: &Environment) -> Result<Option<Proxy>, Problem> {
    let either = |upper: &str, lower: &str| environment.get(upper).or_else(|| environment.get(lower)).map(str::trim);
    let Some(text) = either("HTTPS_PROXY", "https_proxy").filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&text).map_err(|error| refused(&error.to_string()))?;
    if url.scheme() != "http" {
        return Err(refused("only proxies spoken to by plain http are supported"));
    }
    let host = url.host_str().ok_or_else(|| refused("it names no host"))?;
    let bypass = either("NO_PROXY", "no_proxy").unwrap_or_default();
    Ok(Some(Proxy {
        host: host.trim_matches(['[', ']']).to_owned(),
        // `port()` hides a written 80, that being http's own.
        port: url.port().unwrap_or(if names_port(&text) { 80 } else { USUAL_PORT }),
        credentials: credentials(&url),
        bypass: bypass.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect(),
    }))
}

/// Without the text itself: a password may stand in it.
fn refused(why: &str) -> Problem {
    Problem::new(format!("`HTTPS_PROXY` cannot be used: {why}"))
        .help("write it like `http://proxy:3128` or `http://user:password@proxy:3128`, or unset it")
}

/// Whether a port stands behind the host.
fn names_port(url: &str) -> bool {
    let authority = url.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit(['@', ']']).next().is_some_and(|host| host.contains(':'))
}

/// `user:password`, as they are without a URL's escapes.
fn credentials(url: &Url) -> Option<SecretString> {
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (plain(url.username()), plain(url.password().unwrap_or_default()));
    (!user.is_empty() || !password.is_empty()).then(|| format!("{user}:{password}").into())
}

/// Where `proxy` is, without its credentials, which have no place in a plan.
pub(crate) fn shown(proxy: &Proxy) -> String {
    let host = if proxy.host.contains(':') { format!("[{}]", proxy.host) } else { proxy.host.clone() };
    format!("http://{host}:{}/", proxy.port)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[track_caller]
    fn check(text: &str, place: &str, credentials: Option<&str>) {
        let environment: Environment = [("HTTPS_PROXY", text), ("no_proxy", "a.b, .c,")].into_iter().collect();
        let found = proxy(&environment).unwrap().unwrap();
        assert_eq!(shown(&found), place);
        assert_eq!(found.credentials.as_ref().map(SecretString::expose_secret), credentials);
        assert_eq!(found.bypass, ["a.b", ".c"]);
    }

    #[test]
    fn a_proxy_is_read_as_people_write_it() {
        check("http://proxy:8080", "http://proxy:8080/", None);
        check("proxy:8080", "http://proxy:8080/", None);
        check("127.0.0.1:8080", "http://127.0.0.1:8080/", None);
        check("http://proxy", "http://proxy:3128/", None);
        check("http://proxy:80/", "http://proxy:80/", None);
        check("http://[::1]:8080", "http://[::1]:8080/", None);
        check("http://[::1]", "http://[::1]:3128/", None);
        check("http://me:p%40w%3A@proxy:1", "http://proxy:1/", Some("me:p@w:"));
        check("me:pw@proxy", "http://proxy:3128/", Some("me:pw"));
        check("http://token@proxy:1", "http://proxy:1/", Some("token:"));
    }

    #[test]
    fn what_is_no_such_proxy_is_refused_and_its_password_not_repeated() {
        for text in ["https://me:canary@proxy:3128", "socks5://me:canary@proxy", "http://me:canary@:1", "http://"] {
            let environment: Environment = [("https_proxy", text)].into_iter().collect();
            let problem = proxy(&environment).unwrap_err().to_string();
            assert!(problem.contains("`HTTPS_PROXY` cannot be used") && !problem.contains("canary"), "{problem}");
        }
        assert!(proxy(&Environment::default()).unwrap().is_none());
    }
}
