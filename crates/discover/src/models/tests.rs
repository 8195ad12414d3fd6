use jiff::civil::date;
use providers::{Ask, PriceBook, access, resolve};
use schema::plan::TransportPlan;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use transport::Clock;

use super::*;
use crate::probe::at;

pub(crate) fn connector() -> Connector {
    let plan = TransportPlan { bundled_roots: true, ..TransportPlan::default() };
    Connector::new(&plan, None, Clock::start()).unwrap()
}

/// A server that gives every request the same answer, and the requests it got.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) requests: tokio::task::JoinHandle<Vec<String>>,
}

impl Server {
    /// Answers `connections` requests with `status` and `body`, one a connection.
    pub(crate) async fn saying(status: &str, body: &str, connections: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let head = format!("HTTP/1.1 {status}\r\nx-simulated: speed-kings\r\ncontent-length: {}\r\n\r\n", body.len());
        let answer = head + body;
        let requests = tokio::spawn(async move {
            let mut requests = Vec::new();
            for _ in 0..connections {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0, "a whole request head");
                }
                requests.push(String::from_utf8(request).unwrap().to_ascii_lowercase());
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        });
        Self { url, requests }
    }
}

/// The models of `provider` at `url`, asked for with the key `canary`.
async fn models_of(provider: &str, url: &str) -> Result<Served, Failure> {
    let ask = Ask { provider, url: Some(url), model: Some("m"), ..Ask::default() };
    let env = |name: &str| name.ends_with("_API_KEY").then(|| "canary".to_owned());
    let target = resolve(&ask, &env, &PriceBook::embedded(), date(2026, 11, 22)).unwrap();
    models(&connector(), &target).await
}

#[tokio::test]
async fn a_targets_models_are_listed_with_its_key() {
    #[track_caller]
    fn check(request: &str, line: &str, header: &str) {
        assert!(request.starts_with(line) && request.contains(header), "{request}");
    }
    let list = r#"{"data":[{"id":"openai/gpt-oss-120b"},{"id":"qwen/qwen3.8-27b"}]}"#;
    for (provider, line, header) in [
        ("groq", "get /v1/models ", "authorization: bearer canary"),
        ("anthropic", "get /v1/models ", "x-api-key: canary"),
        ("ollama", "get /api/tags ", "authorization: bearer canary"),
    ] {
        let server = Server::saying("200 OK", list, 1).await;
        assert_eq!(models_of(provider, &server.url).await.unwrap().models, ["openai/gpt-oss-120b", "qwen/qwen3.8-27b"]);
        check(&server.requests.await.unwrap()[0], line, header);
    }
}

#[tokio::test]
async fn models_are_listed_before_one_is_chosen() {
    let server = Server::saying("200 OK", r#"{"data":[{"id":"m"}]}"#, 1).await;
    let ask = Ask { provider: "vllm", url: Some(&server.url), ..Ask::default() };
    let access = access(&ask, &|_| None).unwrap();
    let answer = models_at(&connector(), &access).await.unwrap();
    assert_eq!(answer, Served { models: vec!["m".to_owned()], simulated: true });
    assert!(!server.requests.await.unwrap()[0].contains("authorization"));
}

#[tokio::test]
async fn a_refusal_and_a_strange_answer_are_failures_of_their_class() {
    let refused = Server::saying("401 Unauthorized", r#"{"error":{"message":"no such key"}}"#, 1).await;
    let failure = models_of("groq", &refused.url).await.unwrap_err();
    assert_eq!((failure.class, failure.message.raw()), (FailureClass::Unauthorized, "no such key"));
    let strange = Server::saying("200 OK", "<html>hello</html>", 1).await;
    let failure = models_of("groq", &strange.url).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Malformed);
    assert!(failure.message.raw().contains("/v1/models did not answer with a list of models"));
}

#[tokio::test]
async fn an_engine_is_recognised_over_a_socket_without_showing_a_key() {
    let server = Server::saying("200 OK", r#"{"version":"0.33.0","data":[{"id":"m","owned_by":"vllm"}]}"#, 2).await;
    let found = at(&connector(), &server.url.parse().unwrap()).await.expect("an engine");
    assert_eq!((found.provider, found.simulated), ("vllm", true));
    assert_eq!(found.version.unwrap().raw(), "0.33.0");
    let requests = server.requests.await.unwrap();
    assert!(requests[0].starts_with("get /v1/models ") && requests[1].starts_with("get /version "), "{requests:?}");
    assert!(!requests.concat().contains("authorization"));
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    assert_eq!(at(&connector(), &url).await, None);
}
