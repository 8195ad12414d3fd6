use schema::record::FailureClass::{
    BadRequest, ErrorInStream, Forbidden, NotFound, Overloaded, QuotaExhausted, RateLimited, ServerError as Failed,
    Unauthorized, UnexpectedStatus,
};

use super::*;

/// Message, kind and code of a body.
#[track_caller]
fn check(body: &str, message: &str, kind: Option<&str>, code: Option<&str>) {
    let error = decode_error(418, body.as_bytes());
    assert_eq!((error.message.raw(), error.kind.as_deref(), error.code.as_deref()), (message, kind, code), "{body}");
    assert_eq!(error.status, Some(418));
}

#[test]
fn bodies_of_every_shape_are_read() {
    check(
        r#"{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}"#,
        "Rate limit reached",
        Some("tokens"),
        Some("rate_limit_exceeded"),
    );
    check(
        r#"{"object":"error","message":"no","type":"BadRequestError","param":null,"code":400}"#,
        "no",
        Some("BadRequestError"),
        Some("400"),
    );
    check(
        r#"{"error":"Model is overloaded","error_type":"overloaded"}"#,
        "Model is overloaded",
        Some("overloaded"),
        None,
    );
    check(r#"{"detail":"Not Found"}"#, "Not Found", None, None);
    check(r#"{"detail":[{"loc":["body","n"],"msg":"Input should be 1","type":"x"}]}"#, "Input should be 1", None, None);
    check(r#"{"message":"no credit"}"#, "no credit", None, None);
    check(
        r#"[{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED"}}]"#,
        "quota",
        Some("RESOURCE_EXHAUSTED"),
        Some("429"),
    );
    check(
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req"}"#,
        "Overloaded",
        Some("overloaded_error"),
        None,
    );
    check(
        r#"{"error":{"code":429,"message":"Provider returned error","metadata":{"error_type":"rate_limit_exceeded"}}}"#,
        "Provider returned error",
        None,
        Some("429"),
    );
    check(r#""just text""#, "just text", None, None);
}

#[test]
fn text_and_pages_are_messages_too() {
    check("Failed to parse the request body as JSON", "Failed to parse the request body as JSON", None, None);
    check(
        "<html>\r\n<head><title>502 Bad Gateway</title><style>a{b}</style></head><body><h1>502 Bad Gateway</h1><script>x<y</script></body></html>",
        "502 Bad Gateway 502 Bad Gateway",
        None,
        None,
    );
}

#[test]
fn a_body_without_words_gives_the_status() {
    for body in ["", "  \n", "{}", "null", "[]", r#"{"error":null}"#, r#"{"error":{}}"#, "<br>"] {
        let error = decode_error(503, body.as_bytes());
        assert_eq!(error.message.raw(), "status 503 without a message", "{body}");
    }
}

#[test]
fn hostile_bodies_are_bounded_and_cleaned() {
    let error = decode_error(
        400,
        format!(r#"{{"error":{{"message":"{}","type":"\u001b[2J"}}}}"#, "x".repeat(9_000)).as_bytes(),
    );
    assert!(error.message.raw().len() < 4_200);
    assert_eq!(error.kind.as_deref(), Some("\u{FFFD}[2J"));
    assert_eq!(decode_error(500, b"\xff\xfe bad").message.raw(), "\u{FFFD}\u{FFFD} bad");
    assert!(!decode_error(500, &b"[".repeat(100_000)).message.raw().is_empty());
}

#[test]
fn inside_a_stream_the_body_names_the_status() {
    let status = |text: &str| in_stream(text).status;
    assert_eq!(status(r#"{"error":{"message":"x","http_status_code":422}}"#), Some(422));
    assert_eq!(status(r#"{"error":{"message":"x","code":"503"}}"#), Some(503));
    assert_eq!(status(r#"{"error":{"message":"x"},"status_code":429}"#), Some(429));
    assert_eq!(status(r#"{"error":{"message":"x","code":7}}"#), None);
    assert_eq!(in_stream("not JSON").message.raw(), "not JSON");
}

#[test]
fn google_says_how_long_to_wait_and_which_quota() {
    let body = r#"{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
        {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}]}}"#;
    let error = decode_error(429, body.as_bytes());
    assert_eq!(error.retry_after, Some(Nanos::from_millis(34_500)));
    assert_eq!(classify_status(429, &error), QuotaExhausted);
    let per_minute = decode_error(429, body.replace("PerDay", "PerMinute").as_bytes());
    assert_eq!(classify_status(429, &per_minute), RateLimited);
}

#[track_caller]
fn class(status: u16, body: &str, expected: FailureClass) {
    assert_eq!(classify_status(status, &decode_error(status, body.as_bytes())), expected, "{status} {body}");
}

#[test]
fn a_status_has_its_class() {
    for (status, expected) in [
        (200, ErrorInStream),
        (301, UnexpectedStatus),
        (400, BadRequest),
        (401, Unauthorized),
        (402, QuotaExhausted),
        (403, Forbidden),
        (404, NotFound),
        (405, BadRequest),
        (408, UnexpectedStatus),
        (413, BadRequest),
        (422, BadRequest),
        (424, Failed),
        (429, RateLimited),
        (451, UnexpectedStatus),
        (500, Failed),
        (502, Failed),
        (503, Overloaded),
        (504, Failed),
        (529, Overloaded),
        (700, UnexpectedStatus),
    ] {
        class(status, "", expected);
    }
}

#[test]
fn words_say_more_than_a_status() {
    class(429, r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#, QuotaExhausted);
    class(429, r#"{"error":{"message":"m","type":"tokens","code":"rate_limit_exceeded"}}"#, RateLimited);
    class(429, r#"{"error":"Model is overloaded","error_type":"overloaded"}"#, RateLimited);
    class(
        400,
        r#"{"error":{"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}"#,
        Unauthorized,
    );
    class(
        400,
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
        QuotaExhausted,
    );
    class(400, r#"{"error":{"message":"m","code":"model_not_found"}}"#, NotFound);
    class(403, r#"{"error":{"message":"m","type":"billing_error"}}"#, QuotaExhausted);
    class(401, r#"{"error":{"message":"m","code":"insufficient_quota"}}"#, Unauthorized);
    class(500, r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, Overloaded);
    class(413, r#"{"error":{"message":"Request too large","type":"tokens","code":"rate_limit_exceeded"}}"#, BadRequest);
}
