//! What each captured stream says, against what is known of it.

use std::borrow::Cow;

use schema::event::EventKind;
use schema::record::FinishReason;
use schema::record::FinishReason::{Length, Stop};
use schema::target::Dialect;
use wire::{Decoder, Ending, Frame, classify_status};

use crate::capture::{self, Capture};

/// A whole stream, folded.
#[derive(Debug, Default, PartialEq)]
struct Story {
    /// Text of each choice.
    texts: Vec<String>,
    content_events: usize,
    /// Of the first choice that has one.
    finish: Option<FinishReason>,
    /// Input and output tokens, as said last.
    usage: Option<(Option<u64>, Option<u64>)>,
    cached: Option<u64>,
    /// Sum of the tokens of frames that say so.
    tokens: u32,
    error: Option<String>,
    ended: bool,
}

fn tell(capture: &Capture) -> Story {
    let dialect = capture.dialect().unwrap();
    let mut story = Story::default();
    let mut decoder = Decoder::new(dialect, 1 << 16);
    let mut bytes = 0;
    let mut fold = |frame: Frame<'_>| {
        bytes += frame.bytes as usize;
        story.fold(&frame);
    };
    decoder.feed(&capture.body, &mut fold).unwrap_or_else(|error| panic!("{}: {error}", capture.name));
    let ending = decoder.finish(&mut fold).unwrap();
    assert!(bytes <= capture.body.len(), "{}", capture.name);
    story.ended = ending.ended;
    assert_eq!(ending.finished, story.finish.is_some(), "{}", capture.name);
    story
}

impl Story {
    fn fold(&mut self, frame: &Frame<'_>) {
        let choice = frame.choice as usize;
        if self.texts.len() <= choice {
            self.texts.resize(choice + 1, String::new());
        }
        self.texts[choice].push_str(frame.text.as_deref().unwrap_or_default());
        self.content_events += usize::from(frame.kind().is_content());
        self.finish = self.finish.or(frame.finish);
        if let Some(usage) = &frame.usage {
            self.usage = Some((usage.input_tokens, usage.output_tokens));
            self.cached = usage.cached_input_tokens;
        }
        self.tokens += frame.tokens.unwrap_or(0);
        if let Some(error) = &frame.error {
            self.error = Some(error.message.raw().to_owned());
        }
    }
}

#[track_caller]
fn check(name: &str, texts: &[&str], events: usize, usage: Option<(u64, u64)>, finish: FinishReason) {
    let story = tell(&capture::load(name));
    assert_eq!(story.texts, texts, "{name}");
    assert_eq!(story.content_events, events, "{name}");
    assert_eq!(story.usage, usage.map(|(input, output)| (Some(input), Some(output))), "{name}");
    assert_eq!(story.finish, Some(finish), "{name}");
    assert_eq!(story.error, None, "{name}");
}

const PARIS: &str = "The capital of France is Paris";
const PARIS_STOP: &str = "The capital of France is Paris.";

#[test]
fn llama_cpp_streams_say_what_was_generated() {
    let check = |name: &str, texts: &[&str], events, usage, finish| {
        check(&format!("llamacpp-b11434/{name}"), texts, events, usage, finish);
    };
    check("chat-stream-usage.raw", &[PARIS_STOP], 7, Some((42, 8)), Stop);
    check("chat-stream-usage.http", &[PARIS_STOP], 7, Some((42, 8)), Stop);
    // No usage was asked for: the counts are those of `timings`.
    check("chat-stream-nousage.raw", &[PARIS_STOP], 7, Some((42, 8)), Stop);
    check("chat-stream-one-token.raw", &["The"], 1, Some((42, 1)), Length);
    check("chat-stream-logprobs.raw", &[PARIS], 6, Some((42, 6)), Length);
    check("chat-stream-timings-per-token.raw", &[PARIS], 6, Some((42, 6)), Length);
    check("chat-stream-until-stop.raw", &[PARIS], 6, Some((42, 7)), Stop);
    check("chat-stream-return-progress.raw", &[""], 0, Some((631, 1)), Stop);
    check("chat-stream-n2.raw", &["Le Jura est la capital", PARIS], 12, Some((42, 6)), Length);
    check("chat-stream-utf8.raw", &["🎉🦀 Naïve Ünïcödé 🇫🇷"], 13, Some((62, 23)), Stop);
    check("completion-batch2.raw", &["-digit numbers are 1", " E F G H I K"], 12, Some((3, 6)), Length);
    check("completion-stream-utf8.raw", &[" 🇫🇪🇧🇨🇨🇨🇨🇨🇨🇨"], 10, Some((51, 32)), Length);
    let colours = " the primary colours of the human eye: red, blue, and yellow. \
                   These are the only three colors that exist naturally";
    check("completion-stream-usage.raw", &[colours], 24, Some((5, 24)), Length);
    check("completion-stream-nousage.raw", &[colours], 24, Some((5, 24)), Length);
    check("error-bad-model-stream.raw", &[PARIS_STOP], 7, Some((42, 8)), Stop);
}

