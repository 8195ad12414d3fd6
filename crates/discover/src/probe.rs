//! Asking around.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};
use transport::Connector;
use url::Url;

use crate::recognise::{Answer, Found, Probe, recognise};

/// How long a probe may take: an engine in the middle of a batch still answers its side endpoints.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of an answer at most.
const ANSWER_BYTES: usize = 1 << 20;

/// Servers asked at once at most.
const AT_ONCE: usize = 64;

/// Ports people put engines on besides those the engines choose.
const CUSTOMARY_PORTS: &[u16] = &[8001, 8002, 8081, 5000, 18000, 18080];

/// Roots of the servers that may run on this machine: at every provider's ports, the customary ones and
/// `more`, each once, in order of the port.
pub fn loopback(more: &[u16]) -> Vec<Url> {
    let known = providers::registry().iter().flat_map(|provider| provider.default_ports);
    let ports: BTreeSet<u16> = known.chain(CUSTOMARY_PORTS).chain(more).copied().filter(|port| *port != 0).collect();
    ports.into_iter().filter_map(|port| Url::parse(&format!("http://127.0.0.1:{port}/")).ok()).collect()
}

/// Engines on this machine, at the ports of [`loopback`] and `more`, in order of the port.
pub async fn local(connector: &Connector, more: &[u16]) -> Vec<Found> {
    search(loopback(more), |url| ask(connector, url)).await
}

/// The engine whose root is `base_url`, if one answers there.
pub async fn at(connector: &Connector, base_url: &Url) -> Option<Found> {
    identify(base_url.clone(), &|url| ask(connector, url)).await
}

/// Engines among the servers with these roots, in their order. `probe` GETs a URL; `None`: nobody answers.
pub async fn search<P, F>(roots: Vec<Url>, probe: P) -> Vec<Found>
where
    P: Fn(Url) -> F,
    F: Future<Output = Option<Answer>>,
{
    let found = stream::iter(roots).map(|root| identify(root, &probe)).buffered(AT_ONCE);
    found.filter_map(|found| async { found }).collect().await
}

/// One server: a first question, and if anyone answers, those that it suggests, all at once.
async fn identify<P, F>(root: Url, probe: &P) -> Option<Found>
where
    P: Fn(Url) -> F,
    F: Future<Output = Option<Answer>>,
{
    let put = |question: Probe| {
        let mut url = root.clone();
        url.set_path(question.path());
        let answer = probe(url);
        async move { Some((question, answer.await?)) }
    };
    let first = put(Probe::FIRST).await?;
    let more = join_all(Probe::after(&first.1).iter().map(|question| put(*question))).await;
    let answers: Vec<(Probe, Answer)> = std::iter::once(first).chain(more.into_iter().flatten()).collect();
    recognise(&root, &answers)
}

/// One GET without a key.
async fn ask(connector: &Connector, url: Url) -> Option<Answer> {
    get(connector, &url, &[], ANSWER_BYTES).await
}

/// One GET of a page of so many bytes at most; any failure means nobody answers.
pub(crate) async fn get(
    connector: &Connector,
    url: &Url,
    headers: &[(String, String)],
    limit: usize,
) -> Option<Answer> {
    let fetching = transport::fetch(connector, url, headers, limit);
    let fetched = tokio::time::timeout(PATIENCE, fetching).await.ok()?.ok()?;
    Some(Answer { status: fetched.status, simulated: is_simulated(&fetched), body: fetched.body.to_vec() })
}

/// Our simulated engines say so with every answer.
pub(crate) fn is_simulated(fetched: &transport::Fetched) -> bool {
    fetched.headers.get("x-simulated").is_some_and(|value| value == "speed-kings")
}

#[cfg(test)]
mod tests;
