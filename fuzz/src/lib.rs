//! What the fuzz targets check, beside that nothing panics.
//!
//! ```text
//! bytes ─▶ target ─▶ a check here ─▶ wire, workload
//! ```
//!
//! `cargo run --example seed` writes the first inputs; `cargo +nightly fuzz run TARGET` goes on from
//! there. Each crash becomes a test of the room that it is in. HTTP/1.1 is checked by `transport` itself, whose reader no
//! other room can reach.
//!
//! Invariants: frames do not depend on how the bytes are split; nothing over the limit is decoded;
//! what we take for JSON is JSON, and the other way round.

use schema::target::Dialect;
use wire::{Decoder, Ending, Frame, WireError};

const LIMIT: usize = 4096;

/// Decodes a body whole and in pieces whose lengths the first bytes of `input` give, and compares.
pub fn check_stream(dialect: Dialect, input: &[u8]) {
    let (lengths, body) = input.split_at(input.len().min(4));
    let whole = decode(dialect, &[body]);
    assert_eq!(decode(dialect, &pieces(body, lengths)), whole);
}

/// Decodes one event of `dialect` in a frame of its own: the dialect's reader alone.
pub fn check_event(dialect: Dialect, event: &[u8]) {
    if event.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return check_stream(dialect, event);
    }
    let line = match dialect {
        Dialect::OllamaChat | Dialect::OllamaGenerate => [event, b"\n"].concat(),
        embedding if embedding.embeds() => [event, b"\n"].concat(),
        _ => [b"data: ", event, b"\n\n"].concat(),
    };
    let (frames, end) = decode(dialect, &[&line]);
    assert!(end.is_err() || !frames.is_empty() || event.trim_ascii().is_empty());
}

/// What a page says can be written and read back: no value in it is infinite, and no histogram falls.
pub fn check_page(page: &[u8]) {
    let Ok(page) = std::str::from_utf8(page) else { return };
    let Ok(sample) = wire::prometheus::server_sample(page) else { return };
    let line = serde_json::to_string(&sample).expect("a sample is JSON");
    let back: schema::server::ServerSample = serde_json::from_str(&line).expect("a sample reads back");
    assert_eq!(back.histograms.len(), sample.histograms.len());
    for histogram in sample.histograms.values() {
        assert!(histogram.counts.is_sorted() && histogram.bounds.is_sorted());
        assert_eq!(histogram.counts.len(), histogram.bounds.len());
    }
    assert!(line.len() < 1 << 20, "a sample fits the line it is kept on");
}

/// Our reader takes for JSON what `serde_json` takes for it, save for deeper nesting.
pub fn check_json(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if text.trim_ascii() == "[DONE]" || text.trim_ascii().is_empty() || text.contains('\u{FEFF}') {
        return;
    }
    let ours = wire::decode_answer(Dialect::OpenaiChat, text.as_bytes());
    let theirs = serde_json::from_str::<serde::de::IgnoredAny>(text);
    match (&ours, theirs) {
        (Ok(_), Err(error)) => panic!("taken for JSON: {error}"),
        (Err(error), Ok(_)) => assert!(format!("{error:?}").contains("LessNesting"), "{error:?}"),
        _ => {}
    }
}

fn pieces<'b>(mut body: &'b [u8], lengths: &[u8]) -> Vec<&'b [u8]> {
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle().take(4096) {
        let (piece, rest) = body.split_at(body.len().min(usize::from(*length)));
        pieces.push(piece);
        body = rest;
    }
    pieces.push(body);
    pieces
}

fn decode(dialect: Dialect, pieces: &[&[u8]]) -> (Vec<String>, Result<Ending, WireError>) {
    let mut decoder = Decoder::new(dialect, LIMIT);
    let mut frames = Vec::new();
    let mut sink = |frame: Frame<'_>| {
        assert!(frame.bytes as usize <= LIMIT);
        frames.push(format!("{frame:?}"));
    };
    for piece in pieces {
        if let Err(error) = decoder.feed(piece, &mut sink) {
            return (frames, Err(error));
        }
    }
    let ending = decoder.finish(&mut sink);
    (frames, ending)
}
