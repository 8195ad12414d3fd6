//! What each fault looks like from the other side.

use schema::record::FailureClass;
use sim::{Config, Engine, Fault, FaultPlan, HUGE_EVENT, HUGE_HEADER, Sim};
use wire::{classify_status, decode_error};

use crate::client::{Client, End, Response, decode, fast, not_streamed, routes, with_fault};

/// The response to a streamed request of twelve tokens, on each of an engine's routes.
fn each_route(fault: &str, mut check: impl FnMut(&str, schema::target::Dialect, Result<Response, End>)) {
    for engine in Engine::ALL {
        let sim = with_fault(engine, fault);
        for (path, dialect, body) in routes(engine, 12) {
            let mut client = Client::new(&sim);
            client.send("POST", path, "", &body);
            check(&format!("{fault}, {engine} {path}"), dialect, client.try_response());
        }
    }
}

#[track_caller]
fn check_refusal(fault: &str, expected: FailureClass) {
    each_route(fault, |case, _, response| {
        let response = response.unwrap();
        let error = decode_error(response.status, &response.body);
        assert_eq!(classify_status(response.status, &error), expected, "{case}: {}", response.text());
    });
}

#[test]
fn refusals_are_understood_as_what_they_mean() {
    check_refusal("rate_limit", FailureClass::RateLimited);
    check_refusal("unauthorized", FailureClass::Unauthorized);
    check_refusal("forbidden", FailureClass::Forbidden);
    check_refusal("not_found", FailureClass::NotFound);
    check_refusal("bad_request", FailureClass::BadRequest);
    check_refusal("server_error", FailureClass::ServerError);
}

#[test]
fn a_used_up_quota_is_understood_wherever_an_error_has_a_kind() {
    each_route("quota", |case, _, response| {
        let response = response.unwrap();
        let error = decode_error(response.status, &response.body);
        // Ollama's own errors are a message and nothing else.
        let expected = if case.contains("/api/") { FailureClass::RateLimited } else { FailureClass::QuotaExhausted };
        assert_eq!(classify_status(response.status, &error), expected, "{case}: {}", response.text());
    });
}

#[test]
fn overload_has_the_status_each_api_gives_it() {
    each_route("overloaded", |case, _, response| {
        let expected = match () {
            () if case.contains("tgi") => 429,
            () if case.contains("messages") => 529,
            () => 503,
        };
        assert_eq!(response.unwrap().status, expected, "{case}");
    });
}

#[test]
fn a_rate_limit_says_when_to_come_back_and_a_used_up_quota_does_not() {
    each_route("rate_limit", |case, _, r| assert_eq!(r.unwrap().header("retry-after"), Some("2"), "{case}"));
    each_route("quota", |case, _, r| assert_eq!(r.unwrap().header("retry-after"), None, "{case}"));
}

#[test]
fn a_reset_comes_after_the_first_tokens() {
    each_route("reset", |case, dialect, response| {
        let response = response.unwrap();
        assert_eq!(response.end, End::Reset, "{case}");
        assert_eq!(decode(dialect, &response.body).unwrap().content_events, 3, "{case}");
    });
}

#[test]
fn an_early_reset_comes_before_any_answer() {
    each_route("reset_early", |case, _, response| assert_eq!(response.unwrap_err(), End::Reset, "{case}"));
}

#[test]
fn a_truncated_stream_closes_inside_a_chunk() {
    each_route("truncate", |case, _, response| assert_eq!(response.unwrap().end, End::Closed, "{case}"));
}

#[test]
fn a_cleanly_truncated_stream_lacks_only_its_end() {
    each_route("truncate_clean", |case, dialect, response| {
        let response = response.unwrap();
        assert_eq!(response.end, End::Proper, "{case}");
        let decoded = decode(dialect, &response.body).unwrap();
        assert_eq!((decoded.content_events, decoded.finish), (3, None), "{case}");
        assert!(!decoded.ending.ended && !decoded.ending.finished, "{case}");
    });
}

