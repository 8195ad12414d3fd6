use proptest::prelude::*;

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
    assert_eq!(wait.map(|wait| wait.0 / 1_000_000), expected, "{headers:?}");
}

#[test]
fn retry_after_is_seconds_milliseconds_or_a_date() {
    check_wait(&[("Retry-After", "7")], Some(7_000));
    check_wait(&[("retry-after", "0.5")], Some(500));
    check_wait(&[("retry-after", "Sun, 01 Nov 2026 12:00:30 GMT")], Some(30_000));
    check_wait(&[("retry-after", "Sun, 01 Nov 2026 11:00:00 GMT")], Some(0));
    check_wait(&[("retry-after", "Thu, 01 Nov 9900 12:00:00 GMT")], Some(u64::MAX / 1_000_000));
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

/// What is published, as `remaining of limit, whole again in milliseconds` on 1 November 2026 at noon; `-` is not said.
fn show_limit(limit: Option<Limit>) -> String {
    let say = |said: Option<u64>| said.map_or_else(|| "-".to_owned(), |said| said.to_string());
    limit.map_or_else(String::new, |limit| {
        let reset = limit.reset_ns.map(|wait| wait.0 / 1_000_000);
        format!("{} of {}, {}", say(limit.remaining), say(limit.limit), say(reset))
    })
}

#[track_caller]
fn check_limits(headers: &[(&str, &str)], requests: &str, tokens: &str) {
    let limits = read(headers).limits.at("2026-11-01T12:00:00Z".parse().unwrap());
    assert_eq!((show_limit(limits.requests).as_str(), show_limit(limits.tokens).as_str()), (requests, tokens));
}

#[test]
fn limits_are_read_as_every_provider_writes_them() {
    // OpenAI, Groq (whose requests are a day's and whose tokens are a minute's).
    check_limits(
        &[
            ("x-ratelimit-limit-requests", "14400"),
            ("X-RateLimit-Remaining-Requests", "14370"),
            ("x-ratelimit-reset-requests", "2m59.56s"),
            ("x-ratelimit-limit-tokens", "18000"),
            ("x-ratelimit-remaining-tokens", "17997"),
            ("x-ratelimit-reset-tokens", "7.66s"),
        ],
        "14370 of 14400, 179560",
        "17997 of 18000, 7660",
    );
    // Cerebras.
    check_limits(
        &[
            ("x-ratelimit-limit-requests-day", "1000"),
            ("x-ratelimit-remaining-requests-day", "900"),
            ("x-ratelimit-reset-requests-day", "33011.382867"),
            ("x-ratelimit-limit-requests-minute", "30"),
            ("x-ratelimit-remaining-requests-minute", "3"),
            ("x-ratelimit-reset-requests-minute", "11.382867"),
            ("x-ratelimit-limit-tokens-minute", "60000"),
            ("x-ratelimit-remaining-tokens-minute", "59000"),
            ("x-ratelimit-reset-tokens-minute", "11.5"),
        ],
        "3 of 30, 11382",
        "59000 of 60000, 11500",
    );
    // SambaNova.
    check_limits(
        &[
            ("x-ratelimit-limit-requests", "20"),
            ("x-ratelimit-remaining-requests", "19"),
            ("x-ratelimit-reset-requests", "1793534410"),
            ("x-ratelimit-limit-requests-day", "400"),
            ("x-ratelimit-remaining-requests-day", "100"),
        ],
        "100 of 400, -",
        "",
    );
    // Anthropic: the tightest of three kinds of tokens.
    check_limits(
        &[
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-01T12:00:01Z"),
            ("anthropic-ratelimit-input-tokens-limit", "50000"),
            ("anthropic-ratelimit-input-tokens-remaining", "50000"),
            ("anthropic-ratelimit-input-tokens-reset", "2026-11-01T12:00:00Z"),
            ("anthropic-ratelimit-output-tokens-limit", "10000"),
            ("anthropic-ratelimit-output-tokens-remaining", "2000"),
            ("anthropic-ratelimit-output-tokens-reset", "2026-11-01T12:00:48Z"),
            ("anthropic-ratelimit-tokens-limit", "60000"),
            ("anthropic-ratelimit-tokens-remaining", "52000"),
        ],
        "49 of 50, 1000",
        "2000 of 10000, 48000",
    );
    // Fireworks, which says of nothing when it is whole again.
    check_limits(
        &[
            ("x-ratelimit-limit-requests", "600"),
            ("x-ratelimit-remaining-requests", "599"),
            ("x-ratelimit-limit-tokens-prompt", "60000"),
            ("x-ratelimit-remaining-tokens-prompt", "59000"),
            ("x-ratelimit-limit-tokens-generated", "6000"),
            ("x-ratelimit-remaining-tokens-generated", "3000"),
            ("x-ratelimit-limit-tokens-cache-adjusted-prompt", "50000"),
            ("x-ratelimit-remaining-tokens-cache-adjusted-prompt", "20000"),
            ("x-ratelimit-over-limit", "no"),
        ],
        "599 of 600, -",
        "20000 of 50000, -",
    );
    // Together.
    check_limits(
        &[
            ("x-ratelimit-limit", "10"),
            ("x-ratelimit-remaining", "9"),
            ("x-ratelimit-reset", "1"),
            ("x-ratelimit-limit-dynamic", "8"),
            ("x-ratelimit-remaining-dynamic", "6"),
            ("x-tokenlimit-limit", "3000"),
            ("x-tokenlimit-remaining", "2960"),
        ],
        "6 of 8, -",
        "2960 of 3000, -",
    );
    // OpenRouter, in Unix milliseconds.
    check_limits(
        &[("X-RateLimit-Limit", "20"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1793534460000")],
        "0 of 20, 60000",
        "",
    );
    // Mistral.
    check_limits(
        &[
            ("x-ratelimit-limit-req-minute", "60"),
            ("x-ratelimit-remaining-req-minute", "59"),
            ("x-ratelimit-reset-req-minute", "43"),
            ("x-ratelimit-limit-tokens-minute", "500000"),
            ("x-ratelimit-remaining-tokens-minute", "499000"),
        ],
        "59 of 60, 43000",
        "499000 of 500000, -",
    );
    // The draft for HTTP itself.
    check_limits(&[("ratelimit-limit", "100, 100;w=60"), ("ratelimit-remaining", "50")], "50 of 100, -", "");
}

#[test]
fn of_a_limit_only_what_makes_sense_is_kept() {
    check_limits(&[], "", "");
    check_limits(&[("x-ratelimit-limit-requests", "many"), ("x-ratelimit-remaining-requests", "")], "", "");
    check_limits(&[("x-ratelimit-limit-images", "5"), ("x-ratelimit-over-limit", "yes")], "", "");
    check_limits(&[("x-ratelimit-remaining-tokens", "-7")], "", "0 of -, -");
    check_limits(&[("x-ratelimit-limit-tokens", "1e300"), ("x-ratelimit-remaining-tokens", "NaN")], "", "");
    check_limits(&[("anthropic-ratelimit-requests-reset", "2026-11-01T11:00:00Z")], "- of -, 0", "");
    // One that does not say of what is looser than one that does, and used up is used up.
    check_limits(
        &[
            ("x-ratelimit-remaining-requests", "1"),
            ("x-ratelimit-limit-requests-minute", "9"),
            ("x-ratelimit-remaining-requests-minute", "8"),
        ],
        "8 of 9, -",
        "",
    );
    check_limits(
        &[
            ("x-ratelimit-limit-requests-minute", "9"),
            ("x-ratelimit-remaining-requests-minute", "1"),
            ("x-ratelimit-remaining-requests", "0"),
        ],
        "0 of -, -",
        "",
    );
}

#[test]
fn a_head_full_of_limits_is_read_in_part() {
    let headers: Vec<_> =
        (0..1_000).map(|n| (format!("x-ratelimit-remaining-requests-{n}"), (1_000 - n).to_string())).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    check_limits(&headers, "1000 of -, -", "");
}

proptest! {
    #[test]
    fn no_head_is_too_strange(
        headers in prop::collection::vec(
            ("(x-|anthropic-)?(rate|token)limit(-limit|-remaining|-reset|-requests|-tokens|-day|-dynamic){0,4}", "[-0-9a-zA-Z:.,; ]{0,24}"),
            0..50,
        ),
    ) {
        let facts = read_headers(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let now = "2026-11-01T12:00:00Z".parse().unwrap();
        let limits = facts.limits.at(now);
        prop_assert_eq!(limits.is_empty(), facts.limits.is_empty());
        // Of the tightest something was said, and a request that may not be sent again is told when it may.
        for limit in [limits.requests, limits.tokens].into_iter().flatten() {
            prop_assert!(limit != Limit::default());
            if limit.remaining == Some(0) && limit.reset_ns.is_some() {
                prop_assert!(facts.retry_after.is_some());
            }
        }
    }
}