#[test]
fn vllm_streams_say_what_was_generated() {
    let check = |name: &str, texts: &[&str], events, usage, finish| {
        check(&format!("vllm-0.32.0{name}"), texts, events, usage, finish);
    };
    check("/chat-stream-usage.raw", &[PARIS_STOP], 7, Some((42, 8)), Stop);
    check("/chat-stream-nousage.raw", &[PARIS_STOP], 7, None, Stop);
    check("/chat-stream-continuous-usage.raw", &[PARIS_STOP], 7, Some((42, 8)), Stop);
    check("/chat-stream-one-token.raw", &["The"], 1, Some((42, 1)), Length);
    check("/chat-stream-logprobs.raw", &[PARIS], 6, Some((42, 6)), Length);
    check("/chat-stream-return-token-ids.raw", &[PARIS], 6, Some((42, 6)), Length);
    check("/chat-stream-until-stop.raw", &[PARIS], 6, Some((42, 7)), Stop);
    check("/chat-stream-n2.raw", &[PARIS, "Paris, France, capital of"], 12, Some((42, 12)), Length);
    check("/chat-stream-utf8.raw", &["🎉🦀🎉🎉🎉🎉🎉🎉🎉🎉"], 10, Some((62, 32)), Length);
    check("/completion-batch2.raw", &["-digit numbers are 1", " E F G H I K"], 12, Some((7, 12)), Length);
    check("/completion-stream-utf8.raw", &[" 🇫🎉🎉🎉🎉🎉🎉🎉🎉🎉"], 10, Some((51, 32)), Length);
    let primary = " the primary colours of the human eye, which are the primary";
    check("/completion-stream-min-tokens.raw", &[primary], 12, Some((5, 12)), Length);
    let fox = "The story of a fox is a classic example of a magical";
    check("-stream-interval-4/chat-stream-interval-4-force-include-usage.raw", &[fox], 4, Some((39, 12)), Length);
}

#[test]
fn tgi_streams_say_what_was_generated() {
    let check = |name: &str, texts: &[&str], events, usage, finish| {
        check(&format!("tgi-3.3.6-dev0-llamacpp/{name}"), texts, events, usage, finish);
    };
    check("chat-stream-usage.raw", &["FI-L selling lemonade!"], 6, Some((42, 7)), Stop);
    check("chat-stream-nousage.raw", &["FI-L selling lemonade!"], 6, None, Stop);
    check("chat-stream-one-token.raw", &["FI"], 1, Some((42, 1)), Length);
    check("chat-stream-n2.raw", &["How to say, \"Paris"], 6, Some((42, 6)), Length);
    check(
        "completion-batch2.raw",
        &[" musicians you can Edit this line", " Aurora Gambleingenome B"],
        12,
        Some((4, 6)),
        Length,
    );
    let pure = " the pure opposites of one another. The bicolor is the pure colour of the";
    check("generate-stream.raw", &[pure], 16, Some((5, 16)), Length);
    let polar = " polar,\" \"transparency\" and \"reflection\" - pure colours – implying clear";
    check("root-stream.raw", &[polar], 16, Some((5, 16)), Length);
}

#[test]
fn tokens_are_counted_where_frames_list_them() {
    let tokens = |name| tell(&capture::load(name)).tokens;
    assert_eq!(tokens("vllm-0.32.0/chat-stream-return-token-ids.raw"), 6);
    assert_eq!(tokens("vllm-0.32.0/chat-stream-usage.raw"), 0);
    assert_eq!(tokens("tgi-3.3.6-dev0-llamacpp/generate-stream.raw"), 16);
}

