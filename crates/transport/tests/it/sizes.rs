//! Bounds on what a server may send, and bytes in any portions.

use schema::event::Stamp;
use schema::plan::{SizeLimits, TransportPlan};
use schema::record::{FailureClass, Record};
use sim::{Engine, Fault, Sim};
use tokio::io::AsyncWriteExt as _;
use transport::Order;

use crate::stage::{
    ANTHROPIC, OLLAMA, SHORT_BODY, TGI, VLLM, Voice, body_event, client, client_of, content, event_stream_head,
    failure, fast, faulty, order, read_request, run, scripted, send, short_answer, stamping, whole_order,
};

/// What becomes of an answer within bounds.
async fn within(answer: String, sizes: SizeLimits) -> Record {
    let addr = scripted(move |mut tcp, _| {
        let answer = answer.clone();
        async move {
            read_request(&mut tcp).await;
            // The client may have had enough before.
            tcp.write_all(answer.as_bytes()).await.ok();
        }
    })
    .await;
    send(&client_of(&format!("http://{addr}/v1"), &TransportPlan { sizes, ..TransportPlan::default() }), 4).await
}

#[track_caller]
fn check_too_large(answer: String, sizes: SizeLimits, contents: usize) {
    run(async move || {
        let record = within(answer, sizes).await;
        assert_eq!(failure(&record).class, FailureClass::TooLarge, "{:?}", record.outcome);
        assert_eq!(content(&record), contents);
    });
}

#[test]
fn a_head_over_its_bound_is_too_large() {
    let sizes = SizeLimits { head_bytes: 16 << 10, ..SizeLimits::default() };
    check_too_large(short_answer(&format!("\r\nx-long: {}", "x".repeat(20 << 10))), sizes, 0);
    check_too_large(short_answer(&"\r\nx-many: y".repeat(200)), sizes, 0);
}

#[test]
fn an_event_over_its_bound_is_too_large() {
    let sizes = SizeLimits { event_bytes: 1 << 10, ..SizeLimits::default() };
    let long = format!("{}data: {}\n\n", body_event!("a"), "x".repeat(2 << 10));
    check_too_large(format!("{}{long}", event_stream_head("connection: close")), sizes, 1);
    let unending = format!("{}data: {}", body_event!("a"), "x".repeat(2 << 10));
    check_too_large(format!("{}{unending}", event_stream_head("connection: close")), sizes, 1);
}

#[test]
fn a_body_over_its_bound_is_too_large() {
    let sizes = SizeLimits { body_bytes: 1 << 10, ..SizeLimits::default() };
    let whole = format!("{}{}", event_stream_head("connection: close"), ": ping\n\n".repeat(1 << 10));
    check_too_large(whole, sizes, 0);
    let json = "{\"choices\": [".repeat(1 << 10);
    check_too_large(
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{json}"),
        sizes,
        0,
    );
}

#[test]
fn an_answer_of_too_many_events_is_too_large() {
    run(async move || {
        let choices = vec!["{}"; 300_000].join(",");
        let event = format!("data: {{\"choices\": [{choices}]}}\n\n");
        let answer = format!("{}{}", event_stream_head("connection: close"), event.repeat(8));
        let record = within(answer, SizeLimits::default()).await;
        assert_eq!(failure(&record).class, FailureClass::TooLarge, "{:?}", record.outcome);
        assert!(record.events.len() < 1_500_000, "{}", record.events.len());
    });
}

#[test]
fn what_keeps_to_its_bounds_completes() {
    run(async || {
        let sizes = SizeLimits { head_bytes: 8 << 10, event_bytes: 100, body_bytes: SHORT_BODY.len() as u64 };
        let record = within(short_answer(""), sizes).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert_eq!(record.response_bytes, SHORT_BODY.len() as u64);
        assert_eq!(record.headers_ns.is_some(), record.first_byte_ns.is_some());
    });
}

