//! Captured response heads.

use schema::record::{ServerTiming, Usage};
use schema::units::Nanos;
use wire::read_headers;

use crate::capture;

#[test]
fn tgi_times_its_whole_answers_in_the_head() {
    let capture = capture::load("tgi-3.3.6-dev0-llamacpp/chat.raw");
    let facts = read_headers(capture.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    let millis = |ms| Some(Nanos::from_millis(ms));
    let timing =
        ServerTiming { queue_ns: millis(6), decode_ns: millis(429), total_ns: millis(437), ..ServerTiming::default() };
    assert_eq!(facts.timing, timing);
    assert_eq!(facts.usage, Usage { input_tokens: Some(42), output_tokens: Some(7), ..Usage::default() });
    assert_eq!((facts.retry_after, facts.request_id), (None, None));
}

#[test]
fn most_heads_tell_nothing() {
    for capture in capture::all().iter().filter(|capture| !capture.name.starts_with("tgi")) {
        let facts = read_headers(capture.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
        assert_eq!(facts, wire::HeaderFacts::default(), "{}", capture.name);
    }
}
