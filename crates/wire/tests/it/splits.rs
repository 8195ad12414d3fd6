//! However the bytes are split, the frames are the same.

use proptest::prelude::*;
use proptest::sample::Index;
use schema::target::Dialect;
use wire::{Decoder, Ending, Frame, WireError, decode_answer};

use crate::capture;

const LIMIT: usize = 1 << 16;

/// What a decoder makes of `pieces`: its frames, with the number of the piece that completed each,
/// and how it ended.
fn decode(dialect: Dialect, pieces: &[&[u8]], limit: usize) -> (Vec<Frame<'static>>, Result<Ending, WireError>) {
    let mut decoder = Decoder::new(dialect, limit);
    let mut frames = Vec::new();
    for piece in pieces {
        if let Err(error) = decoder.feed(piece, |frame| frames.push(owned(frame))) {
            return (frames, Err(error));
        }
    }
    let ending = decoder.finish(|frame| frames.push(owned(frame)));
    (frames, ending)
}

fn owned(frame: Frame<'_>) -> Frame<'static> {
    Frame {
        text: frame.text.map(|text| text.into_owned().into()),
        reasoning: frame.reasoning.map(|text| text.into_owned().into()),
        tool_call: frame.tool_call.map(|text| text.into_owned().into()),
        vectors: frame.vectors,
        choice: frame.choice,
        tokens: frame.tokens,
        finish: frame.finish,
        usage: frame.usage,
        timing: frame.timing,
        error: frame.error,
        end: frame.end,
        bytes: frame.bytes,
    }
}

/// `bytes` cut at these places.
fn cut<'b>(bytes: &'b [u8], places: &[usize]) -> Vec<&'b [u8]> {
    let mut places = places.to_vec();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for place in places {
        pieces.push(&bytes[from..place]);
        from = place;
    }
    pieces.push(&bytes[from..]);
    pieces
}

#[test]
fn captured_streams_give_the_same_frames_however_they_are_split() {
    for capture in capture::all() {
        let Some(dialect) = capture.dialect().filter(|_| capture.is_stream()) else { continue };
        let whole = decode(dialect, &[&capture.body], LIMIT);
        for size in [1, 2, 3, 7, 100] {
            let pieces: Vec<&[u8]> = capture.body.chunks(size).collect();
            assert_eq!(decode(dialect, &pieces, LIMIT), whole, "{} in pieces of {size}", capture.name);
        }
    }
}

#[test]
fn every_way_to_cut_a_stream_in_two_gives_the_same_frames() {
    let stream = "\u{FEFF}data: {\"choices\":[{\"delta\":{\"content\":\"ä\"}}]}\r\n\r\n: ping\r\n\r\n\
                  event: error\r\ndata: {\"error\":\r\ndata: \"x\"}\r\n\r\ndata:[DONE]\r\r\rdata: null\n\n"
        .as_bytes();
    let whole = decode(Dialect::OpenaiChat, &[stream], LIMIT);
    assert_eq!(whole.0.len(), 4, "{whole:?}");
    for at in 0..=stream.len() {
        assert_eq!(decode(Dialect::OpenaiChat, &[&stream[..at], &stream[at..]], LIMIT), whole, "cut at {at}");
    }
}

/// Streams of plausible events with every liberty SSE gives.
fn sse_streams() -> impl Strategy<Value = String> {
    let line_end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    let block = prop_oneof![
        4 => Just("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"h\\u00e9\\\"\"}}]}|"),
        2 => Just("data:{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"é😀\"}}]}|"),
        1 => Just("data: {\"choices\":|data: []}|"),
        1 => Just("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}|"),
        1 => Just(": keep-alive|"),
        1 => Just(":|id: 1|"),
        1 => Just("event: message|data: null|retry: 3|"),
        1 => Just("event: error|data: {\"message\":\"x\"}|"),
        1 => Just("error: {\"message\":\"x\"}|"),
        1 => Just("data|"),
        1 => Just("|"),
        1 => Just("data: [DONE]|"),
        1 => Just("data: {broken|"),
    ];
    (any::<bool>(), prop::collection::vec((block, line_end), 0..12), any::<bool>()).prop_map(
        |(mark, blocks, unended)| {
            let mut stream = String::from(if mark { "\u{FEFF}" } else { "" });
            for (block, line_end) in &blocks {
                stream.push_str(&format!("{block}|").replace('|', line_end));
            }
            stream + if unended { "data: [DONE]" } else { "" }
        },
    )
}

fn ndjson_streams() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("{\"message\":{\"content\":\"h\\u00e9\"},\"done\":false}"),
        Just("{\"response\":\"é😀\",\"thinking\":\"\"}"),
        Just("{\"done\":true,\"done_reason\":\"stop\",\"eval_count\":3}"),
        Just("{\"error\":\"x\"}"),
        Just(""),
        Just("{broken"),
    ];
    let line_end = prop_oneof![Just("\n"), Just("\r\n")];
    prop::collection::vec((line, line_end), 0..10)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end]).collect())
}

