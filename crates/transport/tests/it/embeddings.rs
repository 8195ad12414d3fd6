//! Vectors: one answer, one event, no output tokens.

use schema::event::EventKind;
use schema::record::{FailureClass, Outcome, Record, TokenCounts, TokenSource};
use schema::target::Dialect::{self, OllamaEmbed, OpenaiEmbeddings};
use tokio::io::AsyncWriteExt as _;
use transport::Order;

use crate::stage::{client_speaking, failure, json_answer, order, read_request, run, scripted};

/// What becomes of a request for vectors that is answered so; the server insists on how it is asked.
async fn embed(dialect: Dialect, body: &'static str) -> Record {
    let addr = scripted(move |mut tcp, _| async move {
        let head = read_request(&mut tcp).await;
        let asked_well = head.contains("\r\naccept: application/json\r\n");
        let answer = if asked_well { json_answer("200 OK", "", body) } else { json_answer("406 No", "", "{}") };
        tcp.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let client = client_speaking(dialect, &format!("http://{addr}/v1/embeddings"));
    // As workloads are by default: streamed. Vectors are not.
    let order = Order { keep_text: true, ..order(&client, 64) };
    assert!(order.stream && !String::from_utf8_lossy(&order.body).contains("stream"));
    *client.send(&order, &mut ()).await
}

#[track_caller]
fn check(dialect: Dialect, body: &'static str, input: Option<u64>) {
    run(async move || {
        let record = embed(dialect, body).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        let events: Vec<_> = record.events.iter().map(|event| (event.kind, event.bytes as usize)).collect();
        assert_eq!(events, [(EventKind::Embedding, body.len())]);
        let tokens = input.map(|_| TokenCounts { input, output: 0, source: TokenSource::ServerUsage });
        assert_eq!((record.tokens, record.output_hash), (tokens, None));
        assert_eq!(record.output.map(|said| said.iter().map(|piece| piece.raw().len()).sum()), Some(0));
    });
}

#[test]
fn vectors_are_one_event_and_no_tokens() {
    let openai = r#"{"data":[{"embedding":[0.1,0.2],"index":0}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#;
    check(OpenaiEmbeddings, openai, Some(8));
    check(
        OpenaiEmbeddings,
        r#"{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":3,"completion_tokens":0}}"#,
        Some(3),
    );
    check(OpenaiEmbeddings, r#"{"data":[{"embedding":[0.1]}]}"#, None);
    check(OllamaEmbed, r#"{"embeddings":[[0.1,0.2]],"total_duration":14143917,"prompt_eval_count":8}"#, Some(8));
}

#[test]
fn an_answer_without_vectors_is_empty() {
    run(async || {
        for dialect in [OpenaiEmbeddings, OllamaEmbed] {
            let record = embed(dialect, r#"{"data":[],"embeddings":[],"usage":{"prompt_tokens":8}}"#).await;
            assert_eq!(failure(&record).class, FailureClass::Empty, "{:?}", record.outcome);
        }
        let broken = embed(OpenaiEmbeddings, r#"{"data":[{"embedding":[0.1,"#).await;
        assert!(matches!(&broken.outcome, Outcome::Failed(failure) if failure.class == FailureClass::Malformed));
    });
}