#[test]
fn the_reason_of_a_refusal_is_bounded() {
    run(async || {
        let reason = "because ".repeat(100_000);
        let answer = format!("HTTP/1.1 500 No\r\ncontent-length: {}\r\n\r\n{reason}", reason.len());
        let record = within(answer, SizeLimits::default()).await;
        assert_eq!(failure(&record).class, FailureClass::ServerError);
        assert!(failure(&record).message.raw().len() <= 8 << 10);
        assert!(record.response_bytes < reason.len() as u64, "reading stopped early");
    });
}

/// What an answer says, without its instants, which are also in it.
fn said(record: &Record) -> impl PartialEq + std::fmt::Debug {
    let events: Vec<_> = record.events.iter().map(|event| (event.kind, event.tokens)).collect();
    (events, record.output_hash.clone(), record.usage, record.tokens, record.outcome.clone())
}

#[track_caller]
fn check_any_portions(voice: Voice) {
    run(async move || {
        let ask = async |sim: Sim, stream: bool| {
            let client = client(&sim, voice, &TransportPlan::default());
            if stream { send(&client, 9).await } else { *client.send(&whole_order(&client, 9), &mut ()).await }
        };
        let whole = ask(Sim::start(fast(voice.engine)).unwrap(), true).await;
        assert!(whole.outcome.is_complete(), "{:?}", whole.outcome);
        let bytewise = ask(Sim::start(faulty(voice.engine, Fault::OneByteWrites)).unwrap(), true).await;
        assert_eq!(said(&whole), said(&bytewise));
        let counted = whole.usage.unwrap();
        assert_eq!((counted.output_tokens, whole.tokens.unwrap().output), (Some(9), 9));
        if voice.path != TGI.path {
            let one_piece = ask(Sim::start(fast(voice.engine)).unwrap(), false).await;
            assert_eq!((&one_piece.output_hash, one_piece.usage), (&whole.output_hash, whole.usage));
        }
    });
}

#[test]
fn however_the_bytes_come_the_answer_is_the_same() {
    for voice in [VLLM, TGI, OLLAMA, ANTHROPIC] {
        check_any_portions(voice);
    }
}

#[test]
fn an_informational_answer_before_the_real_one_is_passed_over() {
    run(async || {
        let answer = format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{}", short_answer(""));
        let record = within(answer, SizeLimits::default()).await;
        assert!(record.outcome.is_complete(), "{:?}", record.outcome);
        assert_eq!(record.status, Some(200));
    });
}

#[test]
fn a_success_that_is_no_answer_is_an_unexpected_status() {
    run(async || {
        for head in ["HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}", "HTTP/1.1 204 No Content\r\n\r\n"] {
            let record = within(head.to_owned(), SizeLimits::default()).await;
            assert_eq!(failure(&record).class, FailureClass::UnexpectedStatus, "{:?}", record.outcome);
        }
    });
}

#[test]
fn a_request_larger_than_the_sockets_buffers_is_sent_whole() {
    run(async || {
        let _stamps = stamping().await;
        let addr = scripted(|mut tcp, _| async move {
            for _ in 0..2 {
                read_request(&mut tcp).await;
                tcp.write_all(short_answer("").as_bytes()).await.unwrap();
            }
        })
        .await;
        let client = client_of(&format!("http://{addr}/v1"), &TransportPlan::default());
        for _ in 0..2 {
            let large = Order { body: vec![b'x'; 16 << 20].into(), ..order(&client, 4) };
            let record = client.send(&large, &mut ()).await;
            assert!(record.outcome.is_complete(), "{:?}", record.outcome);
            assert_eq!(record.request_bytes, 16 << 20);
            assert!(record.start_ns <= record.first_byte_ns);
            if cfg!(target_os = "linux") {
                assert!(record.events.iter().all(|event| event.stamp == Stamp::Kernel), "{:?}", record.events);
            }
        }
    });
}

#[test]
fn the_simulated_engine_is_asked_for_what_it_serves() {
    run(async || {
        let sim = Sim::start(fast(Engine::Vllm)).unwrap();
        let record = send(&client(&sim, VLLM, &TransportPlan::default()), 5).await;
        assert_eq!((record.index, record.block, record.prompt, record.max_tokens), (7, 1, 3, 5));
        assert_eq!(record.output, None, "text is kept only where asked for");
    });
}
