//! Makes connections, each step timed: DNS, TCP (through a proxy where one is set), TLS.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use schema::plan::{HttpChoice, TransportPlan};
use schema::record::{ConnectTimes, Failure, FailureClass};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use crate::clock::Clock;
use crate::connection::Connection;
use crate::failure::{connecting, failure, looking_up, said};
use crate::io::Io;
use crate::socket::Socket;
use crate::tls;

/// A connector that cannot be set up.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SetupError {
    /// The trust store could not be read.
    #[error("the system's TLS roots could not be used")]
    #[diagnostic(code(transport::roots), help("use `--bundled-roots`, or install the system's certificates"))]
    Roots(#[source] rustls::Error),
    /// The URL has no host.
    #[error("`{0}` names no host")]
    #[diagnostic(code(transport::no_host), help("write a whole URL, like `http://127.0.0.1:8000`"))]
    NoHost(Url),
}

/// A proxy that carries TLS connections by CONNECT.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where it listens: `host`, `port`.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `user:password`, if it wants them.
    pub credentials: Option<SecretString>,
    /// Hosts reached directly: names with all below them, also written `.domain` or `*.domain`; `*` for all.
    pub bypass: Vec<String>,
}

impl Proxy {
    fn carries(&self, host: &str) -> bool {
        let local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let bypassed = self.bypass.iter().any(|rule| {
            let rule = rule.to_ascii_lowercase();
            let rule = rule.trim_start_matches("*.").trim_start_matches('.');
            rule == "*" || host == rule || host.strip_suffix(rule).is_some_and(|rest| rest.ends_with('.'))
        });
        !local && !bypassed
    }
}

/// A host to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Endpoint {
    /// The endpoint of `url`.
    pub fn of(url: &Url) -> Result<Self, SetupError> {
        let host = url.host_str().ok_or_else(|| SetupError::NoHost(url.clone()))?;
        let tls = url.scheme() == "https";
        let port = url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, tls })
    }
}

/// Makes connections by one plan. Clones share their TLS session cache and resolved addresses.
#[derive(Clone)]
pub struct Connector {
    clock: Clock,
    plan: TransportPlan,
    /// Made when a TLS connection first needs it: a machine without roots can still measure plain targets.
    tls: Arc<OnceLock<Result<Arc<ClientConfig>, rustls::Error>>>,
    proxy: Option<Arc<Proxy>>,
    resolved: Arc<Mutex<HashMap<Endpoint, Vec<SocketAddr>>>>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("plan", &self.plan).field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

impl Connector {
    /// A connector for `plan` on `clock`. Roots are read when a TLS target is first met: then, and in
    /// [`crate::Client::new`], an unusable trust store tells.
    pub fn new(plan: &TransportPlan, proxy: Option<Proxy>, clock: Clock) -> Result<Self, SetupError> {
        let proxy = proxy.map(Arc::new);
        Ok(Self { clock, plan: plan.clone(), tls: Arc::default(), proxy, resolved: Arc::default() })
    }

    /// The clock its stamps are on.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    pub(crate) const fn plan(&self) -> &TransportPlan {
        &self.plan
    }

    /// Whom to trust.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, SetupError> {
        let config = self.tls.get_or_init(|| tls::config(&self.plan).map(Arc::new));
        config.clone().map_err(SetupError::Roots)
    }

    /// A ready connection and what it took, within the connect limit.
    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<(Connection, ConnectTimes), Failure> {
        let limit = self.plan.limits.connect_ns;
        let deadline = Instant::now() + limit.into();
        let proxy = self.proxy.as_ref().filter(|proxy| endpoint.tls && proxy.carries(&endpoint.host));
        let first_hop = proxy.map_or_else(
            || endpoint.clone(),
            |proxy| Endpoint { host: proxy.host.clone(), port: proxy.port, tls: false },
        );
        let begun = self.clock.now();
        let Ok(found) = timeout_at(deadline, self.resolve(&first_hop)).await else {
            let host = &first_hop.host;
            return Err(said(
                FailureClass::Dns,
                format!("`{host}` was not found within {limit}: check this machine's name server"),
            ));
        };
        let (addresses, fresh) = found?;
        let dns_ns = fresh.then(|| self.clock.now() - begun);
        match timeout_at(deadline, self.connect_to(&addresses, endpoint, proxy.map(Arc::as_ref))).await {
            Ok(made) => made.map(|(connection, times)| (connection, ConnectTimes { dns_ns, ..times })),
            Err(_) => Err(said(
                FailureClass::ConnectTimeout,
                format!("no connection to {}:{} within {limit}", endpoint.host, endpoint.port),
            )),
        }
    }

    /// A connection to `endpoint` by the first of `addresses` that answers: the endpoint's own, or its proxy's.
    async fn connect_to(
        &self,
        addresses: &[SocketAddr],
        endpoint: &Endpoint,
        proxy: Option<&Proxy>,
    ) -> Result<(Connection, ConnectTimes), Failure> {
        let mut times = ConnectTimes::default();
        let begun = self.clock.now();
        let (tcp, address) = open(addresses).await?;
        let mut socket =
            Socket::new(tcp, self.clock, self.plan.user_space_stamps).map_err(|e| connecting(address, &e))?;
        if let Some(proxy) = proxy {
            tunnel(&mut socket, proxy, endpoint).await?;
        }
        times.tcp_ns = self.clock.now() - begun;

        let io = if endpoint.tls {
            let trust = self.tls().map_err(|e| failure(FailureClass::Tls, &e))?;
            let begun = self.clock.now();
            let stream = handshake(socket, endpoint, trust).await.map_err(|e| failure(FailureClass::Tls, &e))?;
            times.tls_ns = Some(self.clock.now() - begun);
            let agreed = stream.get_ref().1.alpn_protocol();
            if self.plan.http == HttpChoice::Http2 && agreed != Some(b"h2") {
                return Err(said(FailureClass::Tls, "the server does not speak HTTP/2; leave out `--http http2`"));
            }
            Io::Tls(Box::new(stream))
        } else {
            Io::Plain(socket)
        };
        let connection =
            Connection::open(io, &self.plan).await.map_err(|e| failure(FailureClass::ConnectFailed, &e))?;
        Ok((connection, times))
    }

    /// The addresses of an endpoint, and whether they were looked up just now. Each name is looked up once a run.
    async fn resolve(&self, endpoint: &Endpoint) -> Result<(Vec<SocketAddr>, bool), Failure> {
        if let Ok(ip) = endpoint.host.parse::<IpAddr>() {
            return Ok((vec![SocketAddr::new(ip, endpoint.port)], false));
        }
        let known = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).get(endpoint).cloned();
        if let Some(addresses) = known {
            return Ok((addresses, false));
        }
        let found = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port)).await;
        let addresses: Vec<_> = found.map_err(|e| looking_up(&endpoint.host, &e))?.collect();
        if addresses.is_empty() {
            return Err(said(FailureClass::Dns, format!("`{}` has no address", endpoint.host)));
        }
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.clone(), addresses.clone());
        Ok((addresses, true))
    }
}

