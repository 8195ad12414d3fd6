//! Proxies: TLS targets through CONNECT, and nothing else.

use std::sync::{Arc, Mutex};

use schema::plan::TransportPlan;
use schema::record::FailureClass;
use secrecy::SecretString;
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;
use transport::Proxy;

use crate::encrypted::{encrypted, insecure};
use crate::stage::{client_through, content, failure, read_request, run, scripted, send};

/// A name that only the proxy knows.
const URL: &str = "https://sim.test:8443/v1/chat/completions";

/// A proxy that answers `answer`, and then tunnels to `to` whatever it was asked for; with it, what it was asked.
async fn proxy(answer: &'static str, to: Option<String>) -> (Proxy, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&asked);
    let addr = scripted(move |mut tcp, _| {
        let (heads, to) = (Arc::clone(&heads), to.clone());
        async move {
            let head = read_request(&mut tcp).await;
            heads.lock().unwrap().push(head);
            // The client may leave in the middle of an answer that is too long.
            tcp.write_all(answer.as_bytes()).await.ok();
            if let Some(to) = to {
                let mut server = TcpStream::connect(to).await.unwrap();
                copy_bidirectional(&mut tcp, &mut server).await.ok();
            }
        }
    })
    .await;
    let proxy = Proxy { host: "127.0.0.1".into(), port: addr.port(), credentials: None, bypass: Vec::new() };
    (proxy, asked)
}

fn authority(url: &str) -> Option<String> {
    Some(url.strip_prefix("https://")?.split('/').next()?.to_owned())
}

#[test]
fn a_tls_target_is_reached_through_the_proxy_which_resolves_its_name() {
    run(async || {
        let (_sim, url) = encrypted(&["http/1.1"]).await;
        let (mut proxy, asked) = proxy("HTTP/1.1 200 Connection established\r\nvia: a\r\n\r\n", authority(&url)).await;
        proxy.credentials = Some(SecretString::from("me:canary"));
        let client = client_through(URL, &insecure(), Some(proxy));
        let record = send(&client, 4).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert_eq!(content(&record), 4);
        assert!(record.connect.unwrap().tls_ns.is_some());
        assert_eq!(send(&client, 4).await.connect, None, "the tunnel is kept");

        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 1);
        assert!(asked[0].starts_with("connect sim.test:8443 http/1.1\r\nhost: sim.test:8443\r\n"), "{}", asked[0]);
        // `me:canary` in Base64, in small letters as all the head is here.
        assert!(asked[0].contains("proxy-authorization: basic bwu6y2fuyxj5\r\n"), "{}", asked[0]);
    });
}

#[track_caller]
fn check_refused(answer: &'static str, message: &'static str) {
    run(async move || {
        let (proxy, _) = proxy(answer, None).await;
        let record = send(&client_through(URL, &insecure(), Some(proxy)), 4).await;
        assert_eq!(failure(&record).class, FailureClass::Proxy, "{:?}", record.outcome);
        assert!(failure(&record).message.raw().contains(message), "{:?}", record.outcome);
        assert_eq!(record.start_ns, None);
    });
}

#[test]
fn a_proxy_that_does_not_tunnel_is_told_apart() {
    const LONG: &str = concat!("HTTP/1.1 200 OK\r\nx: ", "long ");
    check_refused("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication Required");
    check_refused("HTTP/1.1 502 Bad Gateway\r\n\r\n", "502 Bad Gateway");
    check_refused("SSH-2.0-OpenSSH\r\n\r\n", "SSH-2.0-OpenSSH");
    check_refused("HTTP/1.1 200 OK\r\n", "");
    check_refused("", "");
    check_refused(Box::leak(LONG.repeat(2_000).into_boxed_str()), "longer than 8 KiB");
}

#[test]
fn a_proxy_that_is_not_there_is_a_refused_connection() {
    run(async || {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = socket.local_addr().unwrap().port();
        let proxy = Proxy { host: "127.0.0.1".into(), port, credentials: None, bypass: Vec::new() };
        let record = send(&client_through(URL, &insecure(), Some(proxy)), 4).await;
        assert_eq!(failure(&record).class, FailureClass::ConnectRefused, "{:?}", record.outcome);
    });
}

#[test]
fn plain_loopback_and_bypassed_targets_never_meet_the_proxy() {
    run(async || {
        let (sim, url) = encrypted(&["http/1.1"]).await;
        let (mut proxy, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n", authority(&url)).await;
        proxy.bypass = vec!["nonexistent.invalid".into()];
        let loopback = send(&client_through(&url, &insecure(), Some(proxy.clone())), 4).await;
        assert!(loopback.outcome.is_complete(), "{:?}", loopback.outcome);
        let plain = format!("{}/v1/chat/completions", sim.url());
        let plain = send(&client_through(&plain, &TransportPlan::default(), Some(proxy.clone())), 4).await;
        assert!(plain.outcome.is_complete(), "{:?}", plain.outcome);
        let bypassed = send(&client_through("https://api.nonexistent.invalid/", &insecure(), Some(proxy)), 4).await;
        assert_eq!(failure(&bypassed).class, FailureClass::Dns, "it was looked up here");
        assert!(asked.lock().unwrap().is_empty());
    });
}
