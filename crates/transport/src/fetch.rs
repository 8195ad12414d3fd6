//! A plain GET for the side endpoints: models, versions, health.

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use schema::plan::HttpChoice;
use schema::record::{Failure, FailureClass};
use url::Url;

use crate::client::{AGENT, authority};
use crate::connection::{Ask, Connection, Head, Waited};
use crate::connector::{Connector, Endpoint};
use crate::failure::{failure, said};

/// An answer to a GET.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most as long as was allowed.
    pub body: Bytes,
}

/// GETs `url` with `headers` over a connection of its own, within the connect and the first-token
/// limits. A body longer than `limit` bytes fails as too large.
pub async fn fetch(
    connector: &Connector,
    url: &Url,
    headers: &[(String, String)],
    limit: usize,
) -> Result<Fetched, Failure> {
    let endpoint = Endpoint::of(url).map_err(|e| failure(FailureClass::Dns, &e))?;
    let (mut connection, _) = connector.connect(&endpoint).await?;
    let ask = get(url, headers, connector.plan().http)
        .ok_or_else(|| said(FailureClass::BadRequest, "the request could not be written"))?;
    let patience = connector.plan().limits.first_token_ns;
    connection.wake_at(tokio::time::Instant::now() + patience.into());
    connection.send(&ask, &Bytes::new());
    collect(&mut connection, limit).await
}

async fn collect(connection: &mut Connection, limit: usize) -> Result<Fetched, Failure> {
    let late = || said(FailureClass::FirstTokenTimeout, "no answer in time");
    let (status, headers) = match connection.drive(|connection, cx| connection.poll_head(cx, kept)).await {
        Waited::Ready(head) => head?,
        Waited::Tick => return Err(late()),
    };
    let mut all = Vec::new();
    loop {
        match connection.drive(Connection::poll_piece).await {
            Waited::Ready(Ok(false)) => break,
            Waited::Ready(Ok(true)) => all.extend_from_slice(connection.piece()),
            Waited::Ready(Err(failure)) => return Err(failure),
            Waited::Tick => return Err(late()),
        }
        if all.len() > limit {
            return Err(said(FailureClass::TooLarge, format!("the answer is larger than {limit} bytes")));
        }
    }
    Ok(Fetched { status, headers, body: all.into() })
}

/// What is kept of a head. What cannot be a header's value was read as one nevertheless, and is left out.
fn kept(head: Head<'_>) -> (u16, HeaderMap) {
    let headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value).ok()?)));
    (head.status, headers.collect())
}

fn get(url: &Url, headers: &[(String, String)], http: HttpChoice) -> Option<Ask> {
    let uri = match http {
        HttpChoice::Http1 => url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        HttpChoice::Http2 => url.as_str().to_owned(),
    };
    let mut map = HeaderMap::new();
    if http == HttpChoice::Http1 {
        map.insert(HOST, authority(url)?.parse().ok()?);
    }
    map.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    map.insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in headers {
        let mut value = HeaderValue::try_from(value.as_str()).ok()?;
        // Who asks does not tell which of them is a key, so none is ever written out in a log.
        value.set_sensitive(true);
        map.insert(HeaderName::try_from(name.as_str()).ok()?, value);
    }
    Some(Ask::new(Method::GET, uri.parse().ok()?, map))
}
