use super::*;

fn read(headers: &[(&str, &str)]) -> HeaderFacts {
    read_headers(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
}

const fn millis(ms: u64) -> Nanos {
    Nanos::from_millis(ms)
}

#[test]
fn tgi_times_in_headers() {
    let facts = read(&[
        ("x-compute-time", "0.437146106"),
        ("x-total-time", "437"),
        ("x-queue-time", "6"),
        ("x-inference-time", "429"),
        ("x-prompt-tokens", "42"),
        ("x-generated-tokens", "7"),
    ]);
    let timing = ServerTiming {
        queue_ns: Some(millis(6)),
        decode_ns: Some(millis(429)),
        total_ns: Some(millis(437)),
        ..Default::default()
    };
    assert_eq!(facts.timing, timing);
    assert_eq!(facts.usage, Usage { input_tokens: Some(42), output_tokens: Some(7), ..Usage::default() });
}

#[test]
fn fireworks_times_in_headers() {
    let facts = read(&[
        ("Fireworks-Prompt-Tokens", "11"),
        ("fireworks-cached-prompt-tokens", "3"),
        ("fireworks-server-time-to-first-token", "0.12"),
        ("fireworks-server-processing-time", "0.9"),
        ("fireworks-prefill-queue-duration", "0.01"),
        ("fireworks-generation-queue-duration", "0.02"),
        ("fireworks-backend-host", "h"),
    ]);
    let timing = ServerTiming {
        queue_ns: Some(millis(30)),
        ttft_ns: Some(millis(120)),
        total_ns: Some(millis(900)),
        ..Default::default()
    };
    assert_eq!(facts.timing, timing);
    assert_eq!(facts.usage, Usage { input_tokens: Some(11), cached_input_tokens: Some(3), ..Usage::default() });
}

#[test]
fn openai_times_whole_answers_and_only_the_head_of_streams() {
    let whole = read(&[("openai-processing-ms", "250"), ("content-type", "application/json")]);
    assert_eq!(whole.timing, ServerTiming { total_ns: Some(millis(250)), ..Default::default() });
    let stream = read(&[("openai-processing-ms", "250"), ("content-type", "text/event-stream; charset=utf-8")]);
    assert!(stream.timing.is_empty());
}

#[test]
fn figures_that_make_no_sense_are_ignored() {
    let facts = read(&[
        ("x-total-time", "-1"),
        ("x-queue-time", "soon"),
        ("x-inference-time", "inf"),
        ("x-prompt-tokens", "1e99"),
        ("fireworks-server-processing-time", "NaN"),
        ("retry-after", "whenever"),
        ("x-request-id", ""),
    ]);
    assert_eq!(facts, HeaderFacts::default());
    let bytes: &[u8] = b"\xff";
    assert_eq!(read_headers([("x-request-id", bytes)].into_iter()), HeaderFacts::default());
}

#[test]
fn the_best_known_request_id_wins() {
    let id = |headers: &[(&str, &str)]| read(headers).request_id.map(|id| id.raw().to_owned());
    assert_eq!(id(&[("request-id", "r"), ("X-Request-Id", "x"), ("x-generation-id", "g")]).as_deref(), Some("x"));
    assert_eq!(id(&[("cf-ray", "c"), ("request-id", "r")]).as_deref(), Some("r"));
    assert_eq!(id(&[("X-Generation-Id", "gen-1")]).as_deref(), Some("gen-1"));
    assert_eq!(id(&[("x-request-id", &"x".repeat(999))]).map(|id| id.len()), Some(203));
}

/// The wait that these headers mean on 1 November 2026 at noon, in milliseconds.
#[track_caller]
fn check_wait(headers: &[(&str, &str)], expected: Option<u64>) {
    let noon = "2026-11-01T12:00:00Z".parse().unwrap();
    let wait = read(headers).retry_after.map(|retry| retry.from_now(noon));
    assert_eq!(wait, expected.map(Nanos::from_millis), "{headers:?}");
}

#[test]
fn retry_after_is_seconds_milliseconds_or_a_date() {
    check_wait(&[("Retry-After", "7")], Some(7_000));
    check_wait(&[("retry-after", "0.5")], Some(500));
    check_wait(&[("retry-after", "Sun, 01 Nov 2026 12:00:30 GMT")], Some(30_000));
    check_wait(&[("retry-after", "Sun, 01 Nov 2026 11:00:00 GMT")], Some(0));
    check_wait(&[("retry-after", "1"), ("retry-after-ms", "1500")], Some(1_500));
    check_wait(&[("retry-after", "-1")], None);
    check_wait(&[], None);
}

#[test]
fn the_latest_reset_of_a_limit_used_up_is_waited_for() {
    check_wait(
        &[
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "2m59.56s"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "7.66s"),
            ("x-ratelimit-remaining-requests-day", "100"),
            ("x-ratelimit-reset-requests-day", "33011.38"),
        ],
        Some(179_560),
    );
    check_wait(&[("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "1s")], None);
    check_wait(&[("retry-after", "1"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")], Some(1_000));
}

#[test]
fn resets_come_in_five_formats() {
    for (value, expected) in [
        ("12.3", 12_300),
        ("6ms", 6),
        ("1h2m3.5s", 3_723_500),
        ("1d", 86_400_000),
        ("1793534410", 10_000),
        ("1793534410500", 10_500),
        ("2026-11-01T12:00:20Z", 20_000),
    ] {
        check_wait(&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", value)], Some(expected));
    }
    for value in ["", "soon", "5 parsecs", "s", "1.2.3s", "1e300", "-5"] {
        check_wait(&[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", value)], None);
    }
    check_wait(
        &[
            ("anthropic-ratelimit-tokens-remaining", "0"),
            ("anthropic-ratelimit-tokens-reset", "2026-11-01T12:00:05Z"),
            ("anthropic-ratelimit-requests-remaining", "9"),
            ("anthropic-ratelimit-requests-reset", "2026-11-01T13:00:00Z"),
        ],
        Some(5_000),
    );
}