async fn handshake(socket: Socket, endpoint: &Endpoint, trust: Arc<ClientConfig>) -> io::Result<TlsStream<Socket>> {
    let name = ServerName::try_from(endpoint.host.clone()).map_err(io::Error::other)?;
    TlsConnector::from(trust).connect(name, socket).await
}

/// A connection to the first address that answers; the last failure when none does.
async fn open(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut last = said(FailureClass::Dns, "no address to connect to");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok((stream, *address)),
            Err(error) => last = connecting(*address, &error),
        }
    }
    Err(last)
}

/// Most a proxy may say before the tunnel is open.
const PROXY_ANSWER_BYTES: usize = 8 << 10;

/// Asks the proxy for a tunnel to `endpoint`.
async fn tunnel(socket: &mut Socket, proxy: &Proxy, endpoint: &Endpoint) -> Result<(), Failure> {
    let broken = |e: &io::Error| failure(FailureClass::Proxy, e);
    let host = if endpoint.host.contains(':') { format!("[{}]", endpoint.host) } else { endpoint.host.clone() };
    let mut ask = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n", port = endpoint.port);
    if let Some(credentials) = &proxy.credentials {
        let encoded = base64::engine::general_purpose::STANDARD.encode(credentials.expose_secret());
        ask.push_str("Proxy-Authorization: Basic ");
        ask.push_str(&encoded);
        ask.push_str("\r\n");
    }
    ask.push_str("\r\n");
    socket.write_all(ask.as_bytes()).await.map_err(|e| broken(&e))?;

    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= PROXY_ANSWER_BYTES {
            return Err(said(FailureClass::Proxy, "the proxy's answer is longer than 8 KiB"));
        }
        answer.push(socket.read_u8().await.map_err(|e| broken(&e))?);
    }
    let status_line = answer.split(|b| *b == b'\r').next().unwrap_or_default();
    let status = status_line.split(|b| *b == b' ').nth(1).unwrap_or_default();
    if status == b"200" {
        Ok(())
    } else {
        Err(said(FailureClass::Proxy, format!("the proxy answered `{}`", String::from_utf8_lossy(status_line))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(bypass: &[&str]) -> Proxy {
        Proxy {
            host: "proxy".into(),
            port: 3128,
            credentials: None,
            bypass: bypass.iter().map(|s| (*s).into()).collect(),
        }
    }

    #[track_caller]
    fn check(bypass: &[&str], host: &str, carried: bool) {
        assert_eq!(proxy(bypass).carries(host), carried, "{host} with {bypass:?}");
    }

    #[test]
    fn a_proxy_is_passed_by_for_loopback_and_named_hosts() {
        check(&[], "api.example.com", true);
        check(&[], "localhost", false);
        check(&[], "127.0.0.1", false);
        check(&["example.com"], "api.example.com", false);
        check(&[".example.com"], "example.com", false);
        check(&["ample.com"], "api.example.com", true);
        check(&["*"], "api.example.com", false);
        check(&["*.Example.com"], "api.example.com", false);
        check(&["", "."], "api.example.com", true);
    }

    #[test]
    fn an_endpoint_knows_its_port() {
        let of = |url: &str| Endpoint::of(&url.parse().unwrap()).unwrap();
        assert_eq!(of("https://api.example.com/v1"), Endpoint { host: "api.example.com".into(), port: 443, tls: true });
        assert_eq!(of("http://[::1]:8000"), Endpoint { host: "::1".into(), port: 8000, tls: false });
    }
}
