//! Side endpoints, and secrets.

use std::sync::{Arc, Mutex};

use schema::plan::{HttpChoice, TimeLimits, TransportPlan};
use schema::record::FailureClass;
use schema::target::{AuthScheme, Dialect};
use schema::units::Nanos;
use secrecy::SecretString;
use sim::{Config, Engine, Sim};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use transport::{Client, Clock, Connector, Proxy, fetch};

use crate::encrypted::{encrypted, insecure};
use crate::stage::{failure, fast, order, read_request, run, scripted, send, short_answer, target};

fn connector(plan: &TransportPlan) -> Connector {
    Connector::new(plan, None, Clock::start()).unwrap()
}

#[test]
fn a_side_endpoint_is_fetched_with_its_status() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let connector = connector(&TransportPlan::default());
        let url = |path: &str| format!("{}{path}", sim.url()).parse().unwrap();
        let models = fetch(&connector, &url("/v1/models"), &[], 64 << 10).await.unwrap();
        assert_eq!((models.status, wire::decode_models(&models.body).unwrap()), (200, vec!["sim-vllm".to_owned()]));
        assert_eq!(models.headers["x-simulated"], "speed-kings");
        let nothing = fetch(&connector, &url("/nowhere?a=b"), &[], 64 << 10).await.unwrap();
        assert_eq!(nothing.status, 404);
        let small = fetch(&connector, &url("/v1/models"), &[], 10).await.unwrap_err();
        assert_eq!(small.class, FailureClass::TooLarge);
    });
}

#[test]
fn a_side_endpoint_is_fetched_over_tls() {
    run(async || {
        let (_sim, url) = encrypted(&["http/1.1"]).await;
        let url = url.replace("chat/completions", "models").parse().unwrap();
        let fetched = fetch(&connector(&insecure()), &url, &[], 64 << 10).await.unwrap();
        assert_eq!(fetched.status, 200);
        let refused = fetch(&connector(&TransportPlan::default()), &url, &[], 64 << 10).await.unwrap_err();
        assert_eq!(refused.class, FailureClass::Tls);
        let http2 = TransportPlan { http: HttpChoice::Http2, ..insecure() };
        assert_eq!(fetch(&connector(&http2), &url, &[], 64 << 10).await.unwrap_err().class, FailureClass::Tls);
    });
}

#[test]
fn a_side_endpoint_that_says_nothing_is_given_up() {
    run(async || {
        for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"] {
            let addr = scripted(move |mut tcp, _| async move {
                read_request(&mut tcp).await;
                tcp.write_all(said.as_bytes()).await.unwrap();
                tcp.read_to_end(&mut Vec::new()).await.unwrap();
            })
            .await;
            let limits = TimeLimits { first_token_ns: Nanos::from_millis(100), ..TimeLimits::default() };
            let connector = connector(&TransportPlan { limits, ..TransportPlan::default() });
            let url = format!("http://{addr}/").parse().unwrap();
            let error = fetch(&connector, &url, &[], 1 << 10).await.unwrap_err();
            assert_eq!(error.class, FailureClass::FirstTokenTimeout, "{said:?}");
        }
    });
}

#[track_caller]
fn check_broken_fetch(answer: &'static str, class: FailureClass) {
    run(async move || {
        let addr = scripted(move |mut tcp, _| async move {
            read_request(&mut tcp).await;
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let url = format!("http://{addr}/").parse().unwrap();
        let error = fetch(&connector(&TransportPlan::default()), &url, &[], 1 << 10).await.unwrap_err();
        assert_eq!(error.class, class, "{error:?}");
    });
}

#[test]
fn a_broken_answer_to_a_fetch_has_its_class() {
    check_broken_fetch("", FailureClass::ClosedEarly);
    check_broken_fetch("HTTP/banana\r\n\r\n", FailureClass::Malformed);
    check_broken_fetch("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", FailureClass::Truncated);
    check_broken_fetch("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5z\r\n", FailureClass::Malformed);
}

const CANARY: &str = "sk-canary-7f3a";

#[test]
fn a_key_is_shown_to_its_server_and_to_nobody_else() {
    run(async || {
        let config = Config { require_key: Some(CANARY.into()), ..fast(Engine::OpenAi) };
        let sim = Sim::start(config).unwrap();
        for (auth, dialect, path) in [
            (AuthScheme::Bearer, Dialect::OpenaiChat, "/v1/chat/completions"),
            (AuthScheme::XApiKey, Dialect::Anthropic, "/v1/messages"),
        ] {
            let mut who = target(&format!("{}{path}", sim.url()), dialect, "sim-openai");
            who.target.auth = auth;
            let proxy = Proxy {
                host: "127.0.0.1".into(),
                port: 9,
                credentials: Some(SecretString::from(CANARY)),
                bypass: Vec::new(),
            };
            let connector = Connector::new(&TransportPlan::default(), Some(proxy.clone()), Clock::start()).unwrap();
            let without = Client::new(connector.clone(), &who, Arc::default()).unwrap();
            assert_eq!(failure(&send(&without, 4).await).class, FailureClass::Unauthorized);

            who.key = Some(CANARY.into());
            let client = Client::new(connector.clone(), &who, Arc::default()).unwrap();
            let record = send(&client, 4).await;
            assert!(record.outcome.is_complete(), "{:?}", record.outcome);
            let shown = format!("{client:?} {connector:?} {proxy:?} {:?} {record:?}", order(&client, 4));
            assert!(!shown.contains("canary"), "{shown}");
        }
    });
}

#[test]
fn a_request_says_who_asks_and_what_it_accepts() {
    run(async || {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&heads);
        let addr = scripted(move |mut tcp, _| {
            let keep = Arc::clone(&keep);
            async move {
                let head = read_request(&mut tcp).await;
                keep.lock().unwrap().push(head);
                tcp.write_all(short_answer("").as_bytes()).await.unwrap();
            }
        })
        .await;
        let mut who = target(&format!("http://{addr}/v1/x?version=2"), Dialect::OpenaiChat, "m");
        who.target.headers = vec![("x-own".to_owned(), "yes".to_owned())];
        let client = Client::new(connector(&TransportPlan::default()), &who, Arc::default()).unwrap();
        assert!(send(&client, 4).await.outcome.is_complete());
        let head = heads.lock().unwrap()[0].clone();
        assert!(head.starts_with("post /v1/x?version=2 http/1.1\r\n"), "{head}");
        for line in [
            &format!("host: {addr}"),
            "accept: text/event-stream",
            "content-type: application/json",
            "x-own: yes",
            concat!("user-agent: speed-kings/", env!("CARGO_PKG_VERSION")),
        ] {
            assert!(head.contains(&format!("\r\n{line}\r\n")), "{line}: {head}");
        }
    });
}
