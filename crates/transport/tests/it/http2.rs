//! HTTP/2, against hyper's own server: by prior knowledge and over TLS.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use schema::event::Stamp;
use schema::plan::{HttpChoice, SizeLimits, TransportPlan};
use schema::record::{FailureClass, HttpVersion, Record};
use schema::units::Nanos;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use crate::encrypted::{acceptor, insecure};
use crate::stage::{Witness, body_event, client_of, content, failure, order, run, scripted, send, stamping};

const EVENTS: [&str; 5] = [
    body_event!("a"),
    body_event!("b"),
    body_event!("c"),
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
];

fn http2() -> TransportPlan {
    TransportPlan { http: HttpChoice::Http2, ..insecure() }
}

type Body = StreamBody<futures_util::stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

/// A body whose pieces come through a channel.
fn streamed(pieces: mpsc::Receiver<&'static str>) -> Body {
    let pieces = futures_util::stream::unfold(pieces, |mut pieces| async {
        let piece = pieces.recv().await?;
        Some((Ok(Frame::data(Bytes::from_static(piece.as_bytes()))), pieces))
    });
    StreamBody::new(Box::pin(pieces))
}

/// Serves a connection: every answer is the five events, one after another.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    let service = service_fn(|request: Request<Incoming>| async move {
        assert_eq!(request.version(), http::Version::HTTP_2);
        assert!(request.uri().host().is_some(), "the authority is named");
        assert!(!request.headers().contains_key("host"));
        request.into_body().collect().await.unwrap();
        let (pieces, body) = mpsc::channel(1);
        tokio::spawn(async move {
            for event in EVENTS {
                if pieces.send(event).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
        });
        let answer = Response::builder().header("content-type", "text/event-stream");
        Ok::<_, Infallible>(answer.body(streamed(body)).unwrap())
    });
    // The client leaves as it likes.
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    server.serve_connection(TokioIo::new(stream), service).await.ok();
}

#[track_caller]
fn check(record: &Record) {
    assert!(record.outcome.is_complete(), "{:?}", record.outcome);
    assert_eq!((record.http, content(record)), (Some(HttpVersion::Http2), 3));
    assert_eq!(record.events.len(), 5);
    assert!(record.start_ns <= record.first_byte_ns && record.first_byte_ns <= record.headers_ns);
    assert!(record.events.iter().is_sorted_by_key(|event| event.arrival));
    assert!(record.events.last().unwrap().arrival <= record.end_ns.unwrap());
}

/// Twice over one connection.
async fn check_twice(url: &str, connections: &AtomicUsize) {
    let _stamps = stamping().await;
    let client = client_of(url, &http2());
    let first = send(&client, 3).await;
    check(&first);
    assert!(first.connect.is_some());
    let again = send(&client, 3).await;
    check(&again);
    assert_eq!((again.connect, connections.load(Ordering::Relaxed)), (None, 1));
    if cfg!(target_os = "linux") {
        assert!(again.events.iter().all(|event| event.stamp == Stamp::Kernel), "{:?}", again.events);
        assert!(again.sent_ns.is_some());
    }
}

#[test]
fn http2_by_prior_knowledge_is_measured_and_kept() {
    run(async || {
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let addr = scripted(move |tcp, _| {
            count.fetch_add(1, Ordering::Relaxed);
            serve(tcp)
        })
        .await;
        check_twice(&format!("http://{addr}/v1/chat/completions"), &connections).await;
    });
}

#[test]
fn http2_over_tls_is_measured_and_kept() {
    run(async || {
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, acceptor) = (Arc::clone(&connections), acceptor(&["h2", "http/1.1"]));
        let addr = scripted(move |tcp, _| {
            count.fetch_add(1, Ordering::Relaxed);
            let acceptor = acceptor.clone();
            async move { serve(acceptor.accept(tcp).await.unwrap()).await }
        })
        .await;
        check_twice(&format!("https://{addr}/v1/chat/completions"), &connections).await;
    });
}

