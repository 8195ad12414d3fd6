//! What a server publishes of its limits, and when it asks us to come back.

use schema::record::{FailureClass, Limit, RateLimits, Record, ServerTiming, Usage};
use schema::units::Nanos;
use tokio::io::AsyncWriteExt as _;
use transport::Order;

use crate::stage::{client_speaking, failure, json_answer, order, read_request, run, scripted, short_answer};
use schema::target::Dialect;

/// What becomes of a request that is answered so.
async fn answered(answer: String) -> Record {
    let addr = scripted(move |mut tcp, _| {
        let answer = answer.clone();
        async move {
            read_request(&mut tcp).await;
            tcp.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let client = client_speaking(Dialect::OpenaiChat, &format!("http://{addr}/v1"));
    let order = Order { keep_text: true, ..order(&client, 4) };
    *client.send(&order, &mut ()).await
}

const PUBLISHED: &str = "\r\nx-ratelimit-limit-requests: 60\r\nx-ratelimit-remaining-requests: 0\
                         \r\nx-ratelimit-reset-requests: 2m\r\nx-ratelimit-remaining-tokens: 900";

fn published() -> RateLimits {
    let requests = Limit { limit: Some(60), remaining: Some(0), reset_ns: Some(Nanos::from_secs(120)) };
    RateLimits { requests: Some(requests), tokens: Some(Limit { remaining: Some(900), ..Limit::default() }) }
}

#[test]
fn limits_are_kept_of_answers_and_of_refusals_alike() {
    run(async || {
        let good = answered(short_answer(PUBLISHED)).await;
        assert!(good.outcome.is_complete(), "{:?}", good.outcome);
        assert_eq!(good.limits, Some(published()));
        let refused = answered(json_answer("429 Too Many Requests", PUBLISHED, "{}")).await;
        assert_eq!(refused.limits, Some(published()));
        assert_eq!(failure(&refused).retry_after_ns, Some(Nanos::from_secs(120)), "until what is used up is whole");
        assert_eq!(answered(short_answer("")).await.limits, None);
    });
}

#[test]
fn what_a_head_said_is_kept_however_its_answer_ends() {
    const SAID: &str = "\r\nx-request-id: seven\r\nx-prompt-tokens: 42\r\nx-queue-time: 6";
    run(async || {
        let refused = json_answer("429 Too Many Requests", SAID, "{}");
        let broken = json_answer("200 OK", SAID, "{}").replace("content-length: 2", "content-length: 3");
        let garbled = short_answer(SAID).replace("data: [DONE]", "data: {DONE]");
        let answers = [
            (short_answer(SAID), 200, None),
            (refused, 429, Some(FailureClass::RateLimited)),
            (broken, 200, Some(FailureClass::Truncated)),
            (garbled, 200, Some(FailureClass::Malformed)),
        ];
        for (answer, status, class) in answers {
            let record = answered(answer).await;
            let failed = class.map(|_| failure(&record).class);
            assert_eq!((record.status, failed, record.outcome.is_complete()), (Some(status), class, class.is_none()));
            assert_eq!(record.request_id.unwrap().raw(), "seven");
            assert_eq!(record.usage, Some(Usage { input_tokens: Some(42), ..Usage::default() }));
            let queue_ns = Some(Nanos::from_millis(6));
            assert_eq!(record.server, Some(ServerTiming { queue_ns, ..ServerTiming::default() }));
        }
        let silent = answered(json_answer("429 Too Many Requests", "", "{}")).await;
        assert_eq!((silent.request_id, silent.usage, silent.server, silent.tokens), (None, None, None, None));
    });
}

#[test]
fn a_reset_at_an_instant_becomes_a_wait() {
    run(async || {
        let header = |year: u32| format!("\r\nanthropic-ratelimit-requests-reset: {year}-01-01T00:00:00Z");
        let reset = async |year| answered(short_answer(&header(year))).await.limits.unwrap().requests.unwrap().reset_ns;
        assert_eq!(reset(2020).await, Some(Nanos::ZERO), "it has passed");
        assert!(reset(2999).await > Some(Nanos::from_secs(365 * 24 * 3600)));
    });
}

#[test]
fn whoever_is_asked_to_come_back_is_told_when_whatever_the_refusal() {
    run(async || {
        for (status, class) in [
            ("429 Too Many Requests", FailureClass::RateLimited),
            ("503 Service Unavailable", FailureClass::Overloaded),
            ("529 Overloaded", FailureClass::Overloaded),
            ("500 Internal Server Error", FailureClass::ServerError),
        ] {
            let record = answered(json_answer(status, "\r\nretry-after: 7", r#"{"error":{"message":"later"}}"#)).await;
            assert_eq!((failure(&record).class, failure(&record).message.raw()), (class, "later"));
            assert_eq!(failure(&record).retry_after_ns, Some(Nanos::from_secs(7)), "{status}");
        }
        let dated = json_answer("503 Unavailable", "\r\nretry-after: Wed, 01 Jan 2020 00:00:00 GMT", "{}");
        assert_eq!(failure(&answered(dated).await).retry_after_ns, Some(Nanos::ZERO));
    });
}

#[test]
fn the_text_of_an_answer_without_usage_is_kept_whole_where_it_is_asked_for() {
    run(async || {
        let kept = |record: Record| {
            assert_eq!(record.usage, None);
            record.output.unwrap().iter().map(|piece| piece.raw().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kept(answered(short_answer("")).await), ["so", "", ""]);
        let long = "word ".repeat(100_000);
        let body = format!(r#"{{"choices":[{{"message":{{"content":"{long}"}},"finish_reason":"stop"}}]}}"#);
        assert_eq!(kept(answered(json_answer("200 OK", "", &body)).await), [long]);
        let call =
            r#"{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}"#;
        assert_eq!(kept(answered(json_answer("200 OK", "", call)).await), ["f{}"]);
    });
}