#[test]
fn text_is_a_slice_of_the_bytes_that_were_fed() {
    let capture = capture::load("vllm-0.32.0/chat-stream-usage.raw");
    let fed = capture.body.as_ptr_range();
    let mut decoder = Decoder::new(Dialect::OpenaiChat, 1 << 16);
    let sink = |frame: Frame<'_>| {
        if let Some(text) = frame.text {
            assert!(matches!(&text, Cow::Borrowed(slice) if fed.contains(&slice.as_ptr())), "{text:?} was copied");
        }
    };
    decoder.feed(&capture.body, sink).unwrap();
}

#[test]
fn cached_prompt_tokens_are_counted() {
    let cached = |name| tell(&capture::load(name)).cached;
    assert_eq!(cached("llamacpp-b11434/chat-stream-usage.http"), Some(41));
    assert_eq!(cached("llamacpp-b11434/chat-stream-usage.raw"), Some(31));
    assert_eq!(cached("llamacpp-b11549/chat-stream-cached.raw"), Some(41));
    assert_eq!(cached("vllm-0.32.0/chat-stream-usage.raw"), None);
    assert_eq!(cached("vllm-0.32.0-stream-interval-4/chat-stream-interval-4.raw"), Some(0));
}

/// What was called, and how many events it took.
#[track_caller]
fn check_call(name: &str, expected: &str, events: usize) {
    let capture = capture::load(name);
    let (mut call, mut calls) = (String::new(), 0);
    let mut decoder = Decoder::new(capture.dialect().unwrap(), 1 << 16);
    let fold = |frame: Frame<'_>| {
        call.push_str(frame.tool_call.as_deref().unwrap_or_default());
        calls += usize::from(frame.kind() == EventKind::ToolCall);
    };
    decoder.feed(&capture.body, fold).unwrap();
    assert_eq!((call.as_str(), calls), (expected, events), "{name}");
    let story = tell(&capture);
    assert_eq!((story.content_events, story.finish), (events, Some(FinishReason::ToolCalls)), "{name}");
}

/// vLLM finds the call in what the model writes, so fifty-two tokens come as five events.
#[test]
fn a_tools_call_is_told_piece_by_piece() {
    check_call("vllm-0.32.0/chat-stream-tool.raw", "give_answer\"france\"", 5);
    check_call("vllm-0.32.0/messages-stream-tool.raw", "give_answer\"france\"", 5);
}

#[test]
fn vllm_speaks_anthropics_dialect_too() {
    check("vllm-0.32.0/messages-stream.raw", &["The capital of Italy is Rome."], 7, Some((64, 8)), Stop);
}

#[test]
fn a_running_usage_grows_with_every_event() {
    for (name, expected) in [
        ("vllm-0.32.0/chat-stream-continuous-usage.raw", vec![0, 1, 2, 3, 4, 5, 6, 7, 8, 8]),
        ("vllm-0.32.0-stream-interval-4/chat-stream-interval-4-force-include-usage.raw", vec![0, 1, 5, 9, 12, 12]),
        ("llamacpp-b11434/chat-stream-timings-per-token.raw", vec![1, 2, 3, 4, 5, 6, 6]),
    ] {
        let capture = capture::load(name);
        let mut counts = Vec::new();
        let mut decoder = Decoder::new(Dialect::OpenaiChat, 1 << 16);
        decoder.feed(&capture.body, |frame| counts.extend(frame.usage.and_then(|usage| usage.output_tokens))).unwrap();
        assert_eq!(counts, expected, "{name}");
    }
}

#[test]
fn llama_cpp_tells_its_timings() {
    let capture = capture::load("llamacpp-b11434/chat-stream-usage.http");
    let mut timings = Vec::new();
    let mut decoder = Decoder::new(Dialect::OpenaiChat, 1 << 16);
    decoder.feed(&capture.body, |frame| timings.extend(frame.timing)).unwrap();
    let [timing] = timings.as_slice() else { panic!("one event has timings") };
    assert_eq!(timing.prefill_ns.unwrap().0, 91_123_000);
    assert_eq!(timing.decode_ns.unwrap().0, 421_313_000);
}