#[test]
fn a_malformed_event_is_not_json_and_stands_among_good_ones() {
    each_route("malformed", |case, dialect, response| {
        let response = response.unwrap();
        assert_eq!(response.end, End::Proper, "{case}");
        assert!(decode(dialect, &response.body).is_err(), "{case}: {}", response.text());
    });
}

#[test]
fn broken_framing_breaks_after_good_chunks() {
    each_route("bad_chunk", |case, _, response| {
        let response = response.unwrap();
        assert_eq!(response.end, End::BadFraming, "{case}");
        assert!(response.chunks.len() >= 3, "{case}");
    });
}

#[test]
fn a_status_line_that_is_none_has_no_status() {
    each_route("bad_status_line", |case, _, response| {
        let response = response.unwrap();
        assert!(response.head.starts_with("HTTP/banana"), "{case}: {}", response.head);
    });
}

#[test]
fn an_error_in_the_stream_is_said_in_the_engines_own_shape() {
    each_route("error_in_stream", |case, dialect, response| {
        let response = response.unwrap();
        assert_eq!((response.status, response.end), (200, End::Proper), "{case}");
        let decoded = decode(dialect, &response.body).unwrap();
        assert_eq!(decoded.errors, ["The engine failed while generating."], "{case}");
        assert_eq!(decoded.content_events, 3, "{case}");
    });
}

#[test]
fn an_empty_answer_ends_properly_without_content() {
    each_route("empty", |case, dialect, response| {
        let response = response.unwrap();
        let decoded = decode(dialect, &response.body).unwrap();
        assert_eq!((response.end, decoded.content_events), (End::Proper, 0), "{case}: {}", response.text());
        assert!(decoded.ending.ended && decoded.ending.finished, "{case}");
    });
}

#[test]
fn a_huge_event_is_one_and_whole() {
    let sim = with_fault(Engine::Vllm, "huge_event");
    let (path, dialect, body) = routes(Engine::Vllm, 12).remove(0);
    let response = Client::new(&sim).post(path, &body);
    assert!(response.chunks.iter().any(|chunk| chunk.len() > HUGE_EVENT));
    assert_eq!(decode(dialect, &response.body).unwrap().content_events, 13);
}

#[test]
fn a_huge_header_comes_before_a_good_stream() {
    let sim = with_fault(Engine::Tgi, "huge_header");
    let (path, dialect, body) = routes(Engine::Tgi, 12).remove(0);
    let response = Client::new(&sim).post(path, &body);
    assert!(response.head.len() > HUGE_HEADER);
    assert_eq!(decode(dialect, &response.body).unwrap().content_events, 12);
}

#[test]
fn a_page_and_a_redirect_stand_where_an_answer_should() {
    each_route("html", |case, _, response| {
        let response = response.unwrap();
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{case}"
        );
    });
    each_route("redirect", |case, _, response| {
        let response = response.unwrap();
        assert!(response.status == 302 && response.header("location").is_some(), "{case}");
    });
}

#[test]
fn harmless_faults_lose_nothing() {
    for fault in Fault::ALL.into_iter().filter(|fault| fault.is_harmless()) {
        each_route(fault.name(), |case, dialect, response| {
            let response = response.unwrap();
            let decoded = decode(dialect, &response.body).unwrap();
            let events = if fault == Fault::MultiToken { 4 } else { 12 };
            assert_eq!((response.end, decoded.content_events), (End::Proper, events), "{case}");
            assert_eq!(decoded.output_tokens, Some(12), "{case}");
        });
    }
}

#[test]
fn hostile_text_arrives_as_it_was_meant() {
    each_route("hostile_text", |case, dialect, response| {
        let text = decode(dialect, &response.unwrap().body).unwrap().text;
        assert!(text.contains('\u{1b}') && text.contains('\u{202e}') && text.contains("[DONE]"), "{case}: {text:?}");
    });
}

#[test]
fn split_characters_are_cut_between_two_writes() {
    let sim = with_fault(Engine::Vllm, "split_utf8");
    let (path, dialect, body) = routes(Engine::Vllm, 12).remove(0);
    let text = decode(dialect, &Client::new(&sim).post(path, &body).body).unwrap().text;
    assert!(!text.is_ascii());
}

