//! A plain GET for the side endpoints: models, versions, health.

use std::pin::Pin;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request};
use http_body_util::Full;
use hyper::body::Body as _;
use schema::plan::HttpChoice;
use schema::record::{Failure, FailureClass};
use url::Url;

use crate::client::{AGENT, authority};
use crate::connection::{Connection, Waited};
use crate::connector::{Connector, Endpoint};
use crate::failure::{Stage, exchanging, failure, said};

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
    let request = get(url, headers, connector.plan().http)
        .ok_or_else(|| said(FailureClass::BadRequest, "the request could not be written"))?;
    let timer = tokio::time::sleep(connector.plan().limits.first_token_ns.into());
    tokio::pin!(timer);
    collect(&mut connection, request, timer, limit).await
}

async fn collect(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    mut timer: Pin<&mut tokio::time::Sleep>,
    limit: usize,
) -> Result<Fetched, Failure> {
    let late = || said(FailureClass::FirstTokenTimeout, "no answer in time");
    let mut answer = connection.send(request);
    let response = match connection.drive(timer.as_mut(), |cx| answer.as_mut().poll(cx)).await {
        Waited::Ready(response) => response.map_err(|e| exchanging(&e, Stage::Head))?,
        Waited::Tick => return Err(late()),
    };
    let (parts, mut body) = response.into_parts();
    let mut all = Vec::new();
    loop {
        match connection.drive(timer.as_mut(), |cx| Pin::new(&mut body).poll_frame(cx)).await {
            Waited::Ready(None) => break,
            Waited::Ready(Some(frame)) => {
                if let Ok(data) = frame.map_err(|e| exchanging(&e, Stage::Body))?.into_data() {
                    all.extend_from_slice(&data);
                }
            }
            Waited::Tick => return Err(late()),
        }
        if all.len() > limit {
            return Err(said(FailureClass::TooLarge, format!("the answer is larger than {limit} bytes")));
        }
    }
    Ok(Fetched { status: parts.status.as_u16(), headers: parts.headers, body: all.into() })
}

fn get(url: &Url, headers: &[(String, String)], http: HttpChoice) -> Option<Request<Full<Bytes>>> {
    let uri = match http {
        HttpChoice::Http1 => url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        HttpChoice::Http2 => url.as_str().to_owned(),
    };
    let mut request = Request::builder().method(Method::GET).uri(uri);
    let map = request.headers_mut()?;
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
    request.body(Full::new(Bytes::new())).ok()
}