#[test]
fn the_first_content_is_the_first_token_and_not_the_role() {
    for (name, before) in [
        ("vllm-0.32.0/chat-stream-usage.raw", 1),
        ("llamacpp-b11434/chat-stream-usage.raw", 1),
        ("llamacpp-b11549/timed-chat-stream-server-sigkill.timed.tsv", 1),
        ("tgi-3.3.6-dev0-llamacpp/chat-stream-usage.raw", 0),
    ] {
        let capture = capture::load(name);
        let mut kinds = Vec::new();
        Decoder::new(Dialect::OpenaiChat, 1 << 16).feed(&capture.body, |frame| kinds.push(frame.kind())).unwrap();
        assert_eq!(kinds.iter().position(|kind| *kind == EventKind::Text), Some(before), "{name}");
    }
}

#[test]
fn pings_are_no_events() {
    let capture = capture::load("llamacpp-b11549/timed-chat-stream-sse-pings.timed.tsv");
    let mut frames = 0;
    Decoder::new(Dialect::OpenaiChat, 1 << 16).feed(&capture.body, |_| frames += 1).unwrap();
    assert_eq!(frames, 4, "the role, the finish, the usage and `[DONE]`");
}

#[test]
fn errors_inside_a_good_response_are_found() {
    for (stem, message) in [
        ("chat-stream-logprobs", "Input validation error: `top_n_tokens` must be >= 0 and <= 0. Given: 2"),
        ("error-overloaded-stream", "Model is overloaded"),
        ("error-overloaded-generate-stream", "Model is overloaded"),
        (
            "error-generate-too-long",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 1024. \
             Given: 3001 `inputs` tokens and 16 `max_new_tokens`",
        ),
    ] {
        let capture = capture::load(&format!("tgi-3.3.6-dev0-llamacpp/{stem}.raw"));
        let story = tell(&capture);
        assert_eq!(story.error.as_deref(), Some(message), "{stem}");
        assert_eq!((story.content_events, story.finish), (0, None), "{stem}");
        let class = classify_status(capture.status, &wire::ServerError::default());
        assert_eq!(class, schema::record::FailureClass::ErrorInStream);
    }
}

#[test]
fn every_captured_stream_decodes_and_its_end_is_known() {
    let streams: Vec<_> = capture::all().into_iter().filter(|c| c.is_stream() && c.dialect().is_some()).collect();
    assert!(streams.len() > 80, "{} streams", streams.len());
    for capture in streams {
        let story = tell(&capture);
        let name = &capture.name;
        // TGI's own error event is the only thing it sends.
        let native_error = capture.dialect() == Some(Dialect::Tgi) && story.error.is_some();
        assert_eq!(story.ended, capture.complete && !native_error, "{name}");
        assert_eq!(story.finish.is_some(), capture.complete && story.error.is_none(), "{name}");
        assert!(story.content_events > 0 || story.error.is_some() || story.usage.is_some(), "{name}");
        if let Some((_, Some(output))) = story.usage
            && story.texts.len() == 1
        {
            assert!(story.content_events as u64 <= output, "{name}: an event has at least one token");
        }
    }
}

#[test]
fn a_broken_stream_has_neither_end_nor_finish() {
    for name in [
        "llamacpp-b11549/timed-chat-stream-server-sigkill.timed.tsv",
        "llamacpp-b11434/timed-client-abort-after-5-reads.timed.tsv",
        "vllm-0.32.0/timed-client-abort-after-5-reads.timed.tsv",
        "tgi-3.3.6-dev0-llamacpp/timed-client-abort-after-5-reads.timed.tsv",
    ] {
        let capture = capture::load(name);
        let mut decoder = Decoder::new(Dialect::OpenaiChat, 1 << 16);
        decoder.feed(&capture.body, |_| {}).unwrap();
        assert_eq!(decoder.finish(|_| {}).unwrap(), Ending { ended: false, finished: false }, "{name}");
    }
}

#[test]
fn a_stream_cut_inside_an_event_is_broken_not_malformed() {
    let capture = capture::load("vllm-0.32.0/chat-stream-usage.raw");
    let usage = memchr::memmem::find(&capture.body, b"\"usage\"").unwrap();
    let finish = memchr::memmem::find(&capture.body, b"\"stop\"").unwrap();
    for (cut, finished) in [(100, false), (finish, false), (usage, true)] {
        let mut decoder = Decoder::new(Dialect::OpenaiChat, 1 << 16);
        decoder.feed(&capture.body[..cut], |_| {}).unwrap();
        assert_eq!(decoder.finish(|_| {}).unwrap(), Ending { ended: false, finished }, "cut at {cut}");
    }
}
