//! TLS: whom it trusts, what it costs apart, and stamps beneath it.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use schema::event::Stamp;
use schema::plan::{HttpChoice, TransportPlan};
use schema::record::{FailureClass, HttpVersion, Record};
use schema::units::Nanos;
use sim::{Config, Engine, Sim};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use transport::{Clock, Connector, Order};

use crate::stage::{
    VLLM, alone, body_event, client, client_of, content, event_stream_head, failure, fast, order, pass, read_request,
    run, scripted, send, short_answer, stamping, target, whole_order,
};

/// Any certificate will do.
pub(crate) fn insecure() -> TransportPlan {
    TransportPlan { insecure: true, ..TransportPlan::default() }
}

/// A TLS server for `sim.test` and the loopback address that agrees on one of `protocols`.
pub(crate) fn acceptor(protocols: &[&str]) -> TlsAcceptor {
    let names = vec!["sim.test".to_owned(), "127.0.0.1".to_owned()];
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A simulated vLLM behind TLS, and its URL.
pub(crate) async fn encrypted(protocols: &[&str]) -> (Sim, String) {
    let sim = Sim::start(fast(Engine::Vllm)).unwrap();
    let (state, acceptor) = (sim.state(), acceptor(protocols));
    let addr = scripted(move |tcp, _| {
        let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
        async move {
            if let Ok(stream) = acceptor.accept(tcp).await {
                sim::serve_connection(stream, state).await;
            }
        }
    })
    .await;
    (sim, format!("https://{addr}/v1/chat/completions"))
}

/// A server behind TLS that follows `script` on each connection, and its URL.
pub(crate) async fn scripted_encrypted<S>(script: impl Fn(TlsStream<TcpStream>) -> S + Send + Sync + 'static) -> String
where
    S: Future<Output = ()> + Send + 'static,
{
    let (acceptor, script) = (acceptor(&["http/1.1"]), Arc::new(script));
    let addr = scripted(move |tcp, _| {
        let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
        async move { script(acceptor.accept(tcp).await.unwrap()).await }
    })
    .await;
    format!("https://{addr}/v1")
}

#[test]
fn an_encrypted_answer_is_stamped_beneath_the_encryption() {
    run(async || {
        let _stamps = stamping().await;
        let (_sim, url) = encrypted(&["h2", "http/1.1"]).await;
        let client = client_of(&url, &insecure());
        let first = send(&client, 6).await;
        assert!(first.outcome.is_complete(), "{:?}", first.outcome);
        assert_eq!(first.http, Some(HttpVersion::Http1));
        assert!(first.connect.unwrap().tls_ns.is_some(), "the handshake is timed apart");

        let again = send(&client, 6).await;
        assert_eq!((content(&again), again.connect), (6, None), "the connection is used again");
        if cfg!(target_os = "linux") {
            assert!(again.events.iter().all(|event| event.stamp == Stamp::Kernel), "{:?}", again.events);
            assert!(again.sent_ns >= again.start_ns && again.sent_ns <= again.first_byte_ns);
        }
    });
}

#[test]
fn what_tls_says_of_itself_is_no_first_byte_of_the_answer() {
    run(async || {
        let url = scripted_encrypted(move |mut stream| async move {
            // TLS 1.3 sends its session tickets now.
            stream.flush().await.unwrap();
            read_request(&mut stream).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            pass(Duration::from_secs(1)).await;
            stream.write_all(short_answer("").as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
        })
        .await;
        let record = send(&client_of(&url, &insecure()), 1).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert!(record.reads > 1, "the tickets came apart");
        let waited = record.first_byte_ns.unwrap() - record.start_ns.unwrap();
        assert!(waited >= Nanos::from_millis(900), "{waited}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_simulated_engine_encrypts_with_a_certificate_that_can_be_trusted_by_name() {
    const NAME: &str = "encrypted::a_simulated_engine_encrypts_with_a_certificate_that_can_be_trusted_by_name";
    const FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/certificate.pem");
    if !alone(NAME, &[("SSL_CERT_FILE", FILE), ("SSL_CERT_DIR", "/nowhere")]) {
        return;
    }
    run(async || {
        let sim = Sim::start(Config { tls: true, ..fast(Engine::Vllm) }).unwrap();
        std::fs::write(FILE, sim.certificate().unwrap()).unwrap();
        let record = send(&client(&sim, VLLM, &TransportPlan::default()), 4).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert!(record.connect.unwrap().tls_ns.is_some());
    });
}

#[test]
fn a_certificate_nobody_vouches_for_is_refused() {
    run(async || {
        let (sim, url) = encrypted(&["http/1.1"]).await;
        for plan in [TransportPlan::default(), TransportPlan { bundled_roots: true, ..TransportPlan::default() }] {
            let record = send(&client_of(&url, &plan), 2).await;
            assert_eq!(failure(&record).class, FailureClass::Tls, "{:?}", record.outcome);
            assert!(failure(&record).message.raw().contains("certificate"), "{:?}", record.outcome);
        }
        assert_eq!(sim.requests(), 0, "nothing was said to it");
    });
}

#[test]
fn a_plain_server_is_no_tls_server() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let url = format!("https://{}/v1/chat/completions", sim.addr());
        let record = send(&client_of(&url, &insecure()), 2).await;
        assert_eq!(failure(&record).class, FailureClass::Tls, "{:?}", record.outcome);
    });
}

#[test]
fn a_server_without_http2_is_told_apart() {
    run(async || {
        for protocols in [&[][..], &["http/1.1"][..]] {
            let (_sim, url) = encrypted(protocols).await;
            let plan = TransportPlan { http: HttpChoice::Http2, ..insecure() };
            let record = send(&client_of(&url, &plan), 2).await;
            assert_eq!(failure(&record).class, FailureClass::Tls, "{:?}", record.outcome);
        }
    });
}

#[test]
fn a_large_request_is_sent_whole_from_beneath_the_encryption() {
    run(async || {
        let url = scripted_encrypted(move |mut stream| async move {
            for _ in 0..2 {
                read_request(&mut stream).await;
                stream.write_all(short_answer("").as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
        })
        .await;
        let client = client_of(&url, &insecure());
        for is_first in [true, false] {
            let large = Order { body: vec![b'x'; 8 << 20].into(), ..order(&client, 4) };
            let record = client.send(&large, &mut ()).await;
            assert!(record.outcome.is_complete(), "{:?}", record.outcome);
            assert_eq!(record.connect.is_some(), is_first, "the connection is used again");
        }
    });
}

#[test]
fn a_stream_cut_off_beneath_the_encryption_is_truncated() {
    run(async || {
        let url = scripted_encrypted(move |mut stream| async move {
            read_request(&mut stream).await;
            let head = event_stream_head("connection: close");
            stream.write_all(format!("{head}{}", body_event!("a")).as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            // Dropped without a word: whether that was all, nobody can know.
        })
        .await;
        let record = send(&client_of(&url, &insecure()), 2).await;
        assert_eq!(failure(&record).class, FailureClass::Truncated, "{:?}", record.outcome);
        assert_eq!(content(&record), 1);
    });
}

/// What becomes of a whole answer whose end is the end of the connection, with TLS's goodbye or without.
async fn until_closed(says_goodbye: bool) -> Record {
    let url = scripted_encrypted(move |mut stream| async move {
        read_request(&mut stream).await;
        let body = r#"{"choices":[{"index":0,"message":{"content":"so"},"finish_reason":"stop"}]}"#;
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        if says_goodbye {
            stream.shutdown().await.unwrap();
        }
    })
    .await;
    let client = client_of(&url, &insecure());
    *client.send(&whole_order(&client, 2), &mut ()).await
}

#[test]
fn an_end_that_only_the_connection_tells_needs_its_goodbye() {
    run(async || {
        let record = until_closed(true).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        let record = until_closed(false).await;
        assert_eq!(failure(&record).class, FailureClass::Truncated, "{:?}", record.outcome);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_roots_measures_plain_targets_and_says_what_others_lack() {
    let name = "encrypted::a_machine_without_roots_measures_plain_targets_and_says_what_others_lack";
    if !alone(name, &[("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/nowhere")]) {
        return;
    }
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let url = format!("{}/v1/chat/completions", sim.url());
        let plain = send(&client_of(&url, &TransportPlan::default()), 2).await;
        assert!(plain.outcome.is_complete(), "{:?}", plain.outcome);

        let connector = Connector::new(&TransportPlan::default(), None, Clock::start()).unwrap();
        let who = target(&url.replace("http:", "https:"), schema::target::Dialect::OpenaiChat, "m");
        let error = transport::Client::new(connector.clone(), &who, Arc::default()).unwrap_err();
        assert_eq!(error.to_string(), "the system's TLS roots could not be used");
        let fetched = transport::fetch(&connector, &who.target.url, &[], 1 << 10).await;
        assert_eq!(fetched.unwrap_err().class, FailureClass::Tls);
    });
}