proptest! {
    #[test]
    fn sse_frames_do_not_depend_on_the_split(
        stream in sse_streams(), places in prop::collection::vec(any::<Index>(), 0..10), limit in 20..200usize,
    ) {
        let places: Vec<usize> = places.iter().map(|place| place.index(stream.len() + 1)).collect();
        let pieces = cut(stream.as_bytes(), &places);
        for limit in [limit, LIMIT] {
            let whole = decode(Dialect::OpenaiChat, &[stream.as_bytes()], limit);
            prop_assert_eq!(decode(Dialect::OpenaiChat, &pieces, limit), whole);
        }
    }

    #[test]
    fn ndjson_frames_do_not_depend_on_the_split(
        stream in ndjson_streams(), places in prop::collection::vec(any::<Index>(), 0..10), limit in 10..100usize,
    ) {
        let places: Vec<usize> = places.iter().map(|place| place.index(stream.len() + 1)).collect();
        let pieces = cut(stream.as_bytes(), &places);
        for limit in [limit, LIMIT] {
            let whole = decode(Dialect::OllamaChat, &[stream.as_bytes()], limit);
            prop_assert_eq!(decode(Dialect::OllamaChat, &pieces, limit), whole);
        }
    }
}

fn vectors() -> impl Strategy<Value = String> {
    let vector = prop_oneof![
        3 => prop::collection::vec(any::<f32>().prop_filter("JSON has no other numbers", |n| n.is_finite()), 0..9)
            .prop_map(|numbers| serde_json::json!(numbers).to_string()),
        1 => Just("null".to_owned()),
        1 => Just("\"AACAPw==\"".to_owned()),
        1 => Just("[".to_owned()),
    ];
    (any::<bool>(), prop::collection::vec(vector, 0..4)).prop_map(|(openai, vectors)| {
        if openai {
            let data: Vec<_> = vectors.iter().map(|vector| format!("{{\"embedding\":{vector}}}")).collect();
            format!("{{\"data\":[{}],\"usage\":{{\"prompt_tokens\":3}}}}\n", data.join(","))
        } else {
            format!("{{\"embeddings\":[{}],\"prompt_eval_count\":3}}\n", vectors.join(","))
        }
    })
}

proptest! {
    #[test]
    fn embeddings_do_not_depend_on_the_split(
        answer in vectors(), places in prop::collection::vec(any::<Index>(), 0..10), limit in 10..300usize,
    ) {
        let places: Vec<usize> = places.iter().map(|place| place.index(answer.len() + 1)).collect();
        let pieces = cut(answer.as_bytes(), &places);
        for dialect in [Dialect::OpenaiEmbeddings, Dialect::OllamaEmbed] {
            for limit in [limit, LIMIT] {
                let whole = decode(dialect, &[answer.as_bytes()], limit);
                prop_assert_eq!(decode(dialect, &pieces, limit), whole);
            }
        }
    }

    #[test]
    fn no_bytes_are_too_strange_for_embeddings(bytes: Vec<u8>, text in "[\\[\\]{}:,\"0-9eembddingsdata.]{0,60}") {
        for dialect in [Dialect::OpenaiEmbeddings, Dialect::OllamaEmbed] {
            for answer in [bytes.as_slice(), text.as_bytes()] {
                let vectors = decode_answer(dialect, answer).map_or(0, |answer| answer.vectors.count as usize);
                prop_assert!(vectors <= answer.len());
            }
        }
    }
}

#[test]
fn an_event_over_the_limit_is_an_error_however_it_comes() {
    let stream = format!("data: null\n\ndata: \"{}\"\n\n", "x".repeat(1_000));
    for size in [1, 50, 5_000] {
        let pieces: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        let (frames, end) = decode(Dialect::OpenaiChat, &pieces, 500);
        assert_eq!(frames.len(), 1);
        assert_eq!(end, Err(WireError::EventTooLarge { index: 1, dialect: Dialect::OpenaiChat, limit: 500 }));
    }
}

#[test]
fn what_is_not_json_or_not_utf8_is_named_with_its_event() {
    let (frames, end) = decode(Dialect::OpenaiChat, &[b"data: {}\n\ndata: {oops}\n\n"], LIMIT);
    assert_eq!(frames.len(), 1);
    let error = end.unwrap_err();
    assert_eq!(error.to_string(), "event 1 of the OpenAI chat answer is not JSON");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "expected a key at byte 1");

    let (_, end) = decode(Dialect::OllamaChat, &[b"{\"response\":\"\xff\"}\n"], LIMIT);
    assert_eq!(end.unwrap_err().to_string(), "event 0 of the Ollama chat answer is not UTF-8, from its byte 13 on");
}

#[test]
fn anthropic_streams_are_read_through_their_event_names() {
    let stream = b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":7}}}\n\n\
        event: ping\ndata: {\"type\":\"ping\"}\n\n\
        event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}\n\n\
        event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n\
        event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let (frames, ending) = decode(Dialect::Anthropic, &[stream], LIMIT);
    assert_eq!(frames.len(), 5);
    assert_eq!(frames[0].usage.as_ref().unwrap().input_tokens, Some(7));
    assert_eq!(frames[2].text.as_deref(), Some("Hi"));
    let error = frames[3].error.as_ref().unwrap();
    assert_eq!((error.message.raw(), error.kind.as_deref()), ("Overloaded", Some("overloaded_error")));
    assert_eq!(ending, Ok(Ending { ended: true, finished: false }));
}