#[test]
fn a_warmed_http2_connection_is_used() {
    run(async || {
        let addr = scripted(|tcp, _| serve(tcp)).await;
        let client = client_of(&format!("http://{addr}/v1/chat/completions"), &http2());
        assert_eq!(client.warm(1).await.unwrap().len(), 1);
        let record = send(&client, 3).await;
        check(&record);
        assert_eq!(record.connect, None);
    });
}

/// Collects an answer's head and body.
#[derive(Default)]
struct Scribe(Vec<u16>, Vec<u8>);

impl transport::Watch for Scribe {
    fn head(&mut self, head: transport::Head<'_>) {
        assert_eq!(head.reason, None);
        assert!(head.headers().any(|header| header == ("content-type", &b"text/event-stream"[..])));
        self.0.push(head.status);
    }

    fn piece(&mut self, bytes: &[u8], _: transport::Read, _: u32) {
        self.1.extend_from_slice(bytes);
    }
}

#[test]
fn heads_and_pieces_are_told_over_http2_too() {
    run(async || {
        let addr = scripted(|tcp, _| serve(tcp)).await;
        let client = client_of(&format!("http://{addr}/v1/chat/completions"), &http2());
        let mut scribe = Scribe::default();
        check(&*client.send(&order(&client, 3), &mut scribe).await);
        assert_eq!((scribe.0, String::from_utf8(scribe.1).unwrap()), (vec![200], EVENTS.concat()));
    });
}

#[test]
fn an_http1_server_is_no_http2_server() {
    run(async || {
        let sim = sim::Sim::start(crate::stage::fast(sim::Engine::Vllm)).unwrap();
        let record = send(&client_of(&format!("{}/v1/chat/completions", sim.url()), &http2()), 3).await;
        let class = failure(&record).class;
        assert!(matches!(class, FailureClass::ClosedEarly | FailureClass::Malformed), "{:?}", record.outcome);
        assert_eq!(content(&record), 0);
    });
}

#[test]
fn a_body_over_its_bound_is_too_large_over_http2_too() {
    run(async || {
        let addr = scripted(|tcp, _| serve(tcp)).await;
        let sizes = SizeLimits { body_bytes: 100, ..SizeLimits::default() };
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan { sizes, ..http2() });
        let (mut witness, _) = Witness::new();
        let record = client.send(&order(&client, 3), &mut witness).await;
        assert_eq!(failure(&record).class, FailureClass::TooLarge);
        assert!(content(&record) >= 1, "what came before is kept");
    });
}

#[test]
fn what_the_head_of_a_refusal_says_is_kept_over_http2_too() {
    run(async || {
        let addr = scripted(|tcp, _| async move {
            let service = service_fn(|request: Request<Incoming>| async move {
                request.into_body().collect().await.unwrap();
                let answer = Response::builder().status(429).header("retry-after", "7").header("x-request-id", "seven");
                let answer = answer.header("x-ratelimit-remaining-requests", "0");
                Ok::<_, Infallible>(answer.body(Full::new(Bytes::from_static(b"{}"))).unwrap())
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            server.serve_connection(TokioIo::new(tcp), service).await.ok();
        })
        .await;
        let record = send(&client_of(&format!("http://{addr}/v1"), &http2()), 3).await;
        let refusal = failure(&record);
        assert_eq!((refusal.class, refusal.retry_after_ns), (FailureClass::RateLimited, Some(Nanos::from_secs(7))));
        assert_eq!((record.status, record.request_id.unwrap().raw()), (Some(429), "seven"));
        assert_eq!(record.limits.unwrap().requests.unwrap().remaining, Some(0));
        assert!(record.start_ns.is_some() && record.first_byte_ns == record.headers_ns);
        assert_eq!((record.usage, record.server, record.tokens), (None, None, None));
    });
}