#[track_caller]
fn check_silence(fault: &str, head: bool, events: usize) {
    for engine in [Engine::Vllm, Engine::Tgi, Engine::OpenAi] {
        let sim = with_fault(engine, fault);
        let (path, dialect, body) = routes(engine, 12).remove(0);
        let mut client = Client::new(&sim);
        client.send("POST", path, "", &body);
        if head {
            client.head().unwrap();
        }
        let mut seen = 0;
        while seen < events {
            seen += decode(dialect, &client.chunk().unwrap()).map_or(0, |decoded| decoded.content_events);
        }
        assert!(client.is_silent(), "{fault} {engine}");
        assert!(!sim.wait_idle(std::time::Duration::ZERO), "{fault} {engine}");
        drop(client);
        assert!(sim.wait_idle(crate::client::PATIENCE), "{fault} {engine}: the server never noticed");
    }
}

#[test]
fn silences_last_until_the_client_leaves() {
    check_silence("slow_headers", false, 0);
    check_silence("no_first_token", true, 0);
    check_silence("stall", true, 3);
}

#[test]
fn an_endless_answer_goes_on_beyond_what_was_asked() {
    let sim = with_fault(Engine::OpenAi, "endless");
    let (path, _, body) = routes(Engine::OpenAi, 5).remove(0);
    let mut client = Client::new(&sim);
    client.send("POST", path, "", &body);
    client.head().unwrap();
    for _ in 0..1_000 {
        assert!(!client.chunk().unwrap().is_empty());
    }
    drop(client);
    assert!(sim.wait_idle(crate::client::PATIENCE));
}

#[track_caller]
fn check_never_comes(engine: Engine, path: &str, body: &str) {
    let sim = with_fault(engine, "endless");
    let mut client = Client::new(&sim);
    client.send("POST", path, "", body);
    while sim.running() == 0 {
        std::thread::yield_now();
    }
    drop(client);
    assert!(sim.wait_idle(crate::client::PATIENCE), "{engine}: the server never noticed");
}

#[test]
fn an_endless_answer_that_leaves_in_one_piece_never_comes() {
    let (path, _, body) = routes(Engine::Vllm, 5).remove(0);
    let (path, body) = not_streamed(path, &body);
    check_never_comes(Engine::Vllm, path, &body);
    // Ollama shows a call whole.
    let (path, _, body) = routes(Engine::Ollama, 5).remove(2);
    let body = body.replacen('{', r#"{"tools":[{"function":{"name":"find"}}],"#, 1);
    check_never_comes(Engine::Ollama, path, &body);
}

#[test]
fn whole_answers_break_too() {
    for (fault, end) in [
        ("reset", End::Reset),
        ("truncate", End::Closed),
        ("bad_chunk", End::BadFraming),
        ("malformed", End::Proper),
        ("truncate_clean", End::Proper),
    ] {
        let sim = with_fault(Engine::Vllm, fault);
        let (path, _, body) = routes(Engine::Vllm, 12).remove(0);
        let (path, body) = not_streamed(path, &body);
        let response = Client::new(&sim).post(path, &body);
        assert_eq!(response.end, end, "{fault}");
        assert!(serde_json::from_slice::<serde_json::Value>(&response.body).is_err(), "{fault}");
    }
}

#[test]
fn a_share_of_requests_meets_the_fault_and_the_seed_decides_which() {
    let statuses = |seed| {
        let faults = vec![FaultPlan { fault: Fault::ServerError, share: 0.25 }];
        let sim = Sim::start(Config { faults, seed, ..fast(Engine::Vllm) }).unwrap();
        let (path, _, body) = routes(Engine::Vllm, 1).remove(0);
        let mut client = Client::new(&sim);
        (0..200).map(|_| client.post(path, &body).status).collect::<Vec<_>>()
    };
    let first = statuses(3);
    assert_eq!(first, statuses(3));
    let failed = first.iter().filter(|status| **status == 500).count();
    assert!((30..70).contains(&failed), "{failed}");
    assert_eq!(first.iter().filter(|status| **status == 200).count(), 200 - failed);
}
